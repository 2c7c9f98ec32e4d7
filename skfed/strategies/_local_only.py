"""Every client trains alone: the baseline."""

from ._fedavg import FedAvg


class LocalOnly(FedAvg):
    """No federation: each client trains the net on its own rows.

    The baseline of every other strategy, with the same aligner, net, rounds and epochs.
    Nothing is averaged and no weight is sent.

    Parameters
    ----------
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        Without effect; as in :class:`FedAvg`.
    ownership : bool, default=True
        Without effect; as in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: the number of its rows and its training loss, once a round.

    Examples
    --------
    >>> from skfed.strategies import LocalOnly
    >>> LocalOnly()
    LocalOnly()
    """

    def _kept_at_home(self, net, n_inputs):
        """Return the names of all parameters."""
        from ..nets._parts import all_parameters

        return all_parameters(net)
