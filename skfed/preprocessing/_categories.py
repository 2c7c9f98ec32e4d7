"""Categories of a column: counted on a client, merged by value, coded again."""

from numbers import Integral

import numpy as np
import pandas as pd

from ..exceptions import ClientError
from ._columns import BOOLEAN, DATETIME, EMPTY, TEXT, kind_of


def counted(column, name):
    """Count the values of a column.

    Parameters
    ----------
    column : Series
        Numbers, booleans, text or a pandas category.
    name : str
        Its name, for the error.

    Returns
    -------
    values : list of bool, int, float or str
        The distinct observed values, sorted, of one type.
    counts : array of int64 of shape (len(values),)
        How often each occurs.
    n_missing : int
        Missing rows.
    """
    kind = kind_of(column, name)
    if kind == DATETIME:
        raise TypeError(
            f"column {name!r} holds dates, which are not categories; encode it with "
            "TableEncoder, or convert it to text"
        )
    if kind == EMPTY:
        return [], np.zeros(0, dtype=np.int64), len(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        levels = column.cat.categories
    else:
        codes, levels = pd.factorize(column)
    seen = codes >= 0
    counts = np.bincount(codes[seen], minlength=len(levels)).astype(np.int64)
    values = _plain(np.asarray(levels, dtype=object).tolist(), kind)
    order = sorted(np.flatnonzero(counts).tolist(), key=values.__getitem__)
    return [values[i] for i in order], counts[order], int((~seen).sum())


def _plain(values, kind):
    """Return numpy and decimal scalars as values of one plain Python type."""
    if kind == BOOLEAN:
        return [bool(value) for value in values]
    if all(isinstance(value, str) for value in values):
        return [str(value) for value in values]
    if all(isinstance(value, Integral) for value in values):
        return [int(value) for value in values]
    return [float(value) for value in values]


def merged(name, counts_by_client):
    """Add up the counts of one column over clients.

    Parameters
    ----------
    name : str
        The column, for the error.
    counts_by_client : dict of (list, array)
        ``{client: (values, counts)}``; values of one client have one type.

    Returns
    -------
    values : list of bool, int, float or str
        The sorted union, of one type: booleans become integers and integers floats
        where another client has those.
    counts : array of int64 of shape (len(values),)
        Sums over the clients.

    Raises
    ------
    ClientError
        If one client's values are text and another's are numbers.
    """
    total: dict = {}
    owner: dict = {}
    types = set()
    for client, (values, counts) in counts_by_client.items():
        for value, count in zip(values, counts, strict=True):
            total[value] = total.get(value, 0) + int(count)
            types.add(type(value))
        if values:
            owner.setdefault(isinstance(values[0], str), client)
    if len(owner) > 1:
        raise ClientError(
            f"column {name!r} holds text at client {owner[True]!r} and numbers at "
            f"client {owner[False]!r}; convert it to one type at all clients, or "
            "rename it at one of them"
        )
    common = next((t for t in (str, float, int, bool) if t in types), str)
    values = sorted(total)
    counts = np.array([total[value] for value in values], dtype=np.int64)
    return [common(value) for value in values], counts


def coded(column, name, values):
    """Return the position of each row's value in ``values``, or -1.

    Parameters
    ----------
    column : Series
        The column.
    name : str
        Its name, for the error.
    values : list of bool, int, float or str
        The known categories.

    Returns
    -------
    codes : array of int64 of shape (n,)
        Positions; -1 for a missing or unknown value.

    Raises
    ------
    ClientError
        If the column is text and the categories are numbers, or the reverse.
    """
    kind = kind_of(column, name)
    if kind == EMPTY or not values:
        return np.full(len(column), -1)
    text = isinstance(values[0], str)
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = pd.Series(column.cat.categories)
        at = coded(levels, name, values) if len(levels) else np.zeros(0, dtype=int)
        codes = column.cat.codes.to_numpy()
        return np.where(codes >= 0, at[codes], -1)
    if kind == DATETIME or text != (kind == TEXT):
        raise ClientError(
            f"column {name!r} holds {'dates' if kind == DATETIME else kind} and its "
            f"categories are {'text' if text else 'numbers'}; convert it to the type "
            "it had in fit"
        )
    if text:
        return pd.Index(values, dtype=object).get_indexer(
            pd.Index(column.astype(object), dtype=object)
        )
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        observed = column.to_numpy()  # as integers: a float would merge long ids
    else:
        observed = column.astype(object).where(column.notna(), np.nan)
        observed = observed.to_numpy().astype(np.float64)
    numbers = np.asarray(values)
    known = numbers.astype(np.int64) if numbers.dtype.kind == "b" else numbers
    return pd.Index(known).get_indexer(pd.Index(observed))


def shortened(values, limit=10):
    """Return the first values as text, so that a column of ids does not flood it."""
    more = len(values) - limit
    text = ", ".join(repr(value) for value in values[:limit])
    return f"[{text}]" if more <= 0 else f"[{text}, and {more} more]"
