"""Columns of a table one by one: how they are read, and of which kind they are."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_consistent_length, validate_data

from ..data._tables import is_polars, to_frame
from ..exceptions import ClientError

NUMBER, BOOLEAN, TEXT, DATETIME, EMPTY = (
    "number",
    "boolean",
    "text",
    "datetime",
    "empty",
)

DATETIME_PARTS = (
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "dayofyear",
    "weekday",
    "hour",
    "minute",
    "second",
)

_INFERRED = {
    "string": TEXT,
    "boolean": BOOLEAN,
    "integer": NUMBER,
    "floating": NUMBER,
    "mixed-integer-float": NUMBER,
    "decimal": NUMBER,
    "date": DATETIME,
    "datetime": DATETIME,
    "datetime64": DATETIME,
    "period": DATETIME,
    "empty": EMPTY,
}


def read_table(step, X, y, reset):
    """Validate a table without forcing its columns into one dtype.

    Returns
    -------
    table : DataFrame or array of float64, of shape (n, d)
        An array when X is a numeric array (or sparse, which is made dense), else a
        DataFrame with the names below as columns.
    names : list of str
        Column names, ``x0, x1, ...`` where the table has none.
    """
    if isinstance(X, pd.DataFrame) or is_polars(X):
        check_distinct([str(name) for name in X.columns])
        validate_data(step, X, skip_check_array=True, reset=reset)
        if 0 in X.shape:
            what = "sample(s)" if not X.shape[0] else "feature(s)"
            raise ValueError(
                f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 "
                f"is required by {type(step).__name__}."
            )
        names = step._column_names()
        table = to_frame(X, names)
    else:
        if isinstance(X, list | tuple) and not sparse.issparse(X):
            # numpy would turn a list that mixes numbers and text into text
            as_array = np.asarray(X)
            X = np.asarray(X, dtype=object) if as_array.dtype.kind in "US" else as_array
        array = validate_data(
            step,
            X,
            accept_sparse=("csr", "csc"),
            dtype=None,
            ensure_all_finite="allow-nan",
            reset=reset,
        )
        if sparse.issparse(array):
            array = array.toarray()
        names = step._column_names()
        if array.dtype.kind in "iuf":
            table = array.astype(np.float64, copy=False)
        else:
            table = pd.DataFrame(array, columns=pd.Index(names, dtype=object))
    if y is not None:
        check_consistent_length(table, y)
    return table, names


def check_distinct(names, where="the table"):
    """Raise ClientError if a column name occurs twice."""
    if len(set(names)) < len(names):
        doubled = min(name for name in names if names.count(name) > 1)
        raise ClientError(
            f"column {doubled!r} occurs twice in {where}; rename a column of the "
            "table, because clients match columns by name"
        )


def columns_of(table, names):
    """Yield (name, column as Series) of what :func:`read_table` returned."""
    for j, name in enumerate(names):
        if isinstance(table, np.ndarray):
            yield name, pd.Series(table[:, j])
        else:
            yield name, table.iloc[:, j]


def kind_of(column, name):
    """Tell what a column holds.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name, for the error.

    Returns
    -------
    kind : {"number", "boolean", "text", "datetime", "empty"}
        A pandas category counts as text, whatever its categories are, unless they
        are booleans; "empty" has no observed value.

    Raises
    ------
    TypeError
        If the values are of no such kind, or of several.
    """
    dtype = column.dtype
    if dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: column {name!r}; give the real and the "
            "imaginary part as two columns"
        )
    if dtype.kind in "iuf":  # an int column has no missing values to look for
        return EMPTY if dtype.kind == "f" and column.isna().all() else NUMBER
    if column.isna().all():
        return EMPTY
    if isinstance(dtype, pd.CategoricalDtype):
        inferred = pd.api.types.infer_dtype(dtype.categories, skipna=True)
        if inferred == "boolean":
            return BOOLEAN
        known = {"string", "integer", "floating", "mixed-integer-float"}
        inferred = "string" if inferred in known else inferred
    elif dtype.kind in "b":
        return BOOLEAN
    elif dtype.kind == "M" or isinstance(dtype, pd.PeriodDtype):
        return DATETIME
    else:
        inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred == "complex":
        raise ValueError(f"Complex data not supported: column {name!r}")
    if inferred not in _INFERRED:
        types = sorted({type(value).__qualname__ for value in column.dropna()})
        raise TypeError(
            f"column {name!r} cannot be encoded: the argument must be uniformly "
            f"strings or numbers, booleans or dates, and it holds {types} "
            f"({inferred}); convert the column or leave it out"
        )
    return _INFERRED[inferred]


def as_numbers(column, name):
    """Return a column of numbers or booleans as float64 array, missing as NaN."""
    kind = kind_of(column, name)
    if kind == EMPTY:
        return np.full(len(column), np.nan)
    if kind not in (NUMBER, BOOLEAN):
        error = ClientError(
            f"column {name!r} must hold numbers, and it holds {kind}; convert it, or "
            "encode it with TableEncoder"
        )
        error.add_note(f"Its first value is {column.dropna().iloc[0]!r}.")
        raise error
    if column.dtype.kind in "iufb" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy(np.float64)
    else:
        values = column.astype(object).where(column.notna(), np.nan)
        values = values.to_numpy().astype(np.float64)
    if np.isinf(values).any():
        raise ClientError(
            f"column {name!r} contains infinity; replace it by a number or mark it as "
            "missing (NaN)"
        )
    return values


_ATTRIBUTE = {"weekday": "day_of_week", "dayofyear": "day_of_year"}


def datetime_parts(column, name, parts):
    """Return parts of a datetime column as float64 array (n, len(parts)).

    Times are read as the column's own clock shows them, in its own time zone.
    """
    kind = kind_of(column, name)
    out = np.full((len(column), len(parts)), np.nan)
    if kind == EMPTY:
        return out
    if kind != DATETIME:
        raise ClientError(
            f"column {name!r} held dates in fit, and it holds {kind} now; convert it "
            "with pandas.to_datetime"
        )
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif column.dtype.kind != "M":
        column = pd.to_datetime(column)
    known = column.notna().to_numpy()
    dates = column[known].dt
    for j, part in enumerate(parts):
        if part == "week":
            value = dates.isocalendar().week
        else:
            value = getattr(dates, _ATTRIBUTE.get(part, part))
        out[known, j] = value.to_numpy(np.float64)
    return out
