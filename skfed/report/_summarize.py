"""What one client tells of its table before a fit: counts and moments, never a row."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ..data._tables import column_names, is_table, n_rows, to_frame
from ..exceptions import ClientError
from ..preprocessing._categories import counted
from ..preprocessing._columns import (
    BOOLEAN,
    NUMBER,
    TEXT,
    as_numbers,
    columns_of,
    kind_of,
)
from ..preprocessing._disclosure import nearly_constant, rounded_down
from ._summarize_target import as_text, summarize_target

FORMAT = 1  # of the summary, so that a report can refuse one it cannot read
UNREADABLE = "unreadable"


def summarize(table, target=None, *, task="auto", min_count=5, max_levels=30):
    """Summarise a client's table for a :class:`FederationReport`.

    A site runs this on its own machine and sends what comes out. It is a payload as
    the federation's messages are: a flat dict of arrays, numbers, texts and lists of
    them, in which every statistic has at least ``min_count`` rows behind it.

    Parameters
    ----------
    table : array, sparse matrix or DataFrame of shape (n, d)
        The client's rows.
    target : array of shape (n,) or (n, m), default=None
        What the client predicts.
    task : str, default="auto"
        "binary", "multiclass", "regression", "multilabel", "multioutput_regression" or
        "classification", where it is known; "auto" goes by the target, in which few
        different whole numbers are labels.
    min_count : int, default=5
        No statistic over fewer rows is in the summary.
    max_levels : int, default=30
        At most this many categories of a column, the most frequent ones, and as many
        labels.

    Returns
    -------
    summary : dict
        See Notes.

    Raises
    ------
    ClientError
        If the table is not two-dimensional, or the target has another length.
    ValueError
        If there is no such task.

    See Also
    --------
    FederationReport.from_summaries : Makes the report of the clients' summaries.

    Notes
    -----
    **What leaves the client** if it sends the summary:

    ``n_rows``, ``min_count``, ``columns`` (d names; x0, x1, ... if ``named`` is False)
        The size and the schema, as the first message of a fit tells it.
    ``kinds`` (d,)
        "number", "boolean", "text", "datetime", "empty" (without a value) or
        "unreadable" (infinity, or values of several types, which no encoder takes).
    ``missing`` (d,)
        Share of rows without a value, whose number is rounded down to a multiple of
        ``min_count``; 1 where ``kinds`` is "empty".
    ``mean``, ``deviation`` (d,)
        Of numbers and booleans, over their values. NaN where these are fewer than
        ``min_count`` or all but fewer than ``min_count`` of them are equal.
    ``levels/j``, ``counts/j``
        Categories of column j that ``min_count`` rows have, and how many do, rounded
        down to a multiple of ``min_count``.
    ``task``, ``label_kind``, ``labels``, ``label_counts``
        What kind of target it is, and its labels in the same form as categories.
    ``target_missing``, ``target_mean``, ``target_deviation`` (m,)
        The same of the target as of columns.
    ``target_whole``
        Whether every row has a target; else a fit stops.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.report import summarize
    >>> table = pd.DataFrame({"age": range(20), "sex": ["f"] * 12 + ["m"] * 8})
    >>> summary = summarize(table, ["ill"] * 18 + ["well"] * 2)
    >>> summary["kinds"], float(summary["mean"][0]), summary["levels/1"]
    (['number', 'text'], 9.5, ['f', 'm'])
    >>> summary["counts/1"], summary["labels"]  # two rows are "well"
    (array([10,  5]), ['ill'])
    """
    check_scalar(min_count, "min_count", Integral, min_val=1)
    check_scalar(max_levels, "max_levels", Integral, min_val=1)
    if not is_table(table):
        raise ClientError(
            f"cannot summarise a {type(table).__name__}; give an array or a DataFrame "
            "of shape (n, d)"
        )
    frame = to_frame(table)
    n, names = n_rows(table), [str(name) for name in frame.columns]
    if target is not None and len(target) != n:
        raise ClientError(f"the table has {n} rows but there are {len(target)} targets")
    summary = {
        "format": FORMAT,
        "min_count": int(min_count),
        "n_rows": int(n),
        "named": column_names(table) is not None,
        "columns": names,
    }
    kinds, missing, mean, deviation = [], [], [], []
    for j, (name, column) in enumerate(columns_of(frame, names)):
        kind, values = _read(column, name)
        kinds.append(kind)
        missing.append(_missing_share(column, min_count))
        moments = _moments(values, min_count)
        mean.append(moments[0])
        deviation.append(moments[1])
        if kind in (TEXT, BOOLEAN):
            levels, counts = _frequent(column, name, min_count, max_levels)
            summary[f"levels/{j}"], summary[f"counts/{j}"] = levels, counts
    summary["kinds"] = kinds
    summary["missing"] = np.array(missing, dtype=np.float64)
    summary["mean"] = np.array(mean, dtype=np.float64)
    summary["deviation"] = np.array(deviation, dtype=np.float64)
    if target is None:
        return {**summary, "task": ""}
    return {**summary, **summarize_target(target, task, min_count, max_levels)}


def _read(column, name):
    """Return a column's kind, and its values where they are numbers."""
    try:
        kind = kind_of(column, name)
        if kind not in (NUMBER, BOOLEAN):
            return kind, None
        values = as_numbers(column, name)
    except (TypeError, ValueError):
        return UNREADABLE, None
    return kind, values[~np.isnan(values)]


def _missing_share(column, min_count):
    """Return the share of missing values, of a number that is rounded down."""
    n, gaps = len(column), int(column.isna().sum())
    if gaps == n:  # as the kind says
        return 1.0
    return float(rounded_down(gaps, min_count)) / n


def _moments(values, min_count):
    """Return mean and deviation of values, NaN if a few rows decide them."""
    if values is None or len(values) < min_count or nearly_constant(values, min_count):
        return np.nan, np.nan
    return float(values.mean()), float(values.std())


def _frequent(column, name, min_count, max_levels):
    """Return the most frequent values as text, and their counts, rounded down."""
    values, counts, _ = counted(column, name)
    counts = rounded_down(counts, min_count)
    order = np.argsort(-counts, kind="stable")[:max_levels]
    order = np.sort(order[counts[order] > 0])
    return [as_text(values[i]) for i in order], counts[order]
