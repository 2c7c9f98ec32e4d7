"""FedNova: steps are normalised before they are averaged."""

from ._arrays import difference, moved, scaled, zeros_like
from ._server_step import ServerStep


class FedNova(ServerStep):
    r"""Normalised averaging.

    Clients of different size make different numbers :math:`\tau_k` of local steps, and
    the plain average leans to those that make many. Here each client's way is divided
    by its steps [1]_,

    .. math::

       w_{t+1} = w_t - \tau \sum_k p_k \frac{w_t - w^k}{\tau_k}, \quad
       \tau = \sum_k p_k \tau_k ,

    with the shares :math:`p_k` of ``weighting``.

    Parameters
    ----------
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights and the number of its steps. The formula is that
    of gradient descent without momentum, which the default net has.

    References
    ----------
    .. [1] J. Wang, Q. Liu, H. Liang, G. Joshi, H. V. Poor, "Tackling the Objective
       Inconsistency Problem in Heterogeneous Federated Optimization", NeurIPS 2020.

    Examples
    --------
    >>> from skfed.strategies import FedNova
    >>> FedNova()
    FedNova()
    """

    def _step(self, weights, updates, server):
        zeros = zeros_like(weights)
        # tau is taken over the owners of a column, as the mean step is
        ways = [scaled(difference(u.weights, weights), 1 / u.n_steps) for u in updates]
        steps = [
            {n: zeros[n] + u.n_steps for n in u.weights if n in zeros} for u in updates
        ]
        mean, tau = self._mean(zeros, updates, ways), self._mean(zeros, updates, steps)
        return moved(weights, {name: tau[name] * mean[name] for name in weights})
