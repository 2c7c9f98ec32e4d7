"""Federated averaging."""

from .._compat import StrOptions
from ._arrays import owned_mean
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

    def _aggregate(self, weights, updates, server):
        return self._mean(weights, updates)

    def _mean(self, old, updates, values=None):
        """Return the clients' average, each parameter over those that own it.

        Parameters
        ----------
        old : dict
            Names and shapes, and the value of what nobody owns.
        updates : list of Update
            The clients' answers.
        values : list of dict, default=None
            What is averaged, ``{parameter name: array}`` per update; None is their
            weights.
        """
        values = [u.weights for u in updates] if values is None else values
        entries = [
            (value, self._weight(update), update.owned if self.ownership else {})
            for value, update in zip(values, updates, strict=True)
        ]
        return owned_mean(old, entries)

    def _rows(self, name, updates, server):
        """Return the weights of a parameter's clients: of this round's, and of all."""
        present = sum(self._share(u.n_rows) for u in updates if name in u.weights)
        holders = server.holders.get(name, server.sizes)
        return present, sum(self._share(server.sizes[c]) for c in holders)

    def _weight(self, update):
        """Return the weight of an update in an average, not normalised."""
        return self._share(update.n_rows) * update.importance

    def _share(self, n_rows):
        """Return the weight of a client with so many rows, not normalised.

        Parameters
        ----------
        n_rows : int
            Its training rows.
        """
        return float(n_rows) ** POWERS[self.weighting]
