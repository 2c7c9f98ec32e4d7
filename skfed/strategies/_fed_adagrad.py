"""FedAdagrad: Adagrad on the server."""

from ._fedavg import FedAvg
from ._server_optimizer import POSITIVE, ServerOptimizer


class FedAdagrad(ServerOptimizer):
    r"""Adagrad on the server, over the clients' mean step.

    The pseudo-gradient :math:`w_t - \bar w_t` goes to ``torch.optim.Adagrad`` [1]_.

    Parameters
    ----------
    lr : float, default=0.1
        The server's learning rate.
    eps : float, default=1e-3
        Adaptivity, added to the root of the summed squares.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`.

    References
    ----------
    .. [1] S. J. Reddi et al., "Adaptive Federated Optimization", ICLR 2021.

    Examples
    --------
    >>> from skfed.strategies import FedAdagrad
    >>> FedAdagrad(lr=0.05)
    FedAdagrad(lr=0.05)
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lr": [POSITIVE],
        "eps": [POSITIVE],
    }

    def __init__(self, lr=0.1, eps=1e-3, weighting="rows", ownership=True):
        self.lr = lr
        self.eps = eps
        self.weighting = weighting
        self.ownership = ownership

    def _optimizer(self, points):
        import torch

        return torch.optim.Adagrad(points, lr=self.lr, eps=self.eps)
