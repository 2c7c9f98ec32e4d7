"""What :class:`TableEncoder` does with all columns of one kind."""

import numpy as np
import pandas as pd

from ..exceptions import ClientError
from ._columns import (
    BOOLEAN,
    DATETIME,
    EMPTY,
    NUMBER,
    as_numbers,
    columns_of,
    datetime_parts,
    kind_of,
)


def is_numeric(frame):
    """Tell whether every column is a numpy array of integers or floats."""
    return all(isinstance(t, np.dtype) and t.kind in "iuf" for t in frame.dtypes)


def finite_array(frame, names):
    """Return a numeric frame as float64 array; infinity raises, by column name."""
    array = frame.to_numpy(np.float64)
    infinite = np.isinf(array)
    if infinite.any():
        j = int(np.argmax(infinite.any(axis=0)))
        as_numbers(frame.iloc[:, j], names[j])
    return array


def as_frame(X, names):
    """Return an array as DataFrame, and a DataFrame as it is."""
    if isinstance(X, pd.DataFrame):
        return X
    return pd.DataFrame(X, columns=pd.Index(names, dtype=object))


def kinds_of(X, names):
    """Return {name: kind} of a client's own columns."""
    if isinstance(X, np.ndarray):
        empty = np.asarray(np.isnan(X).all(axis=0))
        return {v: EMPTY if e else NUMBER for v, e in zip(names, empty, strict=True)}
    return {name: kind_of(column, name) for name, column in columns_of(X, names)}


def chosen(kinds, *wanted):
    """Return the names of the columns of the wanted kinds, in table order."""
    return [name for name, kind in kinds.items() if kind in wanted]


def agreed_kinds(statistics):
    """Return {name: kind} that all clients agree on, sorted by name.

    Booleans at one client and numbers at another are numbers, and a column without
    a value fits to anything.

    Raises
    ------
    ClientError
        If two clients hold other things under one name.
    """
    claims: dict[str, dict] = {}
    for client, message in statistics.items():
        for name, kind in zip(message["columns"], message["kinds"], strict=True):
            claims.setdefault(name, {}).setdefault(kind, client)
    agreed = {}
    for name in sorted(claims):
        kinds = {k: c for k, c in claims[name].items() if k != EMPTY}
        if set(kinds) == {NUMBER, BOOLEAN}:
            agreed[name] = NUMBER
        elif len(kinds) > 1:
            (kind, client), (other, rival) = sorted(kinds.items())[:2]
            raise ClientError(
                f"column {name!r} holds {kind} at client {client!r} and {other} at "
                f"client {rival!r}; convert it to one type at all clients, or rename "
                "it at one of them if it means something else"
            )
        else:
            agreed[name] = next(iter(kinds), EMPTY)
    return agreed


def reportable(X, kinds, min_count):
    """Return the kinds, with booleans as numbers where both values are frequent.

    A boolean may turn out to be numeric once the clients agree; its moments would
    tell how often the rarer value occurs.
    """
    kinds = dict(kinds)
    for name in chosen(kinds, BOOLEAN):
        values = as_numbers(X[name], name)
        if min((values == 0).sum(), (values == 1).sum()) >= min_count:
            kinds[name] = NUMBER
    return kinds


def number_table(X, kinds, parts):
    """Return the numbers, and the parts of dates, as float64 DataFrame.

    Parameters
    ----------
    X : DataFrame or array of float64 of shape (n, d)
        The table.
    kinds : dict of str
        Column name to kind, in table order; other kinds are left out.
    parts : sequence of str
        Parts of a date.

    Returns
    -------
    numbers : DataFrame or None
        None if there is no such column.
    """
    if isinstance(X, np.ndarray):
        wanted = [kind == NUMBER for kind in kinds.values()]
        return as_frame(X[:, wanted], chosen(kinds, NUMBER)) if any(wanted) else None
    out = {}
    for name, kind in kinds.items():
        if kind == NUMBER:
            out[name] = as_numbers(X[name], name)
        elif kind == DATETIME:
            values = datetime_parts(X[name], name, parts)
            out |= {f"{name}={part}": values[:, j] for j, part in enumerate(parts)}
    return pd.DataFrame(out, index=X.index) if out else None


def number_names(transformer, names, kinds, parts):
    """Return the output names of :func:`number_table`, for FunctionTransformer."""
    out = []
    for name in names:
        dated = kinds[name] == DATETIME
        out += [f"{name}={part}" for part in parts] if dated else [name]
    return np.array(out, dtype=object)


def missing_flags(X):
    """Return 1 where a value is missing, else 0."""
    return np.asarray(pd.isna(X), dtype=np.float64)


def missing_names(transformer, names):
    """Return the output names of :func:`missing_flags`, for FunctionTransformer."""
    return np.array([f"{name}=missing" for name in names], dtype=object)
