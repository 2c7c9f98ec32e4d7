"""The one function that reads every form in which clients' tables are given."""

from dataclasses import dataclass, field

import numpy as np

from ..exceptions import ClientError
from ._client_data import ClientData
from ._pool import concatenate_targets, is_pair, split_pairs
from ._table_path import TablePath
from ._tables import as_table, column_names, is_table, n_rows, plain_name
from ._wide_target import as_array, target_columns


@dataclass(frozen=True)
class Cohort:
    """Clients' tables and targets by name, and the way back to the caller's form.

    Attributes
    ----------
    tables : dict
        ``{name: table}`` in the caller's order; clients without rows included. A
        :class:`TablePath` where the table is read by the client.
    targets : dict or None
        ``{name: array}``, or None when no target was given. None for a path.
    form : str
        "list", "dict", "flat" (container, client column, ``clients=``) or "plain"
        (one table).
    rows : dict
        For "flat" the positions of each client's rows in the caller's order.
    n : int
        Number of rows of all clients, as far as they are here.
    shared_columns : bool, default=False
        Whether the tables were cut from one at prediction, so that they hold the
        columns of all clients and each still has to take its own.
    target_columns : dict, default={}
        ``{client: names}`` of targets that are tables.
    """

    tables: dict
    targets: dict | None
    form: str
    rows: dict
    n: int
    shared_columns: bool = False
    target_columns: dict = field(default_factory=dict)

    def pairs(self):
        """Return the clients as they can be given again, ``{name: pair or path}``."""
        targets = {} if self.targets is None else self.targets
        return {
            name: table if targets.get(name) is None else (table, targets[name])
            for name, table in self.tables.items()
        }

    def restore(self, results):
        """Return per-client results in the caller's form and order."""
        if self.form == "list":
            return [results[name] for name in self.tables]
        if self.form == "dict":
            return {name: results[name] for name in self.tables}
        if self.form == "plain":
            return next(iter(results.values()))
        stacked = concatenate_targets({n: results[n] for n in self.rows}, mixed=True)
        order = np.concatenate(list(self.rows.values()))
        restored = np.empty_like(stacked)
        restored[order] = stacked
        return restored

    def flat(self):
        """Return ``(X, y)`` as scikit-learn's tools want them; None for paths."""
        if any(isinstance(table, TablePath) for table in self.tables.values()):
            return None, None
        if self.form == "plain":
            (name,) = self.tables
            return self.tables[name], None if self.targets is None else self.targets[
                name
            ]
        if self.form == "flat":
            X = ClientData(self.tables, *self._places())
        else:
            X = ClientData(self.tables)
        if self.targets is None:
            return X, None
        y = concatenate_targets(self.targets, mixed=True)
        start = np.cumsum([0, *(len(t) for t in self.targets.values())])[:-1]
        return X, y[start[X.code] + X.row]

    def _places(self):
        code, row = np.empty(self.n, dtype=np.intp), np.empty(self.n, dtype=np.intp)
        for k, where in enumerate(self.rows.values()):
            code[where], row[where] = k, np.arange(len(where))
        return code, row


def read_clients(X, y=None, *, clients=None, client_column=None, known=None):
    """Read clients' tables and targets in any of the supported forms.

    Parameters
    ----------
    X : list, dict, ClientData, DataFrame or array
        A list or dict of pairs ``(X_k, y_k)`` or :class:`TablePath` or, with ``y`` of
        the same kind or None, of tables; a :class:`ClientData`; one DataFrame with a
        client column; one table with ``clients=``; one plain table, which is a single
        client.
    y : array, list or dict, default=None
        The target, flat for the flat forms.
    clients : array of shape (n,) or a client name, default=None
        The client of each row of ``X``.
    client_column : str, default=None
        Column of a DataFrame that names the client.
    known : sequence, default=None
        Client names of a fitted estimator, at prediction. Paths are read then.

    Returns
    -------
    cohort : Cohort
        The tables by client.

    Raises
    ------
    ClientError
        If the form is not understood; the text names the client and the remedy.
    """
    if clients is not None:
        return _read_groups(X, y, clients, known)
    if isinstance(X, ClientData):
        return _from_container(X, y)
    if isinstance(X, dict) and not hasattr(X, "shape"):  # scipy has dict arrays
        return _read_mapping("dict", X, y, known)
    if isinstance(X, list | tuple) and _holds_clients(X, y):
        return _read_list(X, y, known)
    if not hasattr(X, "shape") and hasattr(X, "__array__"):
        X = np.asarray(X)
    if not is_table(X):
        if np.ndim(X) == 1 and not isinstance(X, list | tuple | str):
            raise ClientError(
                "Expected 2D array, got 1D array instead. Reshape your data: give a "
                "table of shape (n, d), a list or dict of (X, y) pairs or ClientData"
            )
        raise ClientError(
            f"cannot read clients from {type(X).__name__}: give a list or dict of "
            "(X, y) pairs, ClientData, a DataFrame with a client column or one table"
        )
    named = column_names(X)
    if client_column is not None and named is not None and client_column in named:
        data = ClientData.from_frame(X, client_column, drop_absent=known is None)
        return _from_container(data, y, shared_columns=known is not None)
    if client_column is not None and (known is None or len(known) > 1):
        raise ClientError(
            f"there is no client column {client_column!r}; the columns are {named}"
        )
    return _read_plain(X, y, known)


