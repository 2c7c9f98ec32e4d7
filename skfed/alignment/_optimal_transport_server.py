"""What the OptimalTransportAligner's server settles: columns, classes, the centre."""

import warnings

import numpy as np

from ..exceptions import AlignmentWarning, ClientError
from ..preprocessing._strata import merge_strata
from ._names import owners, positions


def common_ground(statistics, min_count):
    """Return columns, and the distribution of the target that all clients shall have.

    "classes" and "prior" are the labels that all clients tell and their shares;
    "y_mean" and "y_sd" belong to a numeric target.
    """
    owned_by = owners(statistics)
    lacking = [
        f"client {client!r} lacks {missing}"
        for client, message in statistics.items()
        if (missing := [name for name in owned_by if name not in message["names"]])
    ]
    if lacking:
        raise ClientError(
            "OptimalTransportAligner needs the same columns at all clients, but "
            f"{'; '.join(lacking)}. Put UnionAligner, IntersectionAligner or "
            "FactorAligner before it in a Pipeline"
        )
    rows = {client: message["n_rows"] for client, message in statistics.items()}
    answer = {"names": list(owned_by), "classes": [], "most_rows": max(rows.values())}
    labelled = [client for client, m in statistics.items() if "classes" in m]
    numeric = [client for client, m in statistics.items() if "y_n" in m]
    if labelled and numeric:
        raise ClientError(
            f"the target of client {numeric[0]!r} is numeric and that of client "
            f"{labelled[0]!r} has class labels; convert them to one kind"
        )
    merged = merge_strata(statistics)
    if labelled:
        labels = {c: m["classes"] for c, m in statistics.items() if m.get("classes")}
        return answer | _common_classes(labels, rows, len(owned_by), merged, min_count)
    if numeric:
        answer |= {"y_mean": merged["y_mean"], "y_sd": merged["y_sd"]}
    return answer


def _common_classes(labels, rows, d, merged, min_count):
    """Return the labels that all clients tell, which can take part at all."""
    able = {c: own for c, own in labels.items() if rows[c] > d + 1} or labels
    common = [
        label
        for label in merged.get("classes", [])
        if all(label in own for own in able.values())
    ]
    if not common:
        told = "; ".join(f"client {c!r} has {sorted(own)}" for c, own in able.items())
        raise ClientError(
            f"no label has min_count={min_count} rows at all clients, so that class "
            f"means cannot be compared: {told or 'nobody has one'}. The largest client "
            f"has n_samples = {max(rows.values())}. Lower min_count, leave this step "
            "out, or set balanced=False if the clients' class shares are alike"
        )
    prior = merged["prior"][[merged["classes"].index(label) for label in common]]
    return {"classes": common, "prior": prior / prior.sum()}


def centre_of(statistics, shared, centre, min_count):
    """Return the columns that all can tell, their mean (q,) and covariance (q, q).

    Parameters
    ----------
    statistics : dict of dict
        The clients' moments.
    shared : dict
        What :func:`common_ground` returned.
    centre : callable
        From covariances (K, q, q) and weights (K,) to one (q, q).
    min_count : int
        For the warning.
    """
    told = {client: m for client, m in statistics.items() if m["columns"]}
    if not told:
        raise ClientError(
            f"no client may send moments of its {len(shared['names'])} columns "
            f"(n_features = {len(shared['names'])}): that takes columns that vary, "
            f"min_count={min_count} rows of every common class, and more rows than "
            "columns and classes; the largest client has n_samples = "
            f"{shared['most_rows']}. Keep fewer columns, lower min_count, or leave "
            "this step out"
        )
    owned_by = owners({c: {"names": m["columns"]} for c, m in told.items()})
    columns = [name for name, who in owned_by.items() if len(who) == len(told)]
    _warn_of_left_out(statistics, told, shared["names"], columns, min_count)
    weights = np.array([float(m["n_rows"]) for m in told.values()])
    weights /= weights.sum()
    means, covariances = [], []
    for message in told.values():
        at = positions(columns, message["columns"])
        means.append(message["mean"][at])
        covariances.append(message["covariance"][np.ix_(at, at)])
    found = centre(np.stack(covariances), weights) if columns else np.empty((0, 0))
    return {
        "columns": columns,
        "mean": weights @ np.stack(means),
        "covariance": found,
    }


def _warn_of_left_out(statistics, told, names, columns, min_count):
    """Warn once of clients and columns that stay as they are."""
    notes = []
    silent = [client for client in statistics if client not in told]
    if silent:
        notes.append(
            f"clients {silent} take no part, and their rows stay as they are: they "
            "have too few rows for their columns, or of a class that the others have"
        )
    left = [name for name in names if name not in columns]
    if left:
        whose = [c for c, m in told.items() if set(left) - set(m["columns"])]
        notes.append(
            f"columns {left} stay as they are, since at clients {whose} they are "
            f"constant but for fewer than min_count={min_count} rows"
        )
    if notes:
        warnings.warn(
            "OptimalTransportAligner: " + ". ".join(notes),
            AlignmentWarning,
            stacklevel=2,
        )
