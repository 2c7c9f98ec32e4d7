"""LG-FedAvg: the body stays at home, the head is shared."""

from ._fed_per import FedPer
from ._heads import head_parameters


class LGFedAvg(FedPer):
    """Local representations under a shared head.

    The reverse of :class:`FedPer`: each client has a body of its own, and the head,
    with a skip connection if there is one, is averaged [1]_.

    Parameters
    ----------
    head : list of str, default=None
        Names of the head's layers or parameters; None is what acts on the outputs
        alone, a skip connection included.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: the head's weights.

    References
    ----------
    .. [1] P. P. Liang et al., "Think Locally, Act Globally: Federated Learning with
       Local and Global Representations", 2020.

    Examples
    --------
    >>> from skfed.strategies import LGFedAvg
    >>> LGFedAvg()
    LGFedAvg()
    """

    def _kept_at_home(self, net, n_inputs):
        """Return the names of all parameters but the head's."""
        from ..nets._parts import all_parameters

        return all_parameters(net) - head_parameters(net, n_inputs, self.head)
