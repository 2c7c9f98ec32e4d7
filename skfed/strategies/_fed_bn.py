"""FedBN: batch normalisation stays at home."""

import warnings

from ..exceptions import StrategyWarning
from ._fedavg import FedAvg


class FedBN(FedAvg):
    """Federated averaging of all but the batch normalisation layers.

    Their weights and running statistics follow each client's own distribution [1]_. The
    net needs such layers: ``SkipMLP`` has them with ``batch_norm=True``. Without them
    nothing stays at home, and a warning says so.

    Parameters
    ----------
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Warns
    -----
    skfed.exceptions.StrategyWarning
        If the net has no batch normalisation layer.

    Notes
    -----
    What leaves the client: the weights of the other layers.

    References
    ----------
    .. [1] X. Li, M. Jiang, X. Zhang, M. Kamp, Q. Dou, "FedBN: Federated Learning on
       Non-IID Features via Local Batch Normalization", ICLR 2021.

    Examples
    --------
    >>> from skfed.strategies import FedBN
    >>> FedBN()
    FedBN()
    """

    def _kept_at_home(self, net, n_inputs):
        """Return the names of the batch normalisation layers' weights and buffers."""
        from ..nets._parts import normalization_parameters

        names = normalization_parameters(net)
        if not names:
            warnings.warn(
                "FedBN: the net has no batch normalisation layer, so that all its "
                "parameters are averaged; use SkipMLP(batch_norm=True), or FedAvg",
                StrategyWarning,
                stacklevel=2,
            )
        return names
