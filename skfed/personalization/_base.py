"""The contract of personalizers."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_scalar

from ._members import AUTO, resolve


class Personalizer(BaseEstimator):
    """Base class: what each client makes of local and federated models.

    A personalizer says which models are wanted (:meth:`choose_members`), whether their
    out-of-fold predictions are needed as evidence (``n_folds``), and how a client
    comes from evidence to weights. The clients may exchange statistics of their
    evidence in between, in the vocabulary of federated steps: a client's
    :meth:`client_statistics`, the server's :meth:`merge`, until that says "done", and
    the client's :meth:`weights`. The evidence stays at home.

    Attributes
    ----------
    n_folds : int
        Folds of the out-of-fold predictions; 0 where weights need no evidence.

    Examples
    --------
    Three parts local, one federated, without any evidence:

    >>> import numpy as np
    >>> from skfed.personalization import Personalizer
    >>> class MostlyLocal(Personalizer):
    ...     members = ["local", "federated"]
    ...     def weights(self, evidence, shared):
    ...         return np.array([0.75, 0.25])
    >>> MostlyLocal().specifications("regression")[0]
    ['local', 'federated']
    """

    members: str | list = "auto"
    n_folds: int = 0
    tuning_epochs: int = 10
    penalty: float = 10.0
    columns: bool = True

    @property
    def needs_folds(self):
        """Whether out-of-fold predictions are needed."""
        return self.n_folds > 0

    def choose_members(self, task):
        """Return the members of a mixture: ``members``, or the default for the task.

        Parameters
        ----------
        task : {"classification", "multilabel", "regression"}
            The task of the fit; "multilabel" is a classification whose labels do not
            exclude each other.

        Returns
        -------
        members : list of str or (str, estimator)
            Names of known members, or named estimators and aligners.
        """
        if isinstance(self.members, str) and self.members == "auto":
            return AUTO[task]
        return list(self.members)

    def weights(self, evidence, shared):
        """Return a client's weights of its members; equal ones by default.

        Parameters
        ----------
        evidence : Evidence
            The client's out-of-fold predictions; of no rows where there are none.
        shared : dict
            What :meth:`merge` returned last.

        Returns
        -------
        weights : array of shape (q,)
            At least 0; they need not sum to 1.
        """
        q = len(evidence.names)
        return np.full(q, 1 / q)

    def client_statistics(self, evidence, shared):
        """Return what leaves the client in one exchange; nothing by default.

        Parameters
        ----------
        evidence : Evidence
            The client's out-of-fold predictions.
        shared : dict
            What :meth:`merge` returned last; empty in the first exchange.

        Returns
        -------
        statistics : dict
            Arrays and numbers by name.
        """
        return {}

    def merge(self, statistics, shared):
        """Combine the clients' statistics; ask for another exchange unless "done".

        Parameters
        ----------
        statistics : dict
            ``{client: statistics}``.
        shared : dict
            What the merge before returned.

        Returns
        -------
        shared : dict
            Goes to all clients; the entry "done" ends the exchanges.
        """
        return {"done": True}

    def specifications(self, task):
        """Return the members' names, and what has to be fitted for them.

        Parameters
        ----------
        task : {"classification", "multilabel", "regression"}
            The task of the fit; "multilabel" is a classification whose labels do not
            exclude each other.

        Returns
        -------
        names : list of str
            The members' names, in order.
        specifications : list
            Local models and networks.
        """
        check_scalar(self.tuning_epochs, "tuning_epochs", Integral, min_val=1)
        if self.needs_folds or self.n_folds:
            check_scalar(self.n_folds, "n_folds", Integral, min_val=2)
        self._check_parameters()
        return resolve(self.choose_members(task), task)

    def _check_parameters(self):
        """Raise on a parameter out of range (hook)."""
