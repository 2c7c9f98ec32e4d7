"""From scores per draw and client to one line per cell, and one per method."""

import numpy as np
import pandas as pd

from .pairs import KEYS, TOLERANCE, Z, mean_and_error

REFERENCES = ("pooled", "pooled boosting")


def per_method(draws, units):
    """Return one row per cell and method: mean, interval, won, hurt, worst, time."""
    lines = []
    counted = dict(list(units.groupby(["cell", "method"], sort=False)))
    for key, rows in draws.groupby([*KEYS, "method"], sort=False, dropna=False):
        line = dict(zip([*KEYS, "method"], key, strict=True))
        mean, se = mean_and_error(rows)
        clients = counted[line["cell"], line["method"]]
        by_client = rows.groupby("client")
        lines.append(
            line
            | {
                "score": by_client["score"].mean().mean(),
                "log_loss": by_client["log_loss"].mean().mean(),
                "brier": by_client["brier"].mean().mean(),
                "difference": mean,
                "se": se,
                "low": mean - Z * se,
                "high": mean + Z * se,
                "won": clients["won"].mean(),
                "hurt": clients["hurt"].mean(),
                "n_clients": len(clients),
                "worst": clients["difference"].min(),
                "worst_client": clients.loc[clients["difference"].idxmin(), "client"]
                if clients["difference"].notna().any()
                else "",
                "seconds": rows.groupby("seed")["seconds"].first().mean(),
            }
        )
    return pd.DataFrame(lines)


def per_cell(table, method="default"):
    """Return one row per cell: every method's mean, and how ``method`` fares.

    ``gap_closed`` is ``(method - local) / (pooled reference - local)`` where the
    reference, the better of the pooled models, is more than 0.01 above local.
    ``cost`` is the method's time over that of plain FedAvg with the same aligner.
    """
    lines = []
    for cell, rows in table.groupby("cell", sort=False):
        rows = rows.set_index("method")
        if method not in rows.index:
            continue
        own, line = rows.loc[method], {"cell": cell}
        line |= {key: own[key] for key in KEYS[1:]}
        line |= rows["score"].to_dict()
        columns = ("difference", "low", "high", "won", "hurt", "worst", "worst_client")
        line |= {name: own[name] for name in columns}
        present = [name for name in REFERENCES if name in rows.index]
        if present:
            gap = rows.loc[present, "score"].max() - rows.loc["local", "score"]
            closed = own["difference"] / gap if gap > TOLERANCE else np.nan
            line["gap_closed"] = closed
        if "FedAvg auto" in rows.index:
            line["cost"] = own["seconds"] / max(
                rows.loc["FedAvg auto", "seconds"], 1e-9
            )
        lines.append(line)
    return pd.DataFrame(lines)


def overall(table, units):
    """Return one row per method over the cells in which it has a score.

    Methods differ in these cells, so "default" has the default's difference in them.
    """
    own = table[table["method"] == "default"].set_index("cell")["difference"]
    table = table.assign(beside=table["cell"].map(own))
    cells = table.groupby("method", sort=False)
    clients = units.groupby("method", sort=False)
    return pd.DataFrame(
        {
            "cells": cells["difference"].count(),
            "difference": cells["difference"].mean(),
            "default": cells["beside"].mean(),
            "above 0": cells["low"].apply(lambda low: (low > 0).mean()),
            "below 0": cells["high"].apply(lambda high: (high < 0).mean()),
            "won": clients["won"].mean(),
            "hurt": clients["hurt"].mean(),
            "worst": clients["difference"].min(),
            "seconds": cells["seconds"].mean(),
        }
    )


def probabilities(table):
    """Return mean log-loss and Brier score of each method per group of cells."""
    scored = table[table["log_loss"].notna()]
    if scored.empty:
        return scored
    wide = scored.pivot_table(
        index="method", columns="group", values=["log_loss", "brier"], sort=False
    )
    return wide
