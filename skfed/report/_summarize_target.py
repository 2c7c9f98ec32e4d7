"""What one client tells of its target before a fit."""

import warnings

import numpy as np
import pandas as pd

from ..data._pool import label_kind
from ..data._wide_target import as_array
from ..exceptions import ClientError
from ..preprocessing._disclosure import nearly_constant, rounded_down
from ..training._introduce import TASKS, introduced

UNKNOWN = "unknown"


def summarize_target(target, task, min_count, max_levels):
    """Return the entries of a summary that speak of the target."""
    values = as_array(target)
    n_rows = len(values)
    gaps = pd.isna(values).reshape(n_rows, -1).any(axis=1)
    known = values[~gaps]
    summary: dict = {"task": _task(known, task)}
    hidden = rounded_down(gaps.sum(), min_count)
    summary["target_missing"] = float(hidden) / n_rows if n_rows else 0.0
    summary["target_whole"] = bool(not gaps.any())
    kind = TASKS.get(summary["task"])
    if kind == "classification":
        return summary | _labels(known, min_count, max_levels)
    if kind is not None:
        return summary | _moments(known, min_count)
    return summary


def _task(values, given):
    """Return what an estimator would take the target for."""
    if given not in ("auto", "classification", *TASKS):
        raise ValueError(f"task={given!r} is none of {['auto', *TASKS]}")
    if not len(values):
        return UNKNOWN
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is in doubt, the report says
            return introduced("", values, given).task
    except (ClientError, TypeError, ValueError):
        return UNKNOWN


def _labels(values, min_count, max_levels):
    """Return the labels that enough rows have, and how many, rounded down."""
    kind = label_kind(values)
    texts = [as_text(value) for value in values.tolist()]
    found = pd.Series(texts, dtype=object).value_counts()
    counts = rounded_down(found.to_numpy(), min_count)[:max_levels]
    kept = sorted(zip(found.index[: len(counts)], counts.tolist(), strict=True))
    kept = [(label, count) for label, count in kept if count]
    return {
        "label_kind": kind,
        "labels": [label for label, _ in kept],
        "label_counts": np.array([count for _, count in kept], dtype=np.int64),
    }


def as_text(value):
    """Return a label or category as text, the same for 1, 1.0 and numpy's 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _moments(values, min_count):
    """Return mean and deviation of each target, NaN if a few rows decide them."""
    columns = values.astype(np.float64).reshape(len(values), -1)
    moments = np.full((2, columns.shape[1]), np.nan)
    for j, column in enumerate(columns.T):
        if len(column) >= min_count and not nearly_constant(column, min_count):
            moments[:, j] = column.mean(), column.std()
    return {"target_mean": moments[0], "target_deviation": moments[1]}
