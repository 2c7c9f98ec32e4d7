"""SCAFFOLD: control variates against the drift of the clients."""

from numbers import Real

from .._compat import Interval
from ._arrays import difference, moved, scaled, zeros_like
from ._fedavg import FedAvg
from ._messages import Train
from ._server_step import ServerStep


class Scaffold(ServerStep):
    r"""Stochastic controlled averaging.

    The server keeps a control variate c and each client its own :math:`c_k`. A client
    corrects every local gradient by :math:`c - c_k`, and after K steps of rate
    :math:`\eta_l` sets (the paper's second option [1]_)

    .. math:: c_k^+ = c_k - c + \frac{w_t - w^k}{K \eta_l} .

    The server moves by the clients' mean step, times ``lr``, and c by the share of the
    clients that took part times the mean of :math:`c_k^+ - c_k`. With it, local steps
    on differing data end at the optimum of all, not at an average of the clients'.

    Parameters
    ----------
    lr : float, default=1.0
        The server's learning rate.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`, for weights and control variates.

    Notes
    -----
    What leaves the client: its weights and the change of its control variate, which has
    the same shapes. The rule supposes plain gradient descent at the clients: give the
    net ``optimizer=torch.optim.SGD`` without momentum, as the default net has.
    Parameters that stay at home are not corrected.

    References
    ----------
    .. [1] S. P. Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for
       Federated Learning", ICML 2020.

    Examples
    --------
    >>> from skfed.strategies import Scaffold
    >>> Scaffold()
    Scaffold()
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, lr=1.0, weighting="rows", ownership=True):
        self.lr = lr
        self.weighting = weighting
        self.ownership = ownership

    def _server_message(self, weights, server):
        """Send the server's control variate."""
        return {"control": server.memory.get("control", zeros_like(weights))}

    def _client_update(self, client):
        """Train with corrected gradients, and renew the control variate."""
        c = client.shared["control"]
        c_k = client.memory.get("control", zeros_like(c))
        correction = difference(c, c_k)
        trained = yield Train(client.weights, shift=correction)
        way = difference(client.weights, trained.weights)
        gradient = scaled(way, 1 / (trained.n_steps * trained.lr))
        renewed = {name: gradient[name] - correction[name] for name in c}
        client.extra["control_change"] = difference(renewed, c_k)
        client.memory["control"] = renewed
        return trained.weights

    def _step(self, weights, updates, server):
        step = difference(self._mean(weights, updates), weights)
        zeros = zeros_like(weights)
        changes = [update.extra.get("control_change", {}) for update in updates]
        change = self._mean(zeros, updates, changes)
        control = dict(server.memory.get("control", zeros))
        for name, value in change.items():
            present, everyone = self._rows(name, updates, server)
            control[name] = control[name] + present / everyone * value
        server.memory["control"] = control
        return moved(weights, step, self.lr)
