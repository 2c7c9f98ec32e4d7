"""The figure: ratios per workload, and time over the number of clients."""

from .rows import PLAIN
from .scaling import CLIENTS

# of Okabe and Ito, told apart with any colour vision and in print
COLOURS = "#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#0072B2", "#CC79A7"
TICKS = 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50
MARKS = "osDv^P*XhH"


def draw(found, path, scaled=None):
    """Write the figure.

    Parameters
    ----------
    found : DataFrame
        Of :func:`~benchmarks.speed.summary.summary`.
    path : Path
        Where to.
    scaled : DataFrame, default=None
        Of :func:`~benchmarks.speed.summary.scaling_table`, for a second panel.
    """
    from matplotlib.figure import Figure

    n = 1 if scaled is None else 2
    figure = Figure(figsize=(1.6 + 3.7 * n, 3.2), layout="constrained")
    axes = figure.subplots(1, n, squeeze=False)[0]
    styles = _styles(found["row"].unique())
    _ratios(axes[0], found, styles)
    if scaled is not None:
        _clients(axes[1], scaled[scaled["sweep"] == CLIENTS], styles)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside center right", fontsize=7
    )
    figure.savefig(path, dpi=110)


def _styles(rows):
    """Return ``{row: (colour, mark)}``."""
    return {
        row: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)])
        for i, row in enumerate(rows)
    }


def _ratios(axis, found, styles):
    from matplotlib.ticker import FixedLocator, NullLocator

    names = list(found["workload"].unique())
    for row, lines in found.groupby("row", sort=False):
        colour, mark = styles[row]
        at = [names.index(name) for name in lines["workload"]]
        line = "-" if row == PLAIN else ""
        axis.plot(at, lines["ratio"], mark + line, color=colour, label=row, ms=5)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(FixedLocator(TICKS))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_xticks(range(len(names)), names)
    axis.set_xlim(-0.4, len(names) - 0.6)
    axis.set_ylabel(f"CPU per round / {PLAIN}")


def _clients(axis, scaled, styles):
    for row, lines in scaled.groupby("row", sort=False):
        colour, mark = styles.get(row, ("#000000", "."))
        axis.plot(lines["x"], lines["cpu_ms"], mark + "-", color=colour, ms=5)
    axis.set(xscale="log", yscale="log", xlabel="clients, 40,000 rows in all")
    axis.set_ylabel("CPU per round, ms")
