"""pFedMe: personal models by Moreau envelopes."""

from numbers import Integral, Real

from .._compat import Interval
from ._arrays import difference, moved
from ._messages import Train
from ._server_step import ServerStep


class PFedMe(ServerStep):
    r"""Personalised federated learning with Moreau envelopes.

    A client repeats, ``local_steps`` times a round: find the personal weights
    :math:`\theta \approx \arg\min F_k(\theta) + \frac{\lambda}{2} |\theta - w|^2` by
    ``local_epochs`` epochs, and move its copy of the shared ones,
    :math:`w \leftarrow w - \eta \lambda (w - \theta)`. It predicts with :math:`\theta`.
    The server sets :math:`w_{t+1} = (1 - \beta) w_t + \beta \bar w` [1]_.

    Parameters
    ----------
    lam : float, default=1.0
        Strength of the pull :math:`\lambda`. The net's learning rate times it must stay
        well below 2.
    eta : float, default=0.5
        Learning rate of the shared weights.
    local_steps : int, default=2
        Steps of the shared weights in a round.
    beta : float, default=1.0
        How far the server goes to the clients' mean; above 1 it goes beyond.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its copy of the shared weights. A round costs
    ``local_steps`` times the training.

    References
    ----------
    .. [1] C. T. Dinh, N. H. Tran, T. D. Nguyen, "Personalized Federated Learning with
       Moreau Envelopes", NeurIPS 2020.

    Examples
    --------
    >>> from skfed.strategies import PFedMe
    >>> PFedMe(lam=2.0)
    PFedMe(lam=2.0)
    """

    differs_alone = "even a single client predicts with its personal model"

    _parameter_constraints = {
        **ServerStep._parameter_constraints,
        "lam": [Interval(Real, 0, None, closed="neither")],
        "eta": [Interval(Real, 0, None, closed="neither")],
        "local_steps": [Interval(Integral, 1, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        lam=1.0,
        eta=0.5,
        local_steps=2,
        beta=1.0,
        weighting="rows",
        ownership=True,
    ):
        self.lam = lam
        self.eta = eta
        self.local_steps = local_steps
        self.beta = beta
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Find the personal weights, and move the shared ones to them."""
        w, theta = client.weights, client.memory.get("personal", client.weights)
        for _ in range(self.local_steps):
            trained = yield Train(theta, pull=self.lam, anchor=w)
            theta = trained.weights
            w = moved(w, difference(w, theta), -self.eta * self.lam)
        client.memory["personal"] = theta
        # what stays at home is the personal model's
        w |= {name: theta[name] for name in client.home}
        return {name: w[name].astype(theta[name].dtype) for name in theta}

    def _personal_weights(self, weights, shared, memory):
        """Return the personal weights."""
        return memory.get("personal", weights)

    def _step(self, weights, updates, server):
        mean = self._mean(weights, updates)
        return moved(weights, difference(mean, weights), self.beta)