def _holds_clients(X, y):
    """Tell a list of clients from a table given as nested lists."""
    if not len(X):
        raise ClientError("the list of clients is empty; give at least one (X, y) pair")
    if y is None and all(is_pair(item) for item in X):
        return True
    if any(isinstance(item, TablePath) for item in X):
        return True
    return any(is_table(item) for item in X) or (y is None and not is_table(X))


def _read_list(X, y, known):
    if known is not None and list(known) != list(range(len(X))):
        raise ClientError(
            f"a list of {len(X)} tables cannot be matched with the fitted clients "
            f"{list(known)}; give a dict by client name, or pool() the clients before "
            "cross-validation"
        )
    pairs = dict(enumerate(X))
    if y is not None:
        if not isinstance(y, list | tuple) or len(y) != len(X):
            raise ClientError(
                f"{len(X)} tables need a list of {len(X)} targets, one per client"
            )
        y = dict(enumerate(y))
    return _read_mapping("list", pairs, y, known)


def _read_mapping(form, X, y, known):
    X = {plain_name(name): item for name, item in X.items()}
    if not X:
        raise ClientError("the dict of clients is empty; give at least one (X, y) pair")
    if any(isinstance(item, TablePath) for item in X.values()):
        return _read_paths(form, X, y, known)
    if y is None:
        paired = [is_pair(item) for item in X.values()]
        if not any(paired) and all(is_table(item) for item in X.values()):
            tables = {k: as_table(t) for k, t in X.items()}
            n = sum(n_rows(table) for table in tables.values())
            return Cohort(tables, None, form, {}, n)
    else:
        if not isinstance(y, dict) or set(map(plain_name, y)) != set(X):
            raise ClientError(
                f"tables of clients {list(X)} need a dict of targets with these names"
            )
        y = {plain_name(name): target for name, target in y.items()}
        X = {name: (X[name], y[name]) for name in X}
    tables, targets = split_pairs(X)
    n = sum(n_rows(table) for table in tables.values())
    columns = target_columns({name: pair[1] for name, pair in X.items()})
    return Cohort(tables, targets, form, {}, n, target_columns=columns)


def _read_paths(form, X, y, known):
    """Read clients of which some are paths; at prediction, the files as well."""
    if y is not None:
        raise ClientError(
            "a TablePath names its target itself: give pairs (X_k, y_k) for the other "
            "clients, and leave out y"
        )
    if known is not None:
        return _read_mapping(
            form, {n: _loaded(item) for n, item in X.items()}, y, known
        )
    pairs = {n: item for n, item in X.items() if not isinstance(item, TablePath)}
    tables, targets = split_pairs(pairs)
    n = sum(n_rows(table) for table in tables.values())
    columns = target_columns({name: pair[1] for name, pair in pairs.items()})
    for name, item in X.items():
        if name in pairs:
            continue
        if not item.target_columns:
            raise ClientError(
                f"client {name!r} is {item!r}; say which column is target"
            )
        tables[name], targets[name] = item, None
        if len(item.target_columns) > 1:
            columns[name] = item.target_columns
    tables = {name: tables[name] for name in X}
    return Cohort(tables, targets, form, {}, n, target_columns=columns)


def _loaded(item):
    if not isinstance(item, TablePath):
        return item
    table, target = item.load()
    return table if target is None else (table, target)


def _from_container(X, y, shared_columns=False):
    if y is not None:
        y = as_array(y)
        if len(y) != len(X):
            raise ClientError(f"X has {len(X)} rows but y has {len(y)}")
    tables: dict = {}
    targets: dict = {}
    rows: dict = {}
    for name, where, table in X.items():
        tables[name], rows[name] = table, where
        if y is not None:
            targets[name] = y[where]
    if not tables:
        raise ClientError("ClientData has no rows")
    given = None if y is None else targets
    return Cohort(tables, given, "flat", rows, len(X), shared_columns)


def _read_groups(X, y, clients, known):
    if not is_table(X):
        raise ClientError("clients= goes with one table (array or DataFrame) as X")
    X = as_table(X)
    if isinstance(clients, str) or np.ndim(clients) == 0:
        clients = np.full(n_rows(X), clients, dtype=object)
    data = ClientData.from_groups(X, clients, drop_absent=known is None)
    return _from_container(data, y, shared_columns=known is not None)


def _read_plain(X, y, known):
    X = as_table(X)
    if known is not None and len(known) != 1:
        raise ClientError(
            f"one plain table given to an estimator fitted on {len(known)} clients; "
            "give a list or dict of tables, ClientData, a DataFrame with the "
            "client column, or say whose rows these are with clients="
        )
    name = 0 if known is None else next(iter(known))
    targets = None if y is None else {name: y}
    return Cohort({name: X}, targets, "plain", {}, n_rows(X))
