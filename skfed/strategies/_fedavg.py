"""Federated averaging."""

import numpy as np

from .._compat import StrOptions
from ._base import Strategy

POWERS = {"rows": 1.0, "sqrt": 0.5, "uniform": 0.0}


class FedAvg(Strategy):
    r"""Federated averaging, each parameter over the clients that own it.

    Every chosen client starts from the server's weights :math:`w_t`, makes its local
    epochs and returns :math:`w^k`. The server averages by rows [1]_,

    .. math:: w_{t+1} = \sum_k n_k w^k / \sum_k n_k .

    A client without column :math:`v` returns the weights of that column as it got
    them, so that the plain average would slow them down by the share of clients that
    have it. Here column :math:`v` of a matrix which reads the input is averaged over
    the clients that have at least ``min_count`` aligned rows which are not zero
    there, and a parameter that only some clients send over those; where nobody owns
    it, it stays.

    Parameters
    ----------
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        Weight of a client: its training rows, their square root, or 1.
    ownership : bool, default=True
        Whether input columns are averaged over their owners. False is the plain
        average.

    References
    ----------
    .. [1] B. McMahan, E. Moore, D. Ramage, S. Hampson and B. Agüera y Arcas,
       "Communication-Efficient Learning of Deep Networks from Decentralized Data",
       AISTATS 2017.

    Examples
    --------
    >>> from skfed.strategies import FedAvg
    >>> FedAvg(weighting="uniform")
    FedAvg(weighting='uniform')
    """

    _parameter_constraints = {
        "weighting": [StrOptions(set(POWERS))],
        "ownership": ["boolean"],
    }

    def __init__(self, weighting="rows", ownership=True):
        self.weighting = weighting
        self.ownership = ownership

    def _aggregate(self, weights, updates):
        share = {u.client: self._share(u.n_rows) for u in updates}
        new = {}
        for name, old in weights.items():
            total = np.zeros(old.shape, dtype=np.float64)
            weight = np.zeros(old.shape[-1:] if old.ndim == 2 else (), dtype=np.float64)
            for update in updates:
                if name not in update.weights:
                    continue
                mine = share[update.client] * self._owned(update, name)
                total += mine * update.weights[name].astype(np.float64)
                weight += mine
            held = weight > 0
            average = total / np.where(held, weight, 1.0)
            new[name] = np.where(held, average, old)
        return new

    def _owned(self, update, name):
        if self.ownership and name in update.owned:
            return update.owned[name].astype(np.float64)
        return 1.0

    def _share(self, n_rows):
        return float(n_rows) ** POWERS[self.weighting]
