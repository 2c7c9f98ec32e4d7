"""FedAdam: Adam on the server."""

from ._fedavg import FedAvg
from ._server_optimizer import POSITIVE, ServerOptimizer


class FedAdam(ServerOptimizer):
    r"""Adam on the server, over the clients' mean step.

    The pseudo-gradient :math:`w_t - \bar w_t` goes to ``torch.optim.Adam``, with its
    correction of the moments' bias, which the paper [1]_ leaves out.

    Parameters
    ----------
    lr : float, default=0.03
        The server's learning rate: about how far a weight moves in a round.
    betas : tuple of float, default=(0.9, 0.99)
        Decay of the first and the second moment.
    eps : float, default=1e-3
        Adaptivity, added to the root of the second moment.
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
    >>> from skfed.strategies import FedAdam
    >>> FedAdam(lr=0.01)
    FedAdam(lr=0.01)
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lr": [POSITIVE],
        "betas": [tuple, list],
        "eps": [POSITIVE],
    }

    def __init__(
        self, lr=0.03, betas=(0.9, 0.99), eps=1e-3, weighting="rows", ownership=True
    ):
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weighting = weighting
        self.ownership = ownership

    def _optimizer(self, points):
        import torch

        return torch.optim.Adam(
            points, lr=self.lr, betas=tuple(self.betas), eps=self.eps
        )
