"""Updates are cut to a length before they are averaged."""

from numbers import Real

import numpy as np

from .._compat import Interval, StrOptions
from ._arrays import difference, moved, norm
from ._fedavg import FedAvg


class NormClipping(FedAvg):
    """Shorten each client's step to a greatest length, then average.

    No client can move the server farther than the others [1]_. It bounds the harm of a
    faulty client and does not undo it.

    Parameters
    ----------
    max_norm : float or "median", default="median"
        The greatest length of a step; "median" is the median of the round's.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`. The server clips.

    References
    ----------
    .. [1] Z. Sun, P. Kairouz, A. T. Suresh, H. B. McMahan, "Can You Really Backdoor
       Federated Learning?", 2019.

    Examples
    --------
    >>> from skfed.strategies import NormClipping
    >>> NormClipping(max_norm=1.0)
    NormClipping(max_norm=1.0)
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "max_norm": [Interval(Real, 0, None, closed="neither"), StrOptions({"median"})],
    }

    def __init__(self, max_norm="median", weighting="rows", ownership=True):
        self.max_norm = max_norm
        self.weighting = weighting
        self.ownership = ownership

    def _aggregate(self, weights, updates, server):
        steps = [difference(u.weights, weights) for u in updates]
        lengths = np.array([norm(step) for step in steps])
        most = np.median(lengths) if self.max_norm == "median" else self.max_norm
        shorter = np.minimum(1.0, most / np.maximum(lengths, 1e-300))
        values = [
            moved({name: weights[name] for name in step}, step, factor)
            for step, factor in zip(steps, shorter, strict=True)
        ]
        return self._mean(weights, updates, values)
