"""Krum: the update that has the nearest neighbours."""

from numbers import Integral

import numpy as np

from .._compat import Interval
from ._fedavg import FedAvg


class Krum(FedAvg):
    r"""Take the weights of the client which has others near it.

    With n updates of which f may be faulty, a client's score is the sum of squared
    distances to its n - f - 2 nearest; the client with the least score is taken as a
    whole [1]_. It withstands f < (n - 2) / 2 faulty clients.

    Parameters
    ----------
    n_faulty : int, default=1
        How many may be faulty.
    ownership : bool, default=True
        Whether distances are taken over input columns that both clients own, and what
        the taken client does not own stays.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`.

    References
    ----------
    .. [1] P. Blanchard, E. M. El Mhamdi, R. Guerraoui, J. Stainer, "Machine Learning
       with Adversaries: Byzantine Tolerant Gradient Descent", NeurIPS 2017.

    Examples
    --------
    >>> from skfed.strategies import Krum
    >>> Krum(n_faulty=2)
    Krum(n_faulty=2)
    """

    _parameter_constraints = {
        "n_faulty": [Interval(Integral, 0, None, closed="left")],
        "ownership": ["boolean"],
    }
    weighting = "uniform"

    def __init__(self, n_faulty=1, ownership=True):
        self.n_faulty = n_faulty
        self.ownership = ownership

    def _aggregate(self, weights, updates, server):
        order = np.argsort(self._scores(weights, updates), kind="stable")
        ranked = [updates[i] for i in order]
        new = self._mean(weights, ranked[: self._n_taken(len(ranked))])
        for name, old in weights.items():  # what only some clients have
            owners = [u for u in ranked if name in u.weights]
            if len(owners) < len(ranked):
                taken = owners[: self._n_taken(len(owners))]
                new[name] = self._mean({name: old}, taken)[name]
        return new

    def _n_taken(self, n):
        """Return how many updates are averaged."""
        return 1

    def _scores(self, weights, updates):
        """Return the sum of squared distances to the nearest others, per client."""
        n = len(updates)
        distances = np.zeros((n, n))
        for i in range(n):
            for j in range(i):
                distances[i, j] = distances[j, i] = self._apart(
                    weights, updates[i], updates[j]
                )
        near = max(n - self.n_faulty - 2, 1)
        others = np.sort(distances, axis=1)[:, 1:]
        return others[:, :near].sum(axis=1)

    def _apart(self, weights, a, b):
        """Return the mean squared difference over what both clients have."""
        total, count = 0.0, 0
        for name in weights:
            if name not in a.weights or name not in b.weights:
                continue
            square = (a.weights[name].astype(np.float64) - b.weights[name]) ** 2
            if self.ownership and name in a.owned and name in b.owned:
                square = square[:, a.owned[name] & b.owned[name]]
            total, count = total + square.sum(), count + square.size
        return total / max(count, 1)
