"""Tables and figures of the page of findings, as files."""

from pathlib import Path

import pandas as pd

from .methods import BASE, METHODS
from .plots import draw
from .summary import overall
from .verdict import verdicts

COLUMNS = {
    "cell": "cell",
    "local": "local",
    "local boosting": "boosting",
    "pooled reference": "pooled",
    "multitask": "multi-task",
    "FedAvg union": "union",
    "FedAvg auto": "FedAvg",
    "default": "default",
    "difference": "gain",
    "low": "from",
    "high": "to",
    "won": "won",
    "hurt": "hurt",
    "worst": "worst",
    "gap_closed": "gap closed",
    "cost": "cost",
}
SIGNED = ("gain", "from", "to", "worst")
NOTHING = "no column in common"
SHARES = ("won", "hurt", "gap closed")


def write(folder, summary, table, units):
    """Write everything into a folder and return the paths.

    Parameters
    ----------
    folder : Path
        Made if need be.
    summary, table, units : DataFrame
        One row per cell; per cell and method; per cell, method and client.
    """
    folder = Path(folder)
    found = draw(summary, folder)
    parts = {group: of_cells(rows) for group, rows in summary.groupby("group")}
    parts["promises"] = verdicts(summary, units)
    parts["methods"] = of_methods(overall(table[of_base(table)], units[of_base(units)]))
    everywhere = by_difference(table, units)
    if not everywhere.empty:
        parts["all_methods"] = everywhere
    for name, part in parts.items():
        path = folder / f"{name}.csv"
        part.to_csv(path, index=False)
        found.append(path)
    return found


def of_cells(cells):
    """Return the readable columns of some cells, numbers as text."""
    references = [name for name in ("pooled", "pooled boosting") if name in cells]
    cells = cells.assign(**{"pooled reference": cells[references].max(axis=1)})
    kept = {name: title for name, title in COLUMNS.items() if name in cells}
    return _as_text(cells[list(kept)].rename(columns=kept))


def of_base(table):
    """Return which rows are of the methods that every cell has."""
    return table["method"].isin(BASE)


def by_difference(table, units):
    """Return one row per method, and its mean gain by kind of difference, as text.

    Over the cells that all methods were asked for; a blank is a kind of which a method
    refuses a cell. Empty if there is no such cell.
    """
    asked = table.loc[~of_base(table), "cell"].unique()
    table = table[table["cell"].isin(asked)]
    if table.empty:
        return table
    kind = table["dial"].where(table["group"] != "full", table["data"])
    kind = kind.replace({"overlap 0": NOTHING, "linear maps": NOTHING})
    n_cells = table.groupby(kind, sort=False)["cell"].nunique()
    by_kind = table.groupby(["method", kind], sort=False)["difference"]
    complete = by_kind.count().unstack(fill_value=0).eq(n_cells, axis="columns")
    mean = by_kind.mean().unstack().where(complete)[n_cells.index]
    mean["mean"] = mean.mul(n_cells).sum(axis=1, skipna=False) / n_cells.sum()
    clients = units[units["cell"].isin(asked)].groupby("method", sort=False)
    mean["hurt"] = clients["hurt"].mean()
    order = [name for name in METHODS if name in mean.index]
    shown = mean.loc[order].rename(columns={"overlap 0.5": "half the columns"})
    return _as_text(shown.reset_index(), shown.columns.drop("hurt"))


def of_methods(methods):
    """Return one row per method, numbers as text."""
    methods = methods.rename(columns={"difference": "gain", "default": "default there"})
    return _as_text(methods.reset_index(), ("gain", "default there", "worst"))


def _as_text(frame, signed=SIGNED):
    out = {}
    for name, column in frame.items():
        if not pd.api.types.is_float_dtype(column):
            out[name] = column
            continue
        share = name in (*SHARES, "above 0", "below 0")
        form = "{:.0%}" if share else "{:+.3f}" if name in signed else "{:.3f}"
        form = "{:.1f}" if name in ("cost", "seconds") else form
        said = [form.format(v) if pd.notna(v) else "" for v in column]
        out[name] = [
            "< −10" if v < -10 else t for v, t in zip(column, said, strict=True)
        ]
    return pd.DataFrame(out)
