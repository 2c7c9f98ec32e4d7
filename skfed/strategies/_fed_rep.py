"""FedRep: first the client's own head, then the shared body."""

from numbers import Integral

from .._compat import Interval
from ._fed_per import FedPer
from ._messages import Train


class FedRep(FedPer):
    """A shared representation, under heads that each client fits anew.

    In a round, a client first trains its head for some epochs under the server's body,
    then the body for ``local_epochs`` under this head [1]_. Only the body is sent.

    Parameters
    ----------
    head_epochs : int, default=3
        Epochs of the head in a round.
    head : list of str, default=None
        As in :class:`FedPer`.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: the body's weights.

    References
    ----------
    .. [1] L. Collins, H. Hassani, A. Mokhtari, S. Shakkottai, "Exploiting Shared
       Representations for Personalized Federated Learning", ICML 2021.

    Examples
    --------
    >>> from skfed.strategies import FedRep
    >>> FedRep(head_epochs=5)
    FedRep(head_epochs=5)
    """

    differs_alone = "head and body of a single client are trained in turn"

    _parameter_constraints = {
        **FedPer._parameter_constraints,
        "head_epochs": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, head_epochs=3, head=None, weighting="rows", ownership=True):
        self.head_epochs = head_epochs
        self.head = head
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train the head, then the body."""
        body = frozenset(client.weights) - client.home
        headed = yield Train(client.weights, epochs=self.head_epochs, frozen=body)
        trained = yield Train(headed.weights, frozen=client.home)
        return trained.weights
