"""From costs to the numbers of the table."""

import pandas as pd

from .rows import PLAIN
from .timing import limit
from .whole_fit import PARTS
from .workloads import WORKLOADS

KEYS = ["workload", "row"]


def paired(measured, row, other=PLAIN, what="cpu"):
    """Return a row's cost over another's, as median over repetitions, per workload.

    Parameters
    ----------
    measured : DataFrame
        Of :func:`~benchmarks.speed.timing.interleaved`.
    row, other : str
        The rows to compare; only repetitions that have both count.
    what : str, default="cpu"
        A column.
    """
    index = ["workload", "repetition"]
    a, b = (
        measured[measured["row"] == name].set_index(index)[what]
        for name in (row, other)
    )
    return (a / b).dropna().groupby("workload", sort=False).median()


def summary(measured, peak_rate, peaks=()):
    """Return one line per workload and row.

    Parameters
    ----------
    measured : DataFrame
        Of :func:`~benchmarks.speed.timing.interleaved`.
    peak_rate : float
        Of :func:`~benchmarks.speed.timing.sgemm_peak`, in flop/s.
    peaks : sequence of dict, default=()
        Of :func:`~benchmarks.speed.memory.measure`.

    Returns
    -------
    DataFrame
        ``ratio`` to the plain loop, ``cpu_ms`` and ``wall_ms`` of a round, ``limit``,
        the processor time over that of the round's products at the peak rate,
        ``setup_rounds``, the rest of a fit in rounds, and ``peak_mb``.
    """
    found = measured.groupby(KEYS, sort=False)[["cpu", "wall", "setup_cpu"]].median()
    ratios = pd.concat(
        {row: paired(measured, row) for row in measured["row"].unique()}, names=["row"]
    )
    found["ratio"] = ratios.swaplevel().reindex(found.index)
    floors = [limit(WORKLOADS[name], peak_rate) for name, _ in found.index]
    memory = {(p["workload"], p["row"]): p["peak"] / 1e6 for p in peaks}
    return pd.DataFrame(
        {
            "ratio": found["ratio"],
            "cpu_ms": 1e3 * found["cpu"],
            "wall_ms": 1e3 * found["wall"],
            "limit": found["cpu"] / floors,
            "setup_rounds": found["setup_cpu"] / found["cpu"],
            "peak_mb": [memory.get(key) for key in found.index],
        }
    ).reset_index()


def wide(found):
    """Return one line per row: the ratios per workload, then the rest of the first.

    Parameters
    ----------
    found : DataFrame
        Of :func:`summary`.
    """
    rows, names = found["row"].unique(), found["workload"].unique()
    ratios = found.pivot(index="row", columns="workload", values="ratio")
    table = ratios.loc[rows, names].map("{:.2f}".format)
    first = found[found["workload"] == names[0]].set_index("row").reindex(rows)
    for title, key, text in (
        ("times the limit", "limit", "{:.0f}"),
        ("wall / CPU", "wall_ms", "{:.2f}"),
        ("set-up, rounds", "setup_rounds", "{:.1f}"),
        ("peak MB", "peak_mb", "{:.0f}"),
    ):
        values = first[key] / first["cpu_ms"] if key == "wall_ms" else first[key]
        table[f"{title} ({names[0]})"] = values.astype(float).map(text.format)
    table = table.replace("nan", "")
    return table.rename_axis(index="implementation", columns=None).reset_index()


def scaling_table(measured):
    """Return one line per sweep, point and row of the sweeps' costs.

    Parameters
    ----------
    measured : DataFrame
        Of :func:`~benchmarks.speed.scaling.measure`.
    """
    keys = ["sweep", "x", "row"]
    found = measured.groupby(keys, sort=False)["cpu"].median().rename("cpu_ms") * 1e3
    found = found.reset_index()
    plain = found[found["row"] == PLAIN].set_index(["sweep", "x"])["cpu_ms"]
    at = pd.MultiIndex.from_frame(found[["sweep", "x"]])
    found["ratio"] = found["cpu_ms"] / plain.reindex(at).to_numpy()
    return found


def scaling_wide(found):
    """Return one line per sweep and point: "milliseconds (ratio)" of each row."""
    text = found["cpu_ms"].map("{:.0f}".format) + found["ratio"].map(" ({:.2f})".format)
    table = found.assign(text=text).pivot(
        index=["sweep", "x"], columns="row", values="text"
    )
    table = table.loc[
        list(dict.fromkeys(zip(found["sweep"], found["x"], strict=True))),
        list(found["row"].unique()),
    ]
    return table.fillna("").rename_axis(columns=None).reset_index()


def fits_table(found):
    """Return the lines of :func:`~benchmarks.speed.whole_fit.measure` as text."""
    seconds, shares = ["plain", "default"], [*PARTS, "training in folds"]
    text = {"clients": found["clients"]}
    text |= {f"{key} fit, s": found[key].map("{:.1f}".format) for key in seconds}
    text["default / plain"] = found["ratio"].map("{:.1f}".format)
    text |= {key: (100 * found[key]).map("{:.0f} %".format) for key in shares}
    return pd.DataFrame(text)
