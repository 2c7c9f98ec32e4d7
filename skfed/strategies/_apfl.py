"""APFL: each client predicts with a mixture of its own and the shared weights."""

from numbers import Real

from .._compat import Interval
from ._arrays import difference, inner, moved, scaled
from ._fedavg import FedAvg
from ._messages import Train


class APFL(FedAvg):
    r"""Adaptive personalised federated learning.

    Client k keeps weights v of its own and predicts with
    :math:`\bar v = \alpha_k v + (1 - \alpha_k) w`. It trains the shared w as by
    :class:`FedAvg`, and v by the gradient of its loss at :math:`\bar v`, which is
    :math:`\alpha_k \nabla F_k(\bar v)` [1]_. An adaptive :math:`\alpha_k` follows the
    gradient :math:`\langle v - w, \nabla F_k(\bar v) \rangle`, once a round, within .05
    and .95.

    Parameters
    ----------
    alpha : float, default=0.5
        The share of the client's own weights, or where it starts.
    adaptive : bool, default=True
        Whether each client's share follows the gradient.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its update of the shared weights, as with :class:`FedAvg`.
    The paper changes w and v by turns, step by step; here each has a round's epochs,
    and the mixture is that with the server's weights.

    References
    ----------
    .. [1] Y. Deng, M. M. Kamani, M. Mahdavi, "Adaptive Personalized Federated
       Learning", 2020.

    Examples
    --------
    >>> from skfed.strategies import APFL
    >>> APFL(alpha=0.25, adaptive=False)
    APFL(adaptive=False, alpha=0.25)
    """

    differs_alone = "even a single client predicts with its mixture"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "alpha": [Interval(Real, 0, 1, closed="right")],
        "adaptive": ["boolean"],
    }

    def __init__(self, alpha=0.5, adaptive=True, weighting="rows", ownership=True):
        self.alpha = alpha
        self.adaptive = adaptive
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train the client's own weights through the mixture, then the shared ones."""
        alpha = float(client.memory.get("alpha", self.alpha))
        v = client.memory.get("own", client.weights)
        w = client.weights
        # a step of v by alpha * gradient moves the mixture by alpha^2 * gradient
        mixed = _mixed(v, w, alpha)
        found = yield Train(mixed, lr_scale=alpha**2)
        way = difference(found.weights, mixed)
        client.memory["own"] = moved(v, way, 1 / alpha)
        if self.adaptive:
            gradient = scaled(way, -1 / (found.n_steps * found.lr))
            alpha -= found.lr / alpha**2 * inner(difference(v, w), gradient)
            client.memory["alpha"] = min(max(alpha, 0.05), 0.95)
        trained = yield Train(w)
        return trained.weights

    def _personal_weights(self, weights, shared, memory):
        """Return the mixture of the client's own and the shared weights."""
        alpha = float(memory.get("alpha", self.alpha))
        return _mixed(memory.get("own", weights), weights, alpha)


def _mixed(own, shared, alpha):
    return {
        name: (alpha * own[name] + (1 - alpha) * shared[name]).astype(
            shared[name].dtype
        )
        for name in shared
    }
