"""Multi-Krum: the mean of the updates with the nearest neighbours."""

from ._krum import Krum


class MultiKrum(Krum):
    """Average the n - f clients that have the least score of :class:`Krum`.

    Slower to be deceived than the mean, and less noisy than a single client [1]_.

    Parameters
    ----------
    n_faulty : int, default=1
        How many of the n clients of a round may be faulty.
    ownership : bool, default=True
        As in :class:`Krum`.

    Notes
    -----
    What leaves the client: its weights, as with :class:`FedAvg`.

    References
    ----------
    .. [1] P. Blanchard, E. M. El Mhamdi, R. Guerraoui, J. Stainer, "Machine Learning
       with Adversaries: Byzantine Tolerant Gradient Descent", NeurIPS 2017.

    Examples
    --------
    >>> from skfed.strategies import MultiKrum
    >>> MultiKrum(n_faulty=2)
    MultiKrum(n_faulty=2)
    """

    def _n_taken(self, n):
        """Return how many updates are averaged."""
        return max(n - self.n_faulty, 1)
