"""The bars: what each number must stay under or reach, and whether it does."""

import pandas as pd

from . import engines
from .memory import MANY_ROUNDS, allowed
from .rows import NAIVE, PLAIN, known_rows, skfed_name
from .scaling import growth
from .summary import paired
from .whole_fit import OUTSIDE
from .workloads import WORKLOADS

STACKED = skfed_name("stacked")
W = tuple(WORKLOADS)
AT_MOST = {  # processor time of a marginal round over the plain loop's
    STACKED: dict(zip(W, (0.37, 0.15, 0.15, 0.58), strict=True)),
    skfed_name("fused"): dict(zip(W, (0.20, 0.11, 0.10, 0.25), strict=True)),
    skfed_name("loop"): dict.fromkeys(W, 1.20),
}
NAIVE_AT_LEAST = dict(zip(W, (6, 14, 15, 4), strict=True))
PEER_AT_LEAST = dict(zip(W, (3, 7, 7, 1.8), strict=True))
FLOWER, FLOWER_AT_LEAST = "Flower", {"W1": 5, "W2": 20, "W3": 40}
SETUP_ROUNDS = 3
FLAT = 10e6  # bytes that 200 rounds may take more than a few
WHOLE_FIT, PART = 2.5, 0.30  # over the plain fit; of a default fit, beside training
LINEAR = 1.1  # growth of the time per row and client, noise included


def _line(bar, measured, bound, most=True):
    met = measured <= bound if most else measured >= bound
    sign = "<=" if most else ">="
    return {
        "bar": bar,
        "measured": f"{measured:.3g}",
        "bound": f"{sign} {bound:g}",
        "verdict": "met" if met else "missed",
    }


def of_engines():
    """Return a missed bar for each engine that does not run as asked for."""
    problems = {engine: engines.problem(engine) for engine in engines.ENGINES}
    return [
        {
            "bar": f"{skfed_name(engine)} runs",
            "measured": problem,
            "bound": "",
            "verdict": "missed",
        }
        for engine, problem in problems.items()
        if problem
    ]


def of_rounds(measured):
    """Return the bars of rounds' costs.

    Parameters
    ----------
    measured : DataFrame
        Of :func:`~benchmarks.speed.timing.interleaved`, all workloads.
    """
    lines, rows = [], list(measured["row"].unique())
    for row, bounds in AT_MOST.items():
        for name, ratio in paired(measured, row).items():
            lines.append(_line(f"{row} / {PLAIN}, {name}", ratio, bounds[name]))
    for name, ratio in paired(measured, NAIVE, STACKED).items():
        bar = f"{NAIVE} / {STACKED}, {name}"
        lines.append(_line(bar, ratio, NAIVE_AT_LEAST[name], most=False))
    peers = [row for row in rows if row not in known_rows()]
    over = pd.DataFrame({row: paired(measured, row, STACKED) for row in peers})
    for name, ratios in over.dropna(how="all").iterrows():
        bar = f"fastest peer ({ratios.idxmin()}) / {STACKED}, {name}"
        lines.append(_line(bar, ratios.min(), PEER_AT_LEAST[name], most=False))
    for name, ratio in paired(measured, FLOWER, STACKED, "wall").items():
        if name in FLOWER_AT_LEAST:
            bar = f"{FLOWER} wall / {STACKED} wall, {name}"
            lines.append(_line(bar, ratio, FLOWER_AT_LEAST[name], most=False))
    own = measured[(measured["row"] == STACKED) & (measured["workload"] == "W1")]
    if len(own):
        setup = (own["setup_cpu"] / own["cpu"]).median()
        lines.append(_line(f"{STACKED}, set-up in its rounds, W1", setup, SETUP_ROUNDS))
    return lines


def of_equality(found):
    """Return the bars of :func:`~benchmarks.speed.equality.differences`."""
    return [
        _line(
            f"|{line['pair']}| after {line['rounds']} rounds of {line['optimizer']}, "
            f"{line['workload']}",
            line["difference"],
            0,
        )
        for line in found
        if not line["pair"].startswith("fused")
    ]


def of_memory(peaks):
    """Return the bars of :func:`~benchmarks.speed.memory.measure`, in MB."""
    lines = []
    for line in peaks:
        if not line["row"].startswith("skfed"):
            continue
        place = f"{line['row']}, {line['workload']}"
        if line["rounds"] == MANY_ROUNDS:
            few = min(
                (p for p in peaks if p["row"] == line["row"]), key=lambda p: p["rounds"]
            )
            bar = f"{place}: MB more in {MANY_ROUNDS} rounds than in {few['rounds']}"
            more = (line["peak"] - few["peak"]) / 1e6
            lines.append(_line(bar, more, FLAT / 1e6))
        else:
            bound = round(allowed(WORKLOADS[line["workload"]]) / 1e6)
            lines.append(_line(f"{place}: peak MB", line["peak"] / 1e6, bound))
    return lines


def of_scaling(table):
    """Return the bars of :func:`~benchmarks.speed.summary.scaling_table`."""
    return [
        _line(f"{row}: time per row and client, 10,000 / 1,000 clients", grown, LINEAR)
        for row in table["row"].unique()
        if row.startswith("skfed")
        for grown in [growth(table, row)]
    ]


def of_fits(found):
    """Return the bars of :func:`~benchmarks.speed.whole_fit.measure`."""
    lines = []
    for fit in found.to_dict("records"):
        name = fit["clients"]
        lines.append(_line(f"default / plain fit, {name}", fit["ratio"], WHOLE_FIT))
        most = max(OUTSIDE, key=fit.get)
        lines.append(_line(f"share of {most}, {name}", fit[most], PART))
    return lines
