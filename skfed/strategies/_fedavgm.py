"""FedAvgM: momentum on the server."""

from numbers import Real

from .._compat import Interval
from ._fedavg import FedAvg
from ._server_optimizer import POSITIVE, ServerOptimizer


class FedAvgM(ServerOptimizer):
    r"""Federated averaging with momentum on the server.

    With the clients' mean step :math:`\Delta_t = w_t - \bar w_t` as gradient,
    :math:`v_{t+1} = \beta v_t + \Delta_t` and
    :math:`w_{t+1} = w_t - \eta\, v_{t+1}`: ``torch.optim.SGD`` on the server [1]_.

    Parameters
    ----------
    lr : float, default=1.0
        The server's learning rate.
    momentum : float, default=0.5
        The decay :math:`\beta`. The published .9 is for thousands of clients of which
        few take part, with ``lr`` lowered accordingly.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`.

    References
    ----------
    .. [1] T.-M. H. Hsu, H. Qi, M. Brown, "Measuring the Effects of Non-Identical Data
       Distribution for Federated Visual Classification", 2019.

    Examples
    --------
    >>> from skfed.strategies import FedAvgM
    >>> FedAvgM(momentum=0.9, lr=0.1)
    FedAvgM(lr=0.1, momentum=0.9)
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lr": [POSITIVE],
        "momentum": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, lr=1.0, momentum=0.5, weighting="rows", ownership=True):
        self.lr = lr
        self.momentum = momentum
        self.weighting = weighting
        self.ownership = ownership

    def _optimizer(self, points):
        import torch

        return torch.optim.SGD(points, lr=self.lr, momentum=self.momentum)
