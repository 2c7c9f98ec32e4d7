"""FedPer: the last layer stays at home."""

from ._fedavg import FedAvg
from ._heads import last_layer


class FedPer(FedAvg):
    """Federated averaging of the body; every client has a head of its own.

    The head is trained together with the body and never sent [1]_.

    Parameters
    ----------
    head : list of str, default=None
        Names of the head's layers or parameters; None is what acts on the outputs
        alone and does not read the columns: the last layer, not a skip connection
        beside it (unless the net has nothing else).
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: the body's weights.

    References
    ----------
    .. [1] M. G. Arivazhagan, V. Aggarwal, A. K. Singh, S. Choudhary, "Federated
       Learning with Personalization Layers", 2019.

    Examples
    --------
    >>> from skfed.strategies import FedPer
    >>> FedPer()
    FedPer()
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "head": [list, tuple, None],
    }

    def __init__(self, head=None, weighting="rows", ownership=True):
        self.head = head
        self.weighting = weighting
        self.ownership = ownership

    def _kept_at_home(self, net, n_inputs):
        """Return the names of the head's parameters."""
        return last_layer(net, n_inputs, self.head)
