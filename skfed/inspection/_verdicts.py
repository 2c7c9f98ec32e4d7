"""Gains of clients in the order in which they are drawn, with their intervals."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from ..data._tables import sort_names


class Gains(NamedTuple):
    """What is drawn of each client, by name: ``verdicts`` are None where NaN."""

    gains: dict
    intervals: dict
    verdicts: dict


def judge(federated, baseline, errors, n_rows, order, confidence):
    """Order clients and say who is better off.

    Parameters
    ----------
    federated, baseline : dict
        Scores by client.
    errors : dict or None
        Standard errors of the differences; None lets the sign decide.
    n_rows : dict or None
        Rows by client.
    order : {"gain", "n_rows", "name"}
        From bottom to top; undefined gains are at the bottom.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    found : Gains
        Gains, intervals and verdicts.
    """
    if set(federated) != set(baseline):
        raise ValueError(
            "the two scores are not of the same clients: only in one of them are "
            f"{sort_names(set(federated) ^ set(baseline))}"
        )
    gains = {c: float(federated[c]) - float(baseline[c]) for c in federated}
    half = norm.ppf(0.5 + confidence / 2)
    intervals, verdicts = {}, {}
    names = _ordered(gains, n_rows, order)
    for name in names:
        error = np.nan if errors is None else float(errors.get(name, np.nan))
        interval = gains[name] - half * error, gains[name] + half * error
        intervals[name] = interval
        certain = interval if errors is not None else (gains[name], gains[name])
        verdicts[name] = None if np.isnan(gains[name]) else _verdict(*certain)
    return Gains({c: gains[c] for c in names}, intervals, verdicts)


def _ordered(gains, n_rows, order):
    names = sort_names(gains)
    if order == "gain":
        names.sort(key=lambda c: (not np.isnan(gains[c]), gains[c]))
    elif order == "n_rows":
        if n_rows is None:
            raise ValueError("order='n_rows' needs the n_rows of the clients")
        names.sort(key=lambda c: n_rows[c])
    elif order == "name":
        names.reverse()  # the first at the top, as one reads
    else:
        raise ValueError(f"order must be 'gain', 'n_rows' or 'name', got {order!r}")
    return names


def _verdict(low, high):
    return "better" if low > 0 else "worse" if high < 0 else "unclear"
