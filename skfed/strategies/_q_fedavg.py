"""q-FedAvg: clients with a large loss count more."""

from numbers import Real

from .._compat import Interval
from ._arrays import difference, norm, owned_sum, scaled
from ._fedavg import FedAvg
from ._messages import Evaluate, Train
from ._server_step import ServerStep


class QFedAvg(ServerStep):
    r"""Fair federated averaging.

    It minimises :math:`\sum_k p_k F_k^{q+1} / (q + 1)`, which lowers the spread of the
    clients' losses [1]_. With :math:`L = 1 / \eta` of the local steps,

    .. math::

       \Delta_k = F_k^q L (w_t - w^k), \quad
       h_k = q F_k^{q-1} |L (w_t - w^k)|^2 + L F_k^q, \quad
       w_{t+1} = w_t - \frac{\sum_k p_k \Delta_k}{\sum_k p_k h_k} .

    Parameters
    ----------
    q : float, default=1.0
        0 is :class:`FedAvg`; a large one cares for the worst client alone.
    weighting : {"rows", "sqrt", "uniform"}, default="uniform"
        Weight of a client, as in :class:`FedAvg`; the paper's :math:`p_k`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, and the mean loss of its training rows under
    the server's weights. Losses must not be negative.

    References
    ----------
    .. [1] T. Li, M. Sanjabi, A. Beirami, V. Smith, "Fair Resource Allocation in
       Federated Learning", ICLR 2020.

    Examples
    --------
    >>> from skfed.strategies import QFedAvg
    >>> QFedAvg(q=5.0)
    QFedAvg(q=5.0)
    """

    differs_alone = "h shortens the step of a single client too"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "q": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, q=1.0, weighting="uniform", ownership=True):
        self.q = q
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train, and tell the loss before."""
        client.extra["start_loss"] = yield Evaluate(client.weights)
        trained = yield Train(client.weights)
        return trained.weights

    def _step(self, weights, updates, server):
        steps, heights = [], []
        for u in updates:
            loss, L = max(u.extra.get("start_loss", 1.0), 1e-10), 1 / u.lr
            way = scaled(difference(weights, u.weights), L)
            h = self.q * loss ** (self.q - 1) * norm(way) ** 2 + L * loss**self.q
            share = self._weight(u)
            owned = u.owned if self.ownership else {}
            steps.append((scaled(way, loss**self.q), share, owned))
            heights.append(h)
        new = {}
        for name, old in weights.items():
            delta, _ = owned_sum(name, old.shape, steps)
            heavier = [
                (step, share * h, owned)
                for (step, share, owned), h in zip(steps, heights, strict=True)
            ]
            _, height = owned_sum(name, old.shape, heavier)
            new[name] = old - delta / (height + (height == 0))
        return new
