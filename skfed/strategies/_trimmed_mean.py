"""The mean of the clients' weights without the extremes."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ._arrays import stacked
from ._fedavg import FedAvg


class TrimmedMean(FedAvg):
    """Leave out the largest and smallest values of each coordinate, average the rest.

    Every client counts the same [1]_.

    Parameters
    ----------
    trim : float, default=0.2
        Share of the round's clients that is left out at either end, rounded down; below
        a half, and no less than the share that may be faulty. As many are left out of
        the clients that own an input column; if nobody remains, it stays as it is.
    ownership : bool, default=True
        Whether only clients that own an input column take part in its mean.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`.

    References
    ----------
    .. [1] D. Yin, Y. Chen, K. Ramchandran, P. Bartlett, "Byzantine-Robust Distributed
       Learning: Towards Optimal Statistical Rates", ICML 2018.

    Examples
    --------
    >>> from skfed.strategies import TrimmedMean
    >>> TrimmedMean(trim=0.1)
    TrimmedMean(trim=0.1)
    """

    _parameter_constraints = {
        "trim": [Interval(Real, 0, 0.5, closed="left")],
        "ownership": ["boolean"],
    }
    weighting = "uniform"

    def __init__(self, trim=0.2, ownership=True):
        self.trim = trim
        self.ownership = ownership

    def _aggregate(self, weights, updates, server):
        new = {}
        cut = int(self.trim * len(updates) + 1e-9)
        for name, old in weights.items():
            values = np.sort(stacked(name, old, updates, self.ownership), axis=0)
            n = (~np.isnan(values)).sum(axis=0)  # NaN is absent, and sorted last
            place = np.arange(len(values)).reshape(-1, *[1] * old.ndim)
            kept = (place >= cut) & (place < n - cut)
            total = np.where(kept, values, 0.0).sum(axis=0)
            rest = n - 2 * cut
            new[name] = np.where(rest > 0, total / np.maximum(rest, 1), old)
        return new
