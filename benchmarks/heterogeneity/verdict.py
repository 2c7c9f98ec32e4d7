"""The promises of the default estimator, each with the number that was measured."""

import pandas as pd

from .pairs import TOLERANCE

GAINING = ("house_prices", "bdf", "exam", "hsb")
BEST_OF = ("local", "pooled", "multitask")


def verdicts(cells, units, method="default"):
    """Return ``(promise, measured, bar)`` for what the cells that were run can tell."""
    lines = []

    def add(promise, measured, bar, of):
        if of:
            lines.append((promise, f"{measured:.3g}", bar, of))

    own = units[(units["method"] == method) & units["difference"].notna()]
    add("share of clients hurt", own["hurt"].mean(), "<= 0.05", len(own))
    add("share of clients won", own["won"].mean(), "", len(own))
    add("cells with mean below 0, interval", (cells["high"] < 0).sum(), "0", len(cells))
    low = (cells["difference"] < -TOLERANCE).sum()
    add("cells with mean below -0.01", low, "0", len(cells))
    some = cells[(cells["overlap"] >= 0.2) & (cells["n"] <= 100)]
    add(
        "share of cells with overlap >= 0.2 and n <= 100 above 0, interval",
        (some["low"] > 0).mean(),
        ">= 0.6",
        len(some),
    )
    lines += _by_data(cells, method)
    if "FedAvg union" in cells:
        beside = cells[cells["FedAvg union"].notna()]
        better = beside[method] > beside["FedAvg union"]
        add("share of cells above FedAvg union", better.mean(), ">= 0.95", len(beside))
    digits = cells[cells["cell"] == "digits, overlap 0, n = 60"]
    add("gain, digits, disjoint, n = 60", digits["difference"].mean(), ">= 0.03",
        len(digits))  # fmt: skip
    if "gap_closed" in cells:
        half = cells[(cells["overlap"] == 0.5) & cells["gap_closed"].notna()]
        add(
            "mean share of the gap to the pooled reference closed, overlap 0.5",
            half["gap_closed"].mean(),
            ">= 0.5",
            len(half),
        )
    if "cost" in cells:
        timed = cells[cells["cost"].notna()]
        add("time over plain FedAvg's, mean", timed["cost"].mean(), "<= 6", len(timed))
        add("time over plain FedAvg's, largest", timed["cost"].max(), "", len(timed))
    return pd.DataFrame(lines, columns=["promise", "measured", "bar", "of"])


def _by_data(cells, method):
    """Return the promises about single sets of real data."""
    for _, cell in cells[cells["group"] == "full"].iterrows():
        others = [name for name in BEST_OF if name in cell and pd.notna(cell[name])]
        best = max(others, key=lambda name: cell[name])
        margin = cell[method] - cell[best]
        yield f"{cell['data']}: above {best}, the best", f"{margin:.3f}", ">= -0.005", 1
        if cell["data"] in GAINING:
            text = f"{cell['data']}: lower end of the gain over local"
            yield text, f"{cell['low']:.3f}", "> 0", 1
    new = cells[(cells["group"] == "newcomer") & (cells["n"] == 20)]
    for _, cell in new.iterrows():
        if "pooled" in cell and cell["pooled"] > cell["local"]:
            text = f"{cell['data']}, newcomer: lower end of the gain over local"
            yield text, f"{cell['low']:.3f}", "> 0", 1
