"""The shared net after some local epochs."""

from ._base import Personalizer


class FineTuning(Personalizer):
    """Train the shared net on, at each client, for a few local epochs.

    Cheap, and of large effect under shift; but no client's evidence is asked, so some
    clients lose by it.

    Parameters
    ----------
    tuning_epochs : int, default=10
        Local epochs from the shared weights, with the net's own optimizer.

    See Also
    --------
    HierarchicalStacking : Lets the evidence decide; the default.

    Notes
    -----
    What leaves the client: nothing. The tuned weights stay at home.

    References
    ----------
    .. [1] K. Matsuda, Y. Sasaki, C. Xiao, M. Onizuka, "An Empirical Study of
       Personalized Federated Learning", 2022.

    Examples
    --------
    >>> from skfed import FederatedRegressor
    >>> from skfed.personalization import FineTuning
    >>> FederatedRegressor(personalizer=FineTuning(tuning_epochs=5)).personalizer
    FineTuning(tuning_epochs=5)
    """

    members = ["fine_tuned"]

    def __init__(self, tuning_epochs=10):
        self.tuning_epochs = tuning_epochs
