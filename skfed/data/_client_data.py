"""All clients' rows as one container that passes through scikit-learn."""

import copy

import numpy as np

from ..exceptions import ClientError
from ._tables import as_table, is_polars, is_table, n_rows, plain_name, take, to_frame


class ClientData:
    """Rows of many clients' tables, indexable like one one-dimensional array.

    scikit-learn's splitters, searches and scorers ask of ``X`` only a length and
    ``X[rows]``. This container answers both while each row keeps its client, and
    each client its own columns and dtypes. Tables are shared by all subsets, never
    copied. Rows are interleaved: contiguous folds, as made by ``cv=5``, hold the
    same share of every client to within one row.

    Parameters
    ----------
    tables : dict or list of tables
        ``{client name: table}``; a list names its clients 0, 1, .... A table is an
        array, a scipy sparse matrix, a pandas or polars DataFrame of shape
        (n_k, d_k). Column sets may differ between clients.
    code : int array of shape (n,), default=None
        For each row, the position of its client in ``tables``. None interleaves
        all rows.
    row : int array of shape (n,), default=None
        For each row, its row number in the client's table; goes with ``code``.

    Attributes
    ----------
    tables : dict
        The tables by client name.
    names : tuple
        Client names in table order.
    code, row : int arrays of shape (n,)
        Client position and table row of every row.

    Raises
    ------
    ClientError
        If a table is not two-dimensional or there is none, or a row's place does not
        exist.

    See Also
    --------
    pool : Build the container and the flat target from ``(X, y)`` pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.data import ClientData
    >>> X = ClientData({"a": np.zeros((2, 3)), "b": np.ones((4, 5))})
    >>> X.shape
    (6,)
    >>> X.client.tolist()
    ['b', 'a', 'b', 'b', 'a', 'b']
    >>> X[[0, 1]]
    ClientData(2 rows: a 1, b 1)
    """

    __iter__ = None

    def __init__(self, tables, code=None, row=None):
        if not isinstance(tables, dict):
            tables = dict(enumerate(tables))
        self.tables = {plain_name(k): as_table(t) for k, t in tables.items()}
        if not self.tables:
            raise ClientError("ClientData needs at least one client's table")
        for name, table in self.tables.items():
            if not is_table(table):
                raise ClientError(
                    f"the table of client {name!r} is a {type(table).__name__} that is "
                    "not two-dimensional; give an array or a DataFrame of shape (n, d)"
                )
        if (code is None) != (row is None):
            raise ValueError("code and row go together: give both or neither")
        self.names = tuple(self.tables)
        sizes = np.array([n_rows(t) for t in self.tables.values()])
        if code is None:
            code, row = self._interleaved(sizes)
        self.code, self.row = np.asarray(code), np.asarray(row)
        self._check_places(sizes)

    def _check_places(self, sizes):
        """Raise unless every row has a client, and a place in its table."""
        code, row = self.code, self.row
        if code.ndim != 1 or code.shape != row.shape:
            raise ClientError(
                f"code has shape {code.shape} and row {row.shape}; give one of each "
                "for every row"
            )
        if not len(code):
            self.code, self.row = code.astype(np.intp), row.astype(np.intp)
            return
        if code.dtype.kind not in "iu" or row.dtype.kind not in "iu":
            raise ClientError(
                f"code has dtype {code.dtype} and row {row.dtype}; give integers"
            )
        if code.min() < 0 or code.max() >= len(sizes):
            raise ClientError(
                f"code has values from {code.min()} to {code.max()}; with "
                f"{len(sizes)} tables they go from 0 to {len(sizes) - 1}"
            )
        beyond = np.flatnonzero((row < 0) | (row >= sizes[code]))
        if len(beyond):
            first = beyond[0]
            raise ClientError(
                f"row {row[first]} does not exist in the table of client "
                f"{self.names[code[first]]!r}, which has {sizes[code[first]]} rows"
            )

    def _interleaved(self, sizes):
        code = np.repeat(np.arange(len(sizes)), sizes)
        row = np.concatenate([np.arange(n) for n in sizes])
        order = np.argsort((row + 0.5) / np.repeat(sizes, sizes), kind="stable")
        return code[order], row[order]

    @classmethod
    def from_frame(cls, frame, client_column, drop_absent=True):
        """Split one DataFrame by its client column.

        Parameters
        ----------
        frame : pandas or polars DataFrame of shape (n, d + 1)
            All clients' rows; columns that a client lacks are missing there.
        client_column : str
            The column with the client names.
        drop_absent : bool, default=True
            Whether a column that is entirely missing in a client's rows is taken
            as one that the client does not have.

        Returns
        -------
        data : ClientData
            Rows in the order of the frame.

        Raises
        ------
        ClientError
            If the column is unknown or a row has no client.
        """
        frame = to_frame(frame)
        if client_column not in frame.columns:
            raise ClientError(
                f"there is no client column {client_column!r}; the columns are "
                f"{list(frame.columns)}"
            )
        rest = frame.drop(columns=client_column)
        return cls.from_groups(rest, frame[client_column], drop_absent)

    @classmethod
    def from_groups(cls, table, clients, drop_absent=True):
        """Split one table by an array that names each row's client.

        Parameters
        ----------
        table : array or DataFrame of shape (n, d)
            All clients' rows.
        clients : array of shape (n,)
            The client of each row.
        drop_absent : bool, default=True
            As in :meth:`from_frame`; arrays keep all their columns.

        Returns
        -------
        data : ClientData
            Rows in the order of the table.

        Raises
        ------
        ClientError
            If lengths differ or a row has no client.
        """
        import pandas as pd

        table = to_frame(table) if is_polars(table) else table
        clients = pd.Series(np.asarray(clients, dtype=object))
        if len(clients) != n_rows(table):
            raise ClientError(
                f"{len(clients)} client names for {n_rows(table)} rows; give one each"
            )
        if clients.isna().any():
            first = int(np.flatnonzero(clients.isna())[0])
            raise ClientError(f"row {first} has no client name; fill or drop such rows")
        code, names = pd.factorize(clients)
        row = np.empty(len(code), dtype=np.intp)
        tables = {}
        for k, name in enumerate(names):
            where = np.flatnonzero(code == k)
            row[where] = np.arange(len(where))
            part = take(table, where)
            tables[plain_name(name)] = _drop_absent(part) if drop_absent else part
        return cls(tables, code, row)

    def __len__(self):
        return len(self.code)

    @property
    def shape(self):
        """Shape of the container, ``(n,)``."""
        return (len(self.code),)

    @property
    def client(self):
        """Client name of every row, object array of shape (n,); fits ``groups=``."""
        names = np.empty(len(self.names), dtype=object)
        names[:] = self.names
        return names[self.code]

    def __getitem__(self, key):
        if isinstance(key, tuple):  # scikit-learn asks X[key, ...]
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError("ClientData is indexed by rows only")
            key = key[0]
        rows = np.atleast_1d(np.arange(len(self))[key])
        return self._subset(rows)

    def _subset(self, rows):
        """Return some rows, of known places, over the same tables."""
        subset = copy.copy(self)
        subset.code, subset.row = self.code[rows], self.row[rows]
        return subset

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "ClientData holds tables with different columns and cannot become one "
            "array; put per-client steps into the `aligner` (or `encoder`) parameter"
        )

    def items(self):
        """Iterate over the clients that have rows, in table order.

        Yields
        ------
        name : hashable
            The client's name.
        where : int array of shape (n_k,)
            Positions of its rows in the container.
        table : table of shape (n_k, d_k)
            These rows, in the class of the client's table.
        """
        for code, name in enumerate(self.names):
            where = np.flatnonzero(self.code == code)
            if len(where):
                yield name, where, take(self.tables[name], self.row[where])

    def __repr__(self):
        counts = np.bincount(self.code, minlength=len(self.names))
        parts = [f"{n} {c}" for n, c in zip(self.names, counts, strict=True) if c]
        shown = ", ".join(parts[:6]) + (", ..." if len(parts) > 6 else "")
        return f"ClientData({len(self)} rows: {shown})"


def _drop_absent(table):
    """Leave out the columns of a frame that are missing in all its rows."""
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or not len(table):
        return table
    return table.loc[:, table.notna().any().to_numpy()]
