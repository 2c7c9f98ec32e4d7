"""Give columns that mean the same one name at all clients."""

import pandas as pd

from ..exceptions import ClientError
from ._client_data import ClientData
from ._match_columns import conflicts_of, groups_of, names_of, tables_of
from ._pool import is_pair
from ._tables import column_names, is_polars


def rename_columns(clients, matches):
    """Give the columns of confirmed matches one name at all clients.

    Parameters
    ----------
    clients : dict, list or ClientData
        As for :func:`match_columns`.
    matches : DataFrame
        The rows of its result that hold; ``column_a`` and ``column_b`` are used.

    Returns
    -------
    dict, list or ClientData
        The same clients, in the form given; the tables given stay as they are. Matched
        columns bear the name that most clients have, of equally many the longest, of
        equally long ones the first in the alphabet; at all clients, so that equal names
        stay equal.

    Raises
    ------
    ClientError
        If a column is unknown, or if two columns of one client would be merged.

    See Also
    --------
    match_columns : Proposes the matches.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.data import match_columns, rename_columns
    >>> clients = {
    ...     "boston": pd.DataFrame({"sqft": [900], "rooms": [3]}),
    ...     "ames": pd.DataFrame({"square_feet": [1100], "rooms": [4]}),
    ... }
    >>> matches = match_columns(clients)
    >>> rename_columns(clients, matches[matches["conflict"] == ""])["boston"]
       square_feet  rooms
    0          900      3
    """
    columns = {name: names_of(name, t) for name, t in tables_of(clients).items()}
    missing = [c for c in ("column_a", "column_b") if c not in matches]
    if missing:
        raise ClientError(f"matches has no column {missing}; see match_columns")
    known = set().union(*columns.values())
    unknown = {*matches["column_a"], *matches["column_b"]} - known
    if unknown:
        raise ClientError(
            f"matches name columns {sorted(unknown, key=str)}, which no client has"
        )
    conflicts = sorted({text for text in conflicts_of(matches, columns) if text})
    if conflicts:
        raise ClientError(
            f"{'; '.join(conflicts)}. Leave out matches that do not hold; the column "
            "'conflict' of match_columns says which are concerned"
        )
    new_name: dict[str, str] = {}
    for group in groups_of(matches):

        def rank(name):
            owners = sum(name in own for own in columns.values())
            return -owners, -len(name), name

        new_name |= dict.fromkeys(group, min(group, key=rank))
    if isinstance(clients, ClientData):
        tables = {k: _renamed(t, new_name) for k, t in clients.tables.items()}
        return ClientData(tables, clients.code, clients.row)
    if isinstance(clients, dict):
        return {name: _renamed(item, new_name) for name, item in clients.items()}
    return [_renamed(item, new_name) for item in clients]


def _renamed(item, new_name):
    """Return a client's table, or pair of table and target, with the new names."""
    if is_pair(item):
        return (_renamed(item[0], new_name), item[1])
    if isinstance(item, list | tuple):
        return [new_name.get(name, name) for name in item]
    names = [new_name.get(name, name) for name in column_names(item)]
    if is_polars(item):
        return item.rename(dict(zip(item.columns, names, strict=True)))
    old = zip(item.columns, column_names(item), names, strict=True)
    frame = item.copy(deep=False)
    frame.columns = pd.Index(
        [label if name == new else new for label, name, new in old],
        name=item.columns.name,
    )
    return frame
