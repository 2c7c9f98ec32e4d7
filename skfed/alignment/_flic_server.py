"""What the FlicAligner's server does: draw the anchors, then average them."""

import numpy as np

from ..exceptions import ClientError
from ..preprocessing._strata import merge_strata
from ._bins import bin_edges
from ._flic_client import drawn_anchors, start_head

_HIDDEN = ("hidden_W1", "hidden_b1")


def first_answer(statistics, seed, settings):
    """Return the labels, the seed, and the anchors drawn from it.

    Parameters
    ----------
    statistics : dict of dict
        ``{client: its labels, or the moments of its numeric target}``.
    seed : int
        Seed of everything that is drawn in the fit.
    settings : dict
        The aligner's parameters by name.
    """
    edges = bin_edges(statistics, settings["n_bins"], settings["min_count"])
    labels = list(range(len(edges) + 1))
    if not len(edges):
        labels = merge_strata(statistics).get("classes", [])
    if not labels:
        raise ClientError(
            f"no client, not even {next(iter(statistics))!r}, has a class of min_count="
            f"{settings['min_count']} rows; lower min_count or merge classes"
        )
    q = int(settings["n_components"])
    answer = {
        "labels": labels,
        "bin_edges": edges,
        "seed": seed,
        "exchange": 1,
        "anchors": drawn_anchors(seed, labels, q, settings["anchor_scale"]),
    }
    if settings["mode"] == "joint" and settings["share_hidden"]:
        first = start_head(seed, q, settings["head_hidden"], len(labels))
        answer |= dict(zip(_HIDDEN, (first["W1"], first["b1"]), strict=True))
    return answer


def averaged(statistics, shared):
    """Return anchors, and the shared hidden layer if any, after an exchange.

    An anchor is averaged over the clients that sent a copy, who count equally; one
    that nobody sent stays.
    """
    messages = list(statistics.values())
    anchors = shared["anchors"].copy()
    for c, label in enumerate(shared["labels"]):
        copies = [
            m["anchors"][m["labels"].index(label)]
            for m in messages
            if label in m["labels"]
        ]
        if copies:
            anchors[c] = np.mean(copies, axis=0)
    answer = shared | {"anchors": anchors, "exchange": shared["exchange"] + 1}
    for name in _HIDDEN:
        if name in shared:
            answer[name] = np.mean([m[name] for m in messages], axis=0)
    return answer
