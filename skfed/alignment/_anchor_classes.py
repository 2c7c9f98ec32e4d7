"""The classes of a client's rows, whose means join the rows in common."""

import numpy as np

from ..preprocessing._federated import class_labels
from ..preprocessing._strata import N_BINS, strata_statistics
from ._anchor_server import without
from ._bins import bin_edges
from ._factor_server import label_union
from ._prototype_client import Classes, class_means, read_classes


def describe(y, min_count):
    """Return what a client tells of its target first: bins need its moments."""
    return {"is_numeric": is_numeric(y), **strata_statistics(y, min_count)}


def is_numeric(y):
    """Return whether y is a target of numbers, of which bins are classes."""
    return y is not None and class_labels(y) is None


def settled_bins(statistics, min_count):
    """Return the inner edges of the bins of numeric targets, none without any."""
    told = {c: m for c, m in statistics.items() if "y_mean" in m}
    return bin_edges(told, N_BINS, min_count) if told else np.empty(0)


def own_classes(y, shared, min_count):
    """Return the :class:`Classes` of a client's rows, or None if it has not two."""
    classes = read_classes(y, shared, min_count)
    return classes if len(classes.labels) > 1 else None


def class_rows(X, classes: Classes | None, label_weight):
    """Return the means (C_k, d_k) of classes that may leave, and their weights."""
    if classes is None:
        return np.empty((0, X.shape[1])), np.empty(0)
    counts = np.bincount(classes.codes)
    return class_means(X, classes)[classes.keep], label_weight * counts[classes.keep]


def place_classes(statistics, n_anchors):
    """Return the labels and bins that several clients have, and messages of these.

    Parameters
    ----------
    statistics : dict of dict
        ``{client: message}``; the last rows of ``basis`` are of its ``labels``.
    n_anchors : int
        The labels take the places after the anchors, the bins after the labels.
    """
    kinds: dict[str, list] = {}
    place: dict[tuple, int] = {}
    for name, numeric in (("labels", False), ("bins", True)):
        told = {c: m for c, m in statistics.items() if m["is_numeric"] == numeric}
        found = label_union(told)
        clients = {v: sum(v in m["labels"] for m in told.values()) for v in found}
        kinds[name] = [v for v in found if clients[v] > 1 or len(statistics) == 1]
        start = n_anchors + len(place)
        place |= {(numeric, v): start + j for j, v in enumerate(kinds[name])}
    messages = []
    for m in statistics.values():
        own = [place.get((m["is_numeric"], v), -1) for v in m["labels"]]
        held = np.concatenate([m["held"], np.array(own, dtype=int)])
        messages.append(without(m | {"held": held}, held < 0))
    return kinds, messages


def placed(classes: Classes | None, numeric, shared):
    """Return the places of a client's classes after the anchors, -1 for no place."""
    if classes is None:
        return np.empty(0, dtype=int)
    known = shared["bins"] if numeric else shared["labels"]
    start = len(shared["labels"]) if numeric else 0
    place = {label: start + j for j, label in enumerate(known)}
    return np.array([place.get(label, -1) for label in classes.kept], dtype=int)
