"""Paired differences to the local model: of a draw, of a client, of a cell."""

import numpy as np
import pandas as pd

from .scores import standard_error

TOLERANCE = 0.01
Z = 1.96  # of a 95 % interval
REAL = ("full", "newcomer")
KEYS = ["cell", "group", "data", "dial", "n", "overlap"]


def hurt(difference, se):
    """Tell that a client loses more than the tolerance, and not by chance."""
    return (difference < -TOLERANCE) & (difference + Z * se < 0)


def won(difference, se):
    """Tell that a client gains more than the tolerance, and not by chance."""
    return (difference > TOLERANCE) & (difference - Z * se > 0)


def per_draw(frame):
    """Add each row's paired difference to local in the same draw, and its error."""
    keys = ["cell", "seed", "client"]
    local = frame[frame["method"] == "local"].set_index(keys)["values"]
    beside = local.loc[pd.MultiIndex.from_frame(frame[keys])].to_numpy()
    differences = [v - w for v, w in zip(frame["values"], beside, strict=True)]
    return frame.assign(
        differences=differences,
        difference=[float(np.mean(d)) for d in differences],
        se=[
            standard_error(d, rows)
            for d, rows in zip(differences, frame["rows"], strict=True)
        ],
    )


def per_client(frame):
    """Return one row per cell, method and client that counts as one.

    Simulated clients are new ones in every draw. A real client is one over all draws:
    the differences of a row that was tested several times are averaged first.
    """
    simulated = frame[~frame["group"].isin(REAL)]
    columns = [*KEYS, "method", "client", "score", "difference", "se"]
    found = [simulated[[*columns, "seed"]]]
    same = frame[frame["group"].isin(REAL)]
    by = [*KEYS, "method", "client"]
    for key, group in same.groupby(by, sort=False, dropna=False):
        rows = np.concatenate(list(group["rows"]))
        values = np.concatenate(list(group["differences"]))
        averaged = pd.Series(values).groupby(rows).mean()
        line = dict(zip(by, key, strict=True))
        line["score"] = group["score"].mean()
        line["difference"] = averaged.mean()
        line["se"] = standard_error(averaged.to_numpy(), averaged.index.to_numpy())
        found.append(pd.DataFrame([line | {"seed": -1}]))
    units = pd.concat(found, ignore_index=True)
    return units.assign(
        won=won(units["difference"], units["se"]),
        hurt=hurt(units["difference"], units["se"]),
    )


def mean_and_error(draws):
    """Return a cell's mean difference and its standard error.

    ``se^2 = var(client means) / K + var(seed means) / S``: clients and draws are both
    samples. A part with a single member adds nothing.
    """
    variance = 0.0
    for by in ("client", "seed"):
        means = draws.groupby(by)["difference"].mean()
        if len(means) > 1:
            variance += means.var() / len(means)
    clients = draws.groupby("client")["difference"].mean()
    return float(clients.mean()), float(np.sqrt(variance))
