"""The sweeps: more clients of fewer rows, more columns, and more of both."""

from .timing import interleaved
from .workloads import FEW, MANY, by_clients, by_features, growing

CLIENTS, FEATURES, GROWTH = "clients", "features", "clients of 4 rows"


def sweeps():
    """Return ``{sweep: {x: workload}}``.

    The last has one point; the largest of the first is the other one.
    """
    return {
        CLIENTS: by_clients(),
        FEATURES: by_features(),
        GROWTH: growing((FEW,)),
    }


def measure(rows, repeats, say=lambda text: None):
    """Measure rows over all sweeps.

    Parameters
    ----------
    rows : dict
        ``{name: Row}``, the plain loop among them.
    repeats : int
        Repetitions.
    say : callable, default=lambda text: None
        Told what goes on.

    Returns
    -------
    measured : list of dict
        As of :func:`~benchmarks.speed.timing.interleaved`, with ``sweep`` and ``x``.
    """
    return [
        {"sweep": sweep, "x": x, **line}
        for sweep, points in sweeps().items()
        for x, workload in points.items()
        for line in interleaved(rows, workload, repeats, say)
    ]


def growth(table, row):
    """Return the time per row and client at many clients over that at few.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~benchmarks.speed.summary.scaling_table`.
    row : str
        Its name.
    """
    cpu = table[table["row"] == row].set_index(["sweep", "x"])["cpu_ms"]
    return cpu[CLIENTS, MANY] / cpu[GROWTH, FEW] * FEW / MANY
