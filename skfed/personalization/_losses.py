"""The loss of each task: of members, of mixtures, and its derivatives in the weights.

Every class reads the evidence of one client; see ``Evidence`` for shapes.
"""

from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

FLOOR = 1e-3  # least probability of a class, so that no member is ever certain


class LogLoss:
    """Log-loss of labels that exclude each other."""

    @staticmethod
    def of_members(evidence):
        """Return each member's loss on each row, (q, n)."""
        rows = np.arange(len(evidence))
        logs = log_probabilities(evidence.predictions)
        return -np.stack([member[rows, evidence.target] for member in logs])

    @staticmethod
    def of_mixture(evidence, weights):
        """Return the loss of a mixture on each row, (n,)."""
        mixed = mix_probabilities(evidence.predictions, weights)
        return -np.log(mixed[np.arange(len(evidence)), evidence.target])

    @staticmethod
    def derivatives(evidence, weights):
        """Return a mixture's mean loss, its gradient (q,) and Hessian (q, q)."""
        n = len(evidence)
        L = log_probabilities(evidence.predictions)
        p = softmax(np.tensordot(weights, L, axes=1), axis=1)
        rows = np.arange(n)
        mean = np.einsum("qnc,nc->qn", L, p)
        gradient = (mean - L[:, rows, evidence.target]).mean(axis=1)
        hessian = (np.einsum("qnc,nc,rnc->qr", L, p, L) - mean @ mean.T) / n
        return -np.log(p[rows, evidence.target]).mean(), gradient, hessian


class LabelSetLoss:
    """Mean over labels of their log-loss, where they do not exclude each other.

    To have a label or not are two classes, so it is that of n C rows of two classes.
    """

    @staticmethod
    def of_members(evidence):
        """Return each member's loss on each row, (q, n)."""
        losses = LogLoss.of_members(_one_by_one(evidence))
        return losses.reshape(evidence.predictions.shape).mean(axis=-1)

    @staticmethod
    def of_mixture(evidence, weights):
        """Return the loss of a mixture on each row, (n,)."""
        losses = LogLoss.of_mixture(_one_by_one(evidence), weights)
        return losses.reshape(evidence.target.shape).mean(axis=-1)

    @staticmethod
    def derivatives(evidence, weights):
        """Return a mixture's mean loss, its gradient (q,) and Hessian (q, q)."""
        return LogLoss.derivatives(_one_by_one(evidence), weights)


class SquaredError:
    """Squared error in units of the target's variance; of several targets the mean."""

    @staticmethod
    def of_members(evidence):
        """Return each member's loss on each row, (q, n)."""
        return _by_row(evidence, evidence.predictions)

    @staticmethod
    def of_mixture(evidence, weights):
        """Return the loss of a mixture on each row, (n,)."""
        mixed = mix_values(evidence.predictions, weights, evidence.center)
        return _by_row(evidence, mixed)

    @staticmethod
    def derivatives(evidence, weights):
        """Return a mixture's mean loss, its gradient (q,) and Hessian (q, q)."""
        M = (evidence.predictions - evidence.center) / evidence.scale
        y = (evidence.target - evidence.center) / evidence.scale
        M, y = M.reshape(len(M), -1), y.ravel()
        error, n = weights @ M - y, len(y)
        return (error**2).mean(), 2 * M @ error / n, 2 * M @ M.T / n


LOSSES: dict[str, Any] = {
    "classification": LogLoss,
    "multilabel": LabelSetLoss,
    "regression": SquaredError,
}


def _by_row(evidence, predictions):
    losses = ((evidence.target - predictions) / evidence.scale) ** 2
    return losses.mean(axis=-1) if evidence.target.ndim == 2 else losses


def _one_by_one(evidence):
    """Return the evidence with one row for each row and label, of two classes."""
    return type(evidence)(
        evidence.names,
        _or_not(evidence.predictions),
        evidence.target.ravel(),
        "classification",
    )


def _or_not(p):
    """Return probabilities (q, n, C) of labels as (q, n C, 2) of not having them."""
    return np.stack([1 - p, p], axis=-1).reshape(len(p), -1, 2)


def log_probabilities(p):
    """Return the logarithm of floored probabilities of shape (..., n_classes)."""
    return np.log((1 - p.shape[-1] * FLOOR) * p + FLOOR)


def mix_probabilities(predictions, weights):
    """Return the weighted geometric mean of probabilities (q, n, C), normalised."""
    return np.exp(
        log_softmax(np.tensordot(weights, log_probabilities(predictions), 1), axis=1)
    )


def mix_labels(predictions, weights):
    """Return the same of labels that do not exclude each other, each for itself."""
    mixed = mix_probabilities(_or_not(predictions), weights)
    return mixed[:, 1].reshape(predictions.shape[1:])


def mix_values(predictions, weights, center):
    """Return ``center + sum_j w_j (m_j - center)`` of predictions (q, n[, m])."""
    if predictions.ndim == 2:
        return center + weights @ (predictions - center)
    return center + np.tensordot(weights, predictions - center, axes=1)
