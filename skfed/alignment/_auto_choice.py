"""Which aligner, and why: the rules of AutoAligner."""

from collections import Counter

import numpy as np

from ._names import owners

# A client's scores say more than which label is likeliest where there are many labels,
# and something at all where it has some rows of each.
MANY_LABELS = 4
ROWS_PER_LABEL = 3  # of the median client


def choose(statistics, min_count, has_anchors):
    """Return the choice and its reason, from the clients' descriptions.

    Parameters
    ----------
    statistics : dict of dict
        ``{client: {"names", "n_rows", "has_target", "labels", "has_gaps"}}``.
    min_count : int
        Least rows behind a statistic.
    has_anchors : bool
        Whether common rows are named.

    Returns
    -------
    choice : {"union", "factor", "anchor", "score", "shared_private"}
        A kind of aligner.
    reason : str
        Why.
    """
    columns = owners(statistics)
    n_clients, most = len(statistics), max(map(len, columns.values()))
    if min(map(len, columns.values())) == n_clients:
        return "union", f"all clients have the same {len(columns)} columns"
    if most == 1 and has_anchors:
        return "anchor", "no two clients have a column in common; anchors join them"
    if max(m["n_rows"] for m in statistics.values()) < min_count:
        return "union", f"no client has min_count={min_count} rows"
    has_labels = any(m["labels"] for m in statistics.values())
    if most > 1 and has_labels and _in_blocks(statistics, columns):
        return "union", "clients have all their columns in common, or none"
    if most > 1:
        everywhere = sum(len(who) == n_clients for who in columns.values())
        return "factor", (
            f"{everywhere} of {len(columns)} columns are at all {n_clients} clients, "
            f"and {_together(statistics, columns):.0%} of their pairs together at one "
            "or more; absent columns are imputed"
        )
    alone = "no two clients have a column in common; "
    labels = Counter(label for m in statistics.values() for label in m["labels"])
    common = sum(n > 1 for n in labels.values())
    whole = all(m["labels"] and not m["has_gaps"] for m in statistics.values())
    usual = np.median([m["n_rows"] for m in statistics.values()])
    if common >= MANY_LABELS and usual >= ROWS_PER_LABEL * common and whole:
        return "score", (
            f"{alone}{common} labels are, and each client's scores of them are columns"
        )
    if common:
        return "union", alone + "common labels alone do not settle what columns mean"
    if labels or not all(m["has_target"] for m in statistics.values()):
        return "shared_private", alone + "no label is either"
    return "factor", alone + "the numeric target, which all have, joins them"


def _in_blocks(statistics, columns):
    """Tell whether clients that share a column have the same columns."""
    names = {client: set(message["names"]) for client, message in statistics.items()}
    return all(
        names[client] == names[who[0]] for who in columns.values() for client in who
    )


def _together(statistics, columns):
    """Return the share of pairs of columns that some client has both of."""
    place = {name: j for j, name in enumerate(columns)}
    met = np.zeros((len(place), len(place)), dtype=bool)
    for message in statistics.values():
        own = [place[name] for name in message["names"]]
        met[np.ix_(own, own)] = True
    pairs = len(place) * (len(place) - 1)
    return (met.sum() - len(place)) / pairs  # a column is with itself
