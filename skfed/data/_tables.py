"""What skfed asks of one client's table, whatever library it comes from."""

import numbers
from collections.abc import Hashable

import numpy as np
import pandas as pd
from scipy import sparse

from .._compat import safe_indexing


def is_table(obj):
    """Tell whether ``obj`` is two-dimensional: array, sparse, frame or rows."""
    shape = getattr(obj, "shape", None)
    if shape is not None:
        return len(shape) == 2
    if not isinstance(obj, list | tuple) or not obj:
        return False
    first = obj[0]
    if isinstance(first, str | dict) or not hasattr(first, "__len__"):
        return False
    return not any(
        hasattr(cell, "__len__") and not isinstance(cell, str | bytes | dict)
        for cell in first
    )


def n_rows(table):
    """Return the number of rows of a table."""
    shape = getattr(table, "shape", None)
    return len(table) if shape is None else int(shape[0])


def take(table, rows):
    """Return the rows of a table by position, in its own class."""
    return safe_indexing(table, rows)


def as_table(obj):
    """Return nested lists as an array and sparse tables in a format with rows."""
    if sparse.issparse(obj):
        return obj.tocsr()
    return np.asarray(obj) if isinstance(obj, list | tuple) else obj


def is_polars(table):
    """Tell a polars DataFrame without importing polars."""
    return type(table).__module__.split(".")[0] == "polars"


def column_names(table):
    """Return the column names of a table as list of str, or None if unnamed.

    A pandas frame whose columns are 0, 1, ... counts as unnamed: that is how an
    array looks once it is wrapped. Other integers name columns as positions of such
    an array: 3 is ``"x3"``.
    """
    columns = getattr(table, "columns", None)
    if columns is None:
        return None
    if isinstance(columns, pd.RangeIndex) and list(columns) == list(
        range(len(columns))
    ):
        return None
    return [f"x{c}" if isinstance(c, numbers.Integral) else str(c) for c in columns]


def to_frame(table, names=None):
    """Return a table as pandas DataFrame with str column names.

    Parameters
    ----------
    table : array, sparse matrix, pandas or polars DataFrame of shape (n, d)
        Sparse input becomes dense, since the model needs it so.
    names : list of str of length d, default=None
        Names for the columns; None keeps those of the table, or ``x0, x1, ...``.
    """
    if isinstance(table, pd.DataFrame):
        frame = table.copy(deep=False)
    elif is_polars(table):
        frame = pd.DataFrame({c: _from_polars(table[c]) for c in table.columns})
    elif sparse.issparse(table):
        frame = pd.DataFrame(table.toarray())
    else:
        frame = pd.DataFrame(np.asarray(table))
        if frame.dtypes.eq(object).any():
            frame = frame.infer_objects()
    if names is None:
        names = column_names(table) or [f"x{j}" for j in range(frame.shape[1])]
    frame.columns = pd.Index(names, dtype=object)
    return frame


def _from_polars(series):
    """Return a polars Series as pandas can hold it without pyarrow."""
    kind = str(series.dtype)
    if kind.startswith(("Categorical", "Enum", "String")):
        return pd.Series(series.cast(_polars_string()).to_list(), dtype=object)
    if kind.startswith(("Date", "Datetime")):
        return pd.to_datetime(pd.Series(series.to_list(), dtype=object))
    if kind == "Boolean" and series.null_count():
        return pd.Series(series.to_list(), dtype=object)
    return pd.Series(series.to_numpy())


def _polars_string():
    import polars

    return polars.String


def plain_name(name):
    """Return a client name as plain Python value."""
    name = name.item() if isinstance(name, np.generic) else name
    if not isinstance(name, Hashable) or name is None or name != name:
        raise ValueError(f"{name!r} cannot name a client; use a string or an integer")
    return name


def sort_names(names):
    """Return client names in a stable order: numbers before the rest, by value."""

    def key(name):
        if isinstance(name, numbers.Number):
            return (0, name, "")
        return (1, 0, name if isinstance(name, str) else f"{type(name)}{name}")

    return sorted(names, key=key)
