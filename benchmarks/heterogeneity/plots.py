"""Figures: gain over local against overlap and n, and dial by dial."""

import numpy as np


def draw(cells, folder):
    """Write the figures into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    grid = cells[cells["group"] == "overlap"]
    dials = cells[(cells["group"] == "dial") | _reference(cells)]
    real = cells[cells["group"].isin(["full", "newcomer"])]
    for name, rows, figure in (
        ("phase_diagrams", grid, phase_diagrams),
        ("dials", dials, bars),
        ("real", real, bars),
    ):
        if len(rows):
            path = folder / f"{name}.png"
            made = figure(rows)
            made.savefig(path, dpi=150, bbox_inches="tight")
            found.append(path)
    return found


def _reference(cells):
    """Return the cells with no dial turned, beside those with one."""
    return (cells["group"] == "overlap") & (cells["overlap"] == 1) & (cells["n"] == 50)


def phase_diagrams(cells):
    """Return one heat map per data set: gain over local, overlap against n."""
    from matplotlib.figure import Figure

    names = list(cells["data"].unique())
    figure = Figure(figsize=(3.4 * min(3, len(names)), 2.9 * -(-len(names) // 3)))
    axes = figure.subplots(-(-len(names) // 3), min(3, len(names)), squeeze=False)
    figure.subplots_adjust(hspace=0.45, wspace=0.3)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        wide = cells[cells["data"] == name].pivot(
            index="overlap", columns="n", values="difference"
        )
        limit = max(0.02, float(np.nanmax(np.abs(wide.to_numpy()))))
        axis.imshow(wide, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
        for i, j in np.ndindex(wide.shape):
            value = wide.iloc[i, j]
            if np.isfinite(value):
                shade = "white" if abs(value) > 0.6 * limit else "black"
                axis.text(
                    j, i, f"{value:+.3f}", ha="center", va="center", fontsize=8,
                    color=shade,
                )  # fmt: skip
        axis.set_xticks(range(wide.shape[1]), [f"{n:g}" for n in wide.columns])
        axis.set_yticks(range(wide.shape[0]), [f"{s:g}" for s in wide.index])
        axis.set(title=name, xlabel="rows of a client", ylabel="share of columns")
    return figure


def bars(cells):
    """Return one panel per data set: gain of each cell with its 95 % interval."""
    from matplotlib.figure import Figure

    names = list(cells["data"].unique())
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    most = cells.groupby("data").size().max()
    size = 4.2 * n_columns, (1.1 + 0.28 * most) * n_rows
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        rows = cells[cells["data"] == name].iloc[::-1]
        place = np.arange(len(rows))
        colours = np.where(rows["high"] < 0, "tab:red", "tab:gray")
        colours = np.where(rows["low"] > 0, "tab:blue", colours)
        error = rows["difference"] - rows["low"]
        axis.barh(place, rows["difference"], color=colours)
        axis.errorbar(
            rows["difference"], place, xerr=error, fmt="none", ecolor="black", capsize=2
        )
        labels = [cell.split(", ", 1)[1] for cell in rows["cell"]]
        axis.set_yticks(place, labels, fontsize=8)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set(title=name, xlabel="gain over local")
    return figure
