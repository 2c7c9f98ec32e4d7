"""One member per client, the local one unless another is better beyond doubt."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from ._base import Personalizer


class Gate(Personalizer):
    r"""Let every client pick one model by its out-of-fold loss.

    With the losses :math:`\ell_{ji}` of member j on row i and :math:`j^*` the member
    of the least mean, client k takes :math:`j^*` if
    :math:`\bar d + t\, \mathrm{SE}(d) < 0` for
    :math:`d_i = \ell_{j^* i} - \ell_{1 i}`, and the first member otherwise: the rule
    of one standard error for t = 1, with the local model as the simple one.

    Parameters
    ----------
    members : "auto" or list, default="auto"
        The members, see :class:`HierarchicalStacking`; the first is taken in doubt.
    n_standard_errors : float, default=1.0
        Standard errors t by which another member has to be better; 0 takes the best.
    n_folds : int, default=3
        Folds of the out-of-fold predictions.
    tuning_epochs : int, default=10
        Local epochs of the member "fine_tuned".

    See Also
    --------
    HierarchicalStacking : Mixes instead of picking; the default.

    Notes
    -----
    What leaves the client: what the members' training sends, ``n_folds`` + 1 times.
    Losses and choice stay at home.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression
       Trees", 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.personalization import Evidence, Gate
    >>> target = np.array([0.0, 1.0, 2.0, 3.0])
    >>> predictions = np.array([[1.0, 1.0, 2.0, 2.0], target])
    >>> names = ["local", "federated"]
    >>> evidence = Evidence(names, predictions, target, "regression", center=1.5)
    >>> Gate().weights(evidence, {})
    array([0., 1.])
    """

    def __init__(
        self, members="auto", n_standard_errors=1.0, n_folds=3, tuning_epochs=10
    ):
        self.members = members
        self.n_standard_errors = n_standard_errors
        self.n_folds = n_folds
        self.tuning_epochs = tuning_epochs

    def _check_parameters(self):
        """Raise on a negative number of standard errors."""
        check_scalar(self.n_standard_errors, "n_standard_errors", Real, min_val=0)

    def weights(self, evidence, shared):
        """Return a client's weights of its members.

        Parameters
        ----------
        evidence : Evidence
            The client's out-of-fold predictions.
        shared : dict
            What the last merge returned.

        Returns
        -------
        weights : array of shape (q,)
            At least 0.
        """
        taken = np.zeros(len(evidence.names))
        taken[self._choice(evidence)] = 1.0
        return taken

    def _choice(self, evidence):
        n = len(evidence)
        if n < 2:
            return 0
        losses = evidence.losses()
        best = int(losses.mean(axis=1).argmin())
        d = losses[best] - losses[0]
        error = d.std(ddof=1) / np.sqrt(n)
        return best if d.mean() + self.n_standard_errors * error < 0 else 0
