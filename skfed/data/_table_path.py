"""A client's table that is read where the client works."""

from pathlib import PurePath

import pandas as pd

from ..exceptions import ClientError
from ._tables import is_polars, is_table

# by the end of the name, without what compresses it
READERS = {
    ".csv": pd.read_csv,
    ".tsv": pd.read_table,
    ".parquet": pd.read_parquet,
    ".pq": pd.read_parquet,
    ".feather": pd.read_feather,
    ".json": pd.read_json,
}
COMPRESSED = (".gz", ".bz2", ".zip", ".xz", ".zst")


class TablePath:
    """A client's table and target by the path of a file, in place of a pair (X, y).

    It is read where the client works: on a worker of
    :class:`~skfed.federation.DaskFederation`, so that the process that calls ``fit``
    never holds the rows. Other federations of this machine read it at the start of
    ``fit``. In ``predict``, ``score`` and ``add_client`` it is read by the caller.

    Parameters
    ----------
    path : str, os.PathLike or list
        What the reader takes: a file, a folder, an address, a pattern. A relative path
        is relative to the folder in which the worker runs.
    target : str or list of str, default=None
        The column to predict, or several. None is a table without target, to predict
        for.
    reader : callable, default=None
        ``reader(path, **options)`` returns a pandas, polars or Dask DataFrame, such as
        ``dask.dataframe.read_parquet``. It has to be importable at the worker. None
        takes pandas' reader for the end of the name: csv, tsv, parquet, feather or
        json.
    **options : dict
        Further parameters of the reader.

    Raises
    ------
    ClientError
        In :meth:`load`, if the file cannot be read or lacks the target.

    See Also
    --------
    skfed.federation.DaskFederation : Runs clients on workers.

    Examples
    --------
    >>> import os, tempfile
    >>> import pandas as pd
    >>> from skfed.data import TablePath
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "ward.csv")
    >>> pd.DataFrame({"age": [51, 68], "ill": [0, 1]}).to_csv(path, index=False)
    >>> X, y = TablePath(path, "ill").load()
    >>> X.columns.tolist(), y.tolist()
    (['age'], [0, 1])
    >>> folder.cleanup()
    """

    def __init__(self, path, target=None, *, reader=None, **options):
        self.path, self.target = path, target
        self.reader, self.options = reader, options

    def __repr__(self):
        return f"TablePath({self.path!r}, {self.target!r})"

    @property
    def target_columns(self):
        """Names of the columns to predict, empty without one."""
        if self.target is None:
            return []
        several = isinstance(self.target, list | tuple)
        return list(self.target) if several else [self.target]

    def load(self):
        """Read the file.

        Returns
        -------
        X : DataFrame of shape (n, d)
            All columns but the target.
        y : Series of shape (n,), DataFrame of shape (n, m) or None
            The target.
        """
        frame = self._frame()
        wanted = self.target_columns
        missing = [name for name in wanted if name not in frame.columns]
        if missing:
            raise ClientError(
                f"{self.path!r} lacks the target {missing}; its columns are "
                f"{list(frame.columns)[:20]}"
            )
        if not wanted:
            return frame, None
        rest = frame.drop(wanted) if is_polars(frame) else frame.drop(columns=wanted)
        return rest, frame[wanted[0] if len(wanted) == 1 else wanted]

    def _frame(self):
        reader = self.reader or _reader_of(self.path)
        try:
            frame = reader(self.path, **self.options)
            if hasattr(frame, "compute"):  # on this worker, not on all of them
                frame = frame.compute(scheduler="synchronous")
        except Exception as error:
            raise ClientError(
                f"cannot read {self.path!r}: {type(error).__name__}: {error}"
            ) from error
        if not is_table(frame) or not hasattr(frame, "columns"):
            raise ClientError(
                f"the reader of {self.path!r} returned {type(frame).__name__}; it has "
                "to return a DataFrame"
            )
        return frame


def _reader_of(path):
    """Return pandas' reader for the end of a name."""
    first = path[0] if isinstance(path, list | tuple) and path else path
    ends = [end.lower() for end in PurePath(str(first)).suffixes]
    if ends and ends[-1] in COMPRESSED:
        ends.pop()
    reader = READERS.get(ends[-1]) if ends else None
    if reader is None:
        raise ClientError(
            f"cannot tell how to read {path!r}: its name ends in none of "
            f"{', '.join(READERS)}; give reader=, such as pandas.read_csv"
        )
    return reader
