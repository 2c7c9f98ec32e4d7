"""FedProx: clients are held near the server's weights."""

from numbers import Real

from .._compat import Interval
from ._fedavg import FedAvg
from ._messages import Train


class FedProx(FedAvg):
    r"""Federated averaging with a proximal term at the clients.

    Client k minimises :math:`F_k(w) + \frac{\mu}{2} |w - w_t|^2` [1]_, so that many
    local steps on differing data do not carry it far away. :math:`\mu = 0` is
    :class:`FedAvg`; a large one lets the clients hardly move.

    Parameters
    ----------
    mu : float, default=0.1
        Strength of the proximal term.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`. What stays at home is
    not held.

    References
    ----------
    .. [1] T. Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020.

    Examples
    --------
    >>> from skfed.strategies import FedProx
    >>> FedProx(mu=1.0)
    FedProx(mu=1.0)
    """

    differs_alone = "a single client is held near its weights of the round before"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "mu": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, mu=0.1, weighting="rows", ownership=True):
        self.mu = mu
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train with the pull to the server's weights."""
        trained = yield Train(client.weights, pull=self.mu)
        return trained.weights
