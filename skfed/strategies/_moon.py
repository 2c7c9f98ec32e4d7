"""MOON: representations near the shared model's, away from the client's last."""

from numbers import Real

from .._compat import Interval
from ._fedavg import FedAvg
from ._messages import Represent, Train


class Moon(FedAvg):
    r"""Model-contrastive federated learning.

    To a client's loss comes, for each row with representation z under the weights in
    training, :math:`z_g` under the server's and :math:`z_p` under the client's of its
    round before,

    .. math::

       \mu \, \log \bigl( 1 + \exp((\cos(z, z_p) - \cos(z, z_g)) / \tau) \bigr) ,

    so that rows come to where the shared model has them [1]_. The representation is the
    input of the output layer.

    Parameters
    ----------
    mu : float, default=1.0
        Weight of the contrastive term.
    temperature : float, default=0.5
        The temperature :math:`\tau`.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`. The net needs a hidden
    layer.

    References
    ----------
    .. [1] Q. Li, B. He, D. Song, "Model-Contrastive Federated Learning", CVPR 2021.

    Examples
    --------
    >>> from skfed.strategies import Moon
    >>> Moon(mu=5.0)
    Moon(mu=5.0)
    """

    differs_alone = "a single client too is drawn away from its last representation"

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "mu": [Interval(Real, 0, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, mu=1.0, temperature=0.5, weighting="rows", ownership=True):
        self.mu = mu
        self.temperature = temperature
        self.weighting = weighting
        self.ownership = ownership

    def _client_update(self, client):
        """Train with the contrastive term, from the second time on."""
        penalty = None
        if "previous" in client.memory:
            z_global = yield Represent(client.weights)
            z_previous = yield Represent(client.memory["previous"])
            penalty = self._contrast(z_global, z_previous)
        trained = yield Train(client.weights, penalty=penalty)
        client.memory["previous"] = trained.weights
        return trained.weights

    def _contrast(self, z_global, z_previous):
        """Return the term of a batch, given its representation and its rows."""
        import torch
        from torch.nn.functional import cosine_similarity, softplus

        near, away = torch.as_tensor(z_global), torch.as_tensor(z_previous)

        def penalty(z, rows):
            here = rows.cpu()
            to_near = cosine_similarity(z, near[here].to(z))
            to_away = cosine_similarity(z, away[here].to(z))
            return self.mu * softplus((to_away - to_near) / self.temperature).mean()

        return penalty
