"""A client's out-of-fold predictions, from which its mixture is chosen."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, softmax

FLOOR = 1e-3  # least probability of a class, so that no member is ever certain


@dataclass
class Evidence:
    """Predictions that a client's members made for rows they had not seen.

    It never leaves the client.

    Parameters
    ----------
    names : list of str
        The q members.
    predictions : array of shape (q, n), (q, n, m) or (q, n, n_classes)
        Predicted targets, m for each row where it has several, or probabilities.
    target : array of shape (n,) or (n, m)
        Targets, or class codes.
    task : {"classification", "regression"}
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
        if self.task == "classification":
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
            Log-loss, or squared error in units of the target's variance, the mean
            over the targets where a row has several.
        """
        if self.task == "classification":
            return -np.stack(
                [member[np.arange(len(self)), self.target] for member in self._logs()]
            )
        return self._by_row(((self.target - self.predictions) / self.scale) ** 2)

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
        if self.task == "classification":
            mixed = mix_probabilities(self.predictions, weights)
            return -np.log(mixed[np.arange(len(self)), self.target])
        mixed = mix_values(self.predictions, weights, self.center)
        return self._by_row(((self.target - mixed) / self.scale) ** 2)

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
        n = len(self)
        if self.task == "classification":
            L = self._logs()
            p = softmax(np.tensordot(weights, L, axes=1), axis=1)
            rows = np.arange(n)
            mean = np.einsum("qnc,nc->qn", L, p)
            gradient = (mean - L[:, rows, self.target]).mean(axis=1)
            hessian = (np.einsum("qnc,nc,rnc->qr", L, p, L) - mean @ mean.T) / n
            return -np.log(p[rows, self.target]).mean(), gradient, hessian
        M = (self.predictions - self.center) / self.scale
        y = (self.target - self.center) / self.scale
        M, y = M.reshape(len(M), -1), y.ravel()
        n = len(y)
        error = weights @ M - y
        return (error**2).mean(), 2 * M @ error / n, 2 * M @ M.T / n

    def _by_row(self, losses):
        return losses.mean(axis=-1) if self.target.ndim == 2 else losses

    def _logs(self):
        return log_probabilities(self.predictions)


def log_probabilities(p):
    """Return the logarithm of floored probabilities of shape (..., n_classes)."""
    return np.log((1 - p.shape[-1] * FLOOR) * p + FLOOR)


def mix_probabilities(predictions, weights):
    """Return the weighted geometric mean of probabilities (q, n, C), normalised."""
    return np.exp(
        log_softmax(np.tensordot(weights, log_probabilities(predictions), 1), axis=1)
    )


def mix_values(predictions, weights, center):
    """Return ``center + sum_j w_j (m_j - center)`` of predictions (q, n[, m])."""
    if predictions.ndim == 2:
        return center + weights @ (predictions - center)
    return center + np.tensordot(weights, predictions - center, axes=1)
