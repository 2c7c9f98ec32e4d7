"""FedDyn: a regulariser at each client that follows the training."""

from numbers import Real

from .._compat import Interval
from ._arrays import difference, moved, scaled, zeros_like
from ._fedavg import FedAvg
from ._messages import Train
from ._server_step import ServerStep


class FedDyn(ServerStep):
    r"""Federated learning with dynamic regularisation.

    Client k minimises
    :math:`F_k(w) - \langle g_k, w \rangle + \frac{\alpha}{2} |w - w_t|^2` and then sets
    :math:`g_k \leftarrow g_k - \alpha (w^k - w_t)` [1]_. The server keeps
    :math:`h \leftarrow h - \alpha \sum_k p_k (w^k - w_t)` and sets
    :math:`w_{t+1} = \sum_k p_k w^k - h / \alpha`. Where it comes to rest, the clients'
    gradients sum to zero: at the optimum of all.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the regulariser.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`; :math:`g_k` stays.
    Parameters that stay at home are not regularised. With few local steps, or clients
    that seldom take part, h runs ahead of the clients; raise ``alpha`` then.

    References
    ----------
    .. [1] D. A. E. Acar, Y. Zhao, R. Matas Navarro, M. Mattina, P. N. Whatmough,
       V. Saligrama, "Federated Learning Based on Dynamic Regularization", ICLR 2021.

    Examples
    --------
    >>> from skfed.strategies import FedDyn
    >>> FedDyn(alpha=0.5)
    FedDyn(alpha=0.5)
    """

    differs_alone = "the server adds h to the weights of a single client too"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, alpha=0.1, weighting="rows", ownership=True):
        self.alpha = alpha
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train with the regulariser, and renew the client's gradient."""
        g = client.memory.get("gradient", zeros_like(client.weights))
        trained = yield Train(client.weights, pull=self.alpha, shift=scaled(g, -1.0))
        way = difference(trained.weights, client.weights)
        client.memory["gradient"] = moved(g, way, -self.alpha)
        return trained.weights

    def _step(self, weights, updates, server):
        mean = self._mean(weights, updates)
        h = dict(server.memory.get("h", zeros_like(weights)))
        for name, way in difference(mean, weights).items():
            present, everyone = self._rows(name, updates, server)
            h[name] = h[name] + -self.alpha * present / everyone * way
        server.memory["h"] = h
        return moved(mean, h, -1 / self.alpha)
