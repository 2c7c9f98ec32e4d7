"""Ditto: a model of the client's own, held near the shared one."""

from numbers import Real

from .._compat import Interval
from ._fedavg import FedAvg
from ._messages import Train


class Ditto(FedAvg):
    r"""Personal models beside federated averaging.

    The shared weights w are trained as by :class:`FedAvg`. Each client also trains its
    own, on :math:`F_k(v) + \frac{\lambda}{2} |v - w_t|^2` [1]_, and predicts with v.

    Parameters
    ----------
    lam : float, default=0.1
        Strength of the pull: 0 leaves the personal models alone, a large one makes them
        the shared model.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its update of the shared weights, as with :class:`FedAvg`.
    A round costs twice the training.

    References
    ----------
    .. [1] T. Li, S. Hu, A. Beirami, V. Smith, "Ditto: Fair and Robust Federated
       Learning Through Personalization", ICML 2021.

    Examples
    --------
    >>> from skfed.strategies import Ditto
    >>> Ditto(lam=1.0)
    Ditto(lam=1.0)
    """

    differs_alone = "even a single client predicts with its personal model"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lam": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, lam=0.1, weighting="rows", ownership=True):
        self.lam = lam
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train the personal weights, then the shared ones."""
        own = client.memory.get("personal", client.weights)
        personal = yield Train(own, pull=self.lam, anchor=client.weights)
        client.memory["personal"] = personal.weights
        trained = yield Train(client.weights)
        return trained.weights

    def _personal_weights(self, weights, shared, memory):
        """Return the personal weights."""
        return memory.get("personal", weights)
