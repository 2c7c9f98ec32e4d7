"""A client's first task: tell columns, labels and the number of rows."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets

from ..data._pool import label_kind
from ..data._tables import column_names, n_rows
from ..exceptions import ClientError
from ..preprocessing._disclosure import is_at_site, releasable
from ._label_sets import checked_label_sets, held_labels
from ._local import client_torch_seed
from ._target_units import units_of

SPLIT_ROUND = 2**32 - 1  # the generator of the validation split, never a round


def describe(payload, state, site):
    """Tell columns, labels or target moments, and the number of rows."""
    plan, table = site.plan, site.table
    n = n_rows(table)
    if n == 0:
        raise ClientError(f"client {site.name!r} has no rows; leave it out")
    target = None if site.target is None else checked_target(site)
    state.update({key: payload[key] for key in ("seed", "client", "n_clients")})
    fit_rows = state.get("rows", np.arange(n))
    valid_rows = fit_rows[:0]
    if not payload.get("newcomer"):  # which trains nothing that could stop early
        fit_rows, valid_rows = _split(plan, state, target)
    state.update(fit_rows=fit_rows, valid_rows=valid_rows)
    answer = {"n_rows": len(fit_rows)}
    names = column_names(table)
    if names is None:
        answer["width"] = int(table.shape[1])
    else:
        answer["columns"] = names
    if target is None:
        return answer
    if target.ndim == 2:
        answer["n_targets"] = target.shape[1]
    if plan.task == "classification":
        answer["labels"] = np.unique(target[state.get("rows", slice(None))]).tolist()
        if plan.tells_labels:
            answer["label_counts"] = told_counts(
                target[fit_rows], answer["labels"], plan
            )
    elif plan.task == "multilabel":
        answer["labels"] = held_labels(target[state.get("rows", slice(None))])
    else:
        answer |= _target_moments(target[fit_rows], plan)
    return answer


def checked_target(site):
    """Return a client's target, or say what is wrong with it."""
    name, target = site.name, np.asarray(site.target)
    if len(target) != n_rows(site.table):
        raise ClientError(
            f"client {name!r} has {n_rows(site.table)} rows but {len(target)} targets"
        )
    wide = target.ndim == 2 and target.shape[1] > 1
    if target.ndim != 1 and not (wide and site.plan.task != "classification"):
        raise ClientError(
            f"the target of client {name!r} has shape {target.shape}; give one value "
            "per row, or a table with a column for each target"
        )
    if pd.isna(target).any():
        raise ClientError(
            f"the target of client {name!r} contains NaN or None in "
            f"{int(_any(pd.isna(target)).sum())} rows; drop them"
        )
    if site.plan.task == "multilabel":
        return checked_label_sets(name, target)
    if site.plan.task == "classification":
        check_classification_targets(target)
        if label_kind(target) == "mixed":
            raise ClientError(
                f"client {name!r} has labels of mixed type (text and numbers); convert "
                "them to one type"
            )
        return target.astype(str) if label_kind(target) == "text" else target
    if target.dtype.kind in "MmUS" or label_kind(target) != "numbers":
        raise ClientError(
            f"the target of client {name!r} is not numeric but "
            f"{label_kind(target) if target.dtype.kind not in 'Mm' else 'dates'}; "
            "convert it to numbers"
        )
    try:
        values = target.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ClientError(
            f"the target of client {name!r} is not numeric: {error}"
        ) from error
    if not np.isfinite(values).all():
        raise ClientError(f"the target of client {name!r} contains infinity")
    return values


def _any(mask):
    return mask if mask.ndim == 1 else mask.any(axis=1)


def _split(plan, state, target):
    """Return the rows for fitting and for validation, by the split's own seed."""
    rows = state.get("rows", np.arange(len(target)))
    n_valid = int(round(plan.validation_fraction * len(rows)))
    # a loss of the ones and a gradient of the others leave each round, and at a site
    # the number of clients is what the server says
    few = plan.min_count if state["n_clients"] > 1 or is_at_site() else 1
    if not plan.early_stopping or min(n_valid, len(rows) - n_valid) < few:
        return rows, rows[:0]
    seed = client_torch_seed(state["seed"], SPLIT_ROUND, state["client"])
    stratify = None
    if plan.task == "classification":
        counts = np.unique(target[rows], return_counts=True)[1]
        enough = counts.min() >= 2 and min(n_valid, len(rows) - n_valid) >= len(counts)
        stratify = target[rows] if enough else None
    fit, valid = train_test_split(
        rows, test_size=n_valid, stratify=stratify, random_state=seed % 2**32
    )
    return np.sort(fit), np.sort(valid)


def told_counts(target, labels, plan):
    """Return how many rows each label has, rare ones as their common mean.

    A client with fewer than ``min_count`` rows tells nothing.
    """
    counts = np.array([(target == label).sum() for label in labels], dtype=np.float64)
    if len(target) < plan.min_count:
        return 0 * counts
    hidden = ~releasable(counts, plan.min_count)
    counts[hidden] = counts[hidden].mean() if hidden.any() else 0.0
    return counts


def _target_moments(target, plan):
    """Return count, mean and squared deviations, only where the server pools them."""
    if not plan.tells_target or len(target) < plan.min_count:
        return {}
    mean, _ = units_of(target)
    squares = ((target - mean) ** 2).sum(axis=0)
    return {
        "target_n": len(target),
        "target_mean": mean,
        "target_m2": float(squares) if target.ndim == 1 else squares,
    }
