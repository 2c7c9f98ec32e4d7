"""A site's own table, from where its configuration says."""

import os

import pandas as pd

from ..data._pool import values_of
from ..data._reader import read_clients
from ..exceptions import ClientError


def read_table(config):
    r"""Read a site's table and target.

    Parameters
    ----------
    config : SiteConfig
        What the site's file says.

    Returns
    -------
    X : DataFrame of shape (n, d)
        The columns that take part, by their names in the federation.
    y : Series of shape (n,) or DataFrame of shape (n, m)
        The target.

    Raises
    ------
    ClientError
        If the data cannot be read, or lack a column; the text names key and column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfed.sites import DataConfig, SiteConfig, read_table
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory) / "houses.csv"
    ...     _ = path.write_text("m2,price\n70,200\n90,260\n")
    ...     data = DataConfig(csv=path, rename={"m2": "area"})
    ...     X, y = read_table(SiteConfig("north", ("price",), Path(directory), data))
    >>> X.columns.tolist(), y.tolist()
    (['area'], [200, 260])
    """
    data = config.data
    frame = _typed(_read(data), data)
    _need(frame, data.rename, "data.rename")
    clash = [new for new in data.rename.values() if new in frame.columns]
    if clash:
        raise ClientError(f"data.rename gives {clash}, which are columns already")
    if data.index is not None:
        _need(frame, [data.index], "data.index")
        frame = frame.set_index(data.index)
    renamed = frame.rename(columns=data.rename)
    _need(renamed, config.target, "target")
    columns = [data.rename.get(column, column) for column in data.columns]
    if columns:
        _need(renamed, columns, "data.columns")
    else:
        columns = [c for c in renamed.columns if c not in config.target]
    both = [column for column in columns if column in config.target]
    if both:
        raise ClientError(f"data.columns has {both}, which is the target")
    target = list(config.target)
    if data.drop_missing_target:
        renamed = renamed.dropna(subset=target)
    return renamed[columns], renamed[target[0] if len(target) == 1 else target]


def read_site(config):
    """Return a site's table as ``Cohort`` of one client."""
    cohort = read_clients({config.name: read_table(config)})
    # in the dtype that its values have, as the driver takes targets that it is given
    cohort.targets[config.name] = values_of(cohort.targets[config.name])
    return cohort


def _read(data):
    if data.csv is not None:
        options = {
            "dtype": dict.fromkeys(data.types, "str"),
            "sep": data.separator,
            "decimal": data.decimal,
            "encoding": data.encoding,
            "na_values": list(data.missing),
        }
        return _tried(data.csv, lambda path: pd.read_csv(path, **options))
    if data.parquet is not None:
        _imported("pyarrow", "data.parquet")
        return _tried(data.parquet, pd.read_parquet)
    sqlalchemy = _imported("sqlalchemy", "data.sql")
    url = data.url
    if url is None:
        url = os.environ.get(data.url_env)
        if url is None:
            raise ClientError(
                f"data.url_env: the environment variable {data.url_env!r} is not set"
            )
    engine = None
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            return pd.read_sql(sqlalchemy.text(data.sql), connection)
    except (sqlalchemy.exc.SQLAlchemyError, pd.errors.DatabaseError) as error:
        raise ClientError(f"data.sql cannot be read: {error}") from error
    finally:
        if engine is not None:
            engine.dispose()


def _tried(path, read):
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise ClientError(f"{path} cannot be read: {error}") from error


def _imported(name, key):
    try:
        return __import__(name)
    except ImportError as error:
        raise ImportError(
            f"{key} needs the package {name}; install it with pip install "
            "'skfed[sites]'"
        ) from error


def _typed(frame, data):
    _need(frame, data.types, "data.types")
    frame = frame.copy()
    for column, kind in data.types.items():
        try:
            frame[column] = _CASTS[kind](frame[column], data)
        except (TypeError, ValueError) as error:
            raise ClientError(
                f"data.types.{column}: the column is not of type {kind!r}: {error}"
            ) from error
    return frame


def _number(column, data):
    if data.decimal != "." and not pd.api.types.is_numeric_dtype(column):
        column = column.astype("str").str.replace(data.decimal, ".", regex=False)
        column = column.where(column != "nan")
    return pd.to_numeric(column).astype("float64")


def _date(column, data):
    """Return dates; day and month are never guessed."""
    return pd.to_datetime(column, format=data.date_format or "ISO8601")


def _boolean(column, data):
    if column.dtype.kind in "biuf":
        return column.astype("boolean")
    known = {"true": True, "false": False, "1": True, "0": False}
    found = column.astype("str").str.strip().str.lower().map(known)
    strange = column[found.isna() & column.notna()]
    if len(strange):
        raise ValueError(f"it has {strange.iloc[0]!r}")
    return found.astype("boolean")


def _integer(column, data):
    numbers = pd.to_numeric(column)
    return numbers.astype("Int64" if numbers.isna().any() else "int64")


_CASTS = {
    "category": lambda column, data: column.astype("category"),
    "number": _number,
    "integer": _integer,
    "text": lambda column, data: column.astype("str"),
    "boolean": _boolean,
    "date": _date,
}


def _need(frame, columns, key):
    """Refuse columns that are not there."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        error = ClientError(f"{key} names {missing}, which the data lack")
        error.add_note(f"They have {list(frame.columns)}.")  # some of which stay here
        raise error
