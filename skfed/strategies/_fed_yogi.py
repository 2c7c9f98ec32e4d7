"""FedYogi: Yogi on the server."""

from ._fed_adam import FedAdam


class FedYogi(FedAdam):
    r"""Yogi on the server, over the clients' mean step.

    As :class:`FedAdam` [1]_, with a second moment that moves by
    :math:`v \leftarrow v - (1 - \beta_2)\, g^2 \operatorname{sign}(v - g^2)` [2]_: it
    forgets no faster than it learns.

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
    .. [2] M. Zaheer, S. Reddi, D. Sachan, S. Kale, S. Kumar, "Adaptive Methods for
       Nonconvex Optimization", NeurIPS 2018.

    Examples
    --------
    >>> from skfed.strategies import FedYogi
    >>> FedYogi()
    FedYogi()
    """

    def _optimizer(self, points):
        from ._yogi import Yogi

        return Yogi(points, lr=self.lr, betas=tuple(self.betas), eps=self.eps)
