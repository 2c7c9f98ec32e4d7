"""Two-way mixture of a local and a federated model."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from ._base import Personalizer

WEIGHTS = np.linspace(0, 1, 21)


class Mixture(Personalizer):
    r"""Mix the local model with one federated model.

    Regression: :math:`(1 - \lambda) f_k + \lambda f`. Classification: the
    normalised geometric mean with the same exponents, in which the client's class
    shares enter once, since both models carry them.

    Parameters
    ----------
    weight : "oof" or float, default="oof"
        Weight of the federated model. "oof": of the least out-of-fold loss, for each
        client. A number in [0, 1] needs no folds; 0.5 is nearly as safe as a gate.
    federated : str or (str, aligner), default="federated"
        The federated member, see :class:`HierarchicalStacking`.
    local : str or (str, estimator), default="local"
        The local member.
    n_folds : int, default=3
        Folds of the out-of-fold predictions for "oof".
    tuning_epochs : int, default=10
        Local epochs of the member "fine_tuned".

    See Also
    --------
    HierarchicalStacking : Mixes more members, with weights that clients share.

    Notes
    -----
    What leaves the client: what the federated member's training sends, with "oof"
    ``n_folds`` + 1 times. Losses and weight stay at home.

    References
    ----------
    .. [1] Y. Deng, M. M. Kamani, M. Mahdavi, "Adaptive Personalized Federated
       Learning", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.personalization import Evidence, Mixture
    >>> target = np.array([0.0, 1.0, 2.0, 3.0])
    >>> predictions = np.array([target - 1, target + 1])
    >>> names = ["local", "federated"]
    >>> evidence = Evidence(names, predictions, target, "regression", center=1.5)
    >>> Mixture().weights(evidence, {})
    array([0.5, 0.5])
    """

    def __init__(
        self,
        weight="oof",
        federated="federated",
        local="local",
        n_folds=3,
        tuning_epochs=10,
    ):
        self.weight = weight
        self.federated = federated
        self.local = local
        self.n_folds = n_folds
        self.tuning_epochs = tuning_epochs

    @property
    def needs_folds(self):
        """Whether the weight is chosen on evidence."""
        return isinstance(self.weight, str)

    def choose_members(self, task):
        """Return the members of a mixture for a task.

        Parameters
        ----------
        task : {"classification", "multilabel", "regression"}
            The task of the fit.

        Returns
        -------
        members : list of str or (str, estimator)
            The members.
        """
        if isinstance(self.weight, str) and self.weight != "oof":
            raise ValueError(f"weight={self.weight!r}; give 'oof' or a number")
        if not isinstance(self.weight, str):
            check_scalar(self.weight, "weight", Real, min_val=0, max_val=1)
        return [self.local, self.federated]

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
        weight = self.weight
        if self.needs_folds:
            weight = 0.5
            if len(evidence):
                pairs = [np.array([1 - w, w]) for w in WEIGHTS]
                losses = [evidence.loss(pair).mean() for pair in pairs]
                weight = WEIGHTS[int(np.argmin(losses))]
        return np.array([1.0 - weight, float(weight)])
