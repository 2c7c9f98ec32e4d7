"""A client's out-of-fold predictions, from which its mixture is chosen."""

from dataclasses import dataclass

import numpy as np

from ._losses import LOSSES


@dataclass
class Evidence:
    """Predictions that a client's members made for rows they had not seen.

    It never leaves the client.

    Parameters
    ----------
    names : list of str
        The q members.
    predictions : array of shape (q, n), (q, n, m) or (q, n, n_classes)
        Predicted targets, m for each row where it has several, or probabilities, of
        the classes or of each label.
    target : array of shape (n,), (n, m) or (n, n_classes)
        Targets, class codes, or 1 for each label that a row has.
    task : {"classification", "multilabel", "regression"}
        The task.
    center : float or array of shape (m,), default=0.0
        Mean targets of all of the client's rows, in regression.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.personalization import Evidence
    >>> predictions = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]])
    >>> target = np.array([1.0, 2.0, 3.0])
    >>> evidence = Evidence(["a", "b"], predictions, target, "regression", center=2.0)
    >>> evidence.losses().mean(axis=1)
    array([0., 1.])
    """

    names: list
    predictions: np.ndarray
    target: np.ndarray
    task: str
    center: float | np.ndarray = 0.0

    def __len__(self):
        return len(self.target)

    @property
    def scale(self):
        """Standard deviation of the targets, 1 where they do not vary."""
        if self.task != "regression":
            return 1.0
        if self.target.ndim == 2:
            scale = self.target.std(axis=0) if len(self) else np.zeros(0)
            return np.where(scale, scale, 1.0)
        return (float(np.std(self.target)) if len(self) else 0.0) or 1.0

    def losses(self):
        """Return each member's loss on each row.

        Returns
        -------
        losses : array of shape (q, n)
            Log-loss, or squared error in units of the target's variance; the mean over
            labels or targets where a row has several.
        """
        return LOSSES[self.task].of_members(self)

    def loss(self, weights):
        """Return the loss of a mixture on each row.

        Parameters
        ----------
        weights : array of shape (q,)
            The members' weights.

        Returns
        -------
        loss : array of shape (n,)
            As :meth:`losses`.
        """
        return LOSSES[self.task].of_mixture(self, weights)

    def derivatives(self, weights):
        """Return a mixture's mean loss and its derivatives in the weights.

        Parameters
        ----------
        weights : array of shape (q,)
            The members' weights.

        Returns
        -------
        loss : float
            Mean over the rows.
        gradient : array of shape (q,)
            First derivatives.
        hessian : array of shape (q, q)
            Second derivatives.
        """
        return LOSSES[self.task].derivatives(self, weights)
