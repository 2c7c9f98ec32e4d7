"""The median of the clients' weights, coordinate by coordinate."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ._arrays import stacked
from ._fedavg import FedAvg


class CoordinateMedian(FedAvg):
    """Take the median of the clients' weights in each coordinate.

    Fewer than half of the clients can send whatever they like without moving it far
    [1]_. Every client counts the same.

    Parameters
    ----------
    faulty : float, default=0.2
        Share of the clients that may be faulty; below a half. The weights of an input
        column that no more than twice as many clients own stay as they are, since the
        faulty ones could be the majority there.
    ownership : bool, default=True
        Whether only clients that own an input column take part in its median. Without
        it, columns that less than half of the clients have learn nothing.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`. Where clients differ
    for good reason, the median leaves out what only few of them know.

    References
    ----------
    .. [1] D. Yin, Y. Chen, K. Ramchandran, P. Bartlett, "Byzantine-Robust Distributed
       Learning: Towards Optimal Statistical Rates", ICML 2018.

    Examples
    --------
    >>> from skfed.strategies import CoordinateMedian
    >>> CoordinateMedian()
    CoordinateMedian()
    """

    _parameter_constraints = {
        "faulty": [Interval(Real, 0, 0.5, closed="left")],
        "ownership": ["boolean"],
    }
    weighting = "uniform"

    def __init__(self, faulty=0.2, ownership=True):
        self.faulty = faulty
        self.ownership = ownership

    def _aggregate(self, weights, updates, server):
        return {
            name: self._middle(stacked(name, old, updates, self.ownership), old)
            for name, old in weights.items()
        }

    def _middle(self, values, old):
        """Return the median over the first axis; NaN is absent."""
        held = (~np.isnan(values)).sum(axis=0) > 2 * self.faulty * len(values) + 1e-9
        values = np.where(held, values, 0.0)
        return np.where(held, np.nanmedian(values, axis=0), old)
