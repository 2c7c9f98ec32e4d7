"""Targets of several labels a row: what clients check and tell, and agree on."""

import numpy as np

from ..exceptions import ClientError
from ._schema import has_local_heads


def checked_label_sets(name, target):
    """Return a client's indicator matrix (n, C), or say what is wrong with it."""
    if target.ndim != 2:
        raise ClientError(
            f"the target of client {name!r} has shape {target.shape}, and others' have "
            "a column of 0 and 1 for each label; give such a table to all clients"
        )
    try:
        values = target.astype(np.float64)
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    if not np.isin(values, (0.0, 1.0)).all():
        raise ClientError(
            f"the target of client {name!r} has {target.shape[1]} columns, which hold "
            "more than 0 and 1. A classifier takes one label a row, or an indicator "
            "with a column for each label (multiclass-multioutput is not supported): "
            "fit one estimator per column, or use "
            "sklearn.preprocessing.MultiLabelBinarizer"
        )
    return values.astype(np.int64)


def held_labels(target):
    """Return the positions of the labels that a row has."""
    return np.flatnonzero(target.any(axis=0)).tolist()


def agree_on_label_sets(plan, result, described):
    """Set the labels of all and of each client; return what clients need of them."""
    classes = list(range(result.n_targets)) if plan.classes is None else plan.classes
    result.classes = np.asarray(classes).tolist()
    if len(result.classes) != result.n_targets:
        raise ClientError(
            f"y has {result.n_targets} columns, and classes= names "
            f"{len(result.classes)} labels; give a name for each"
        )
    result.labels = {
        client: named_labels(result.classes, answer)
        for client, answer in described.items()
    }
    result.local_heads = has_local_heads(plan.local_heads, result.labels)
    return {"classes": result.classes}


def named_labels(classes, answer):
    """Return the names of the labels that a client told by position."""
    return [classes[j] for j in answer.get("labels", [])]
