"""A client's own model, and the scores that it gives to rows it has not seen.

Symbols: n rows, C labels of the client. Rows come in an order that their values decide,
so that folds and fits do not depend on the order of the table.
"""

from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..exceptions import ClientError

_PENALTIES = np.logspace(-3, 2, 6)
_BOUNDS = (0.02, 5.0)  # of the calibration


class LocalScores(NamedTuple):
    """A client's fitted model and what its folds say of it."""

    model: Any  # None if there is nothing to learn
    prior: np.ndarray  # (C,), or mean and deviation of a numeric target
    n_rows: int
    calibration: float
    loss: float
    out_of_fold: np.ndarray  # (n, C) or (n, 1), in the order of the table

    def scores(self, X):
        """Return the scores (n, C) of new rows, or (n, 1) of a numeric target."""
        width = self.out_of_fold.shape[1]
        if self.model is None:
            return np.zeros((len(X), width))
        if width == 1:
            return _numeric_scores(self.model.predict(X), self)
        P = _probabilities(self.model, X, width)
        return _class_scores(_smoothed_log(P, self), self)


def candidates(estimator, is_numeric):
    """Return the models to choose from: the user's one, or a range of penalties."""
    if estimator is not None:
        needed = "predict" if is_numeric else "predict_proba"
        if not hasattr(estimator, needed):
            raise ClientError(
                f"estimator={estimator!r} has no {needed}, which this target needs; "
                "give a regressor for numbers, and for classes a classifier with "
                "probabilities, such as CalibratedClassifierCV around it"
            )
        return [estimator]
    if is_numeric:
        models = [Ridge(alpha=1 / c) for c in _PENALTIES]
    else:
        models = [LogisticRegression(C=c, max_iter=5000) for c in _PENALTIES]
    return [make_pipeline(StandardScaler(), model) for model in models]


def _in_order(X, target):
    """Return the rows' order by target, then by columns."""
    return np.lexsort([*X.T[::-1], target])


def _folds(n, cv):
    """Deal ordered rows to folds like cards: each gets its share of every class."""
    return np.arange(n) % min(cv, n)


def class_scores(models, X, codes, n_classes, cv):
    """Fit the model with the least out-of-fold log-loss.

    Parameters
    ----------
    models : list of classifier
        Candidates.
    X : array of shape (n, d)
        The table.
    codes : int array of shape (n,)
        Class of each row, 0 to C - 1, each of which occurs.
    n_classes : int
        C.
    cv : int
        Number of folds at most.
    """
    n, order = len(X), _in_order(X, codes)
    prior = np.bincount(codes, minlength=n_classes) / n
    nothing = LocalScores(None, prior, n, 1.0, 0.0, np.zeros((n, n_classes)))
    if n_classes < 2:
        return nothing
    X, codes = X[order], codes[order]
    folds, fits = _folds(n, cv), []
    for model in models:
        P = np.tile(prior, (n, 1))
        for f in range(folds.max() + 1):
            train, test = folds != f, folds == f
            if len(np.unique(codes[train])) > 1:  # else no evidence: the shares
                fitted = clone(model).fit(X[train], codes[train])
                P[test] = _probabilities(fitted, X[test], n_classes)
        log = _smoothed_log(P, nothing)
        loss = -np.mean(log[np.arange(n), codes])
        fits.append((loss, model, log))
    _, model, log = min(fits, key=itemgetter(0))

    def loss_at(b):
        return np.mean(logsumexp(b * log, axis=1) - b * log[np.arange(n), codes])

    found = minimize_scalar(
        lambda b: loss_at(b) + b**2 / (2 * n),  # a flat loss is no evidence
        bounds=_BOUNDS,
        method="bounded",
    )
    result = nothing._replace(
        model=clone(model).fit(X, codes),
        calibration=float(found.x),
        loss=float(loss_at(found.x)),
    )
    return result._replace(out_of_fold=_back(_class_scores(log, result), order))


def numeric_scores(models, X, y, cv):
    """Fit the model with the least out-of-fold squared error.

    Parameters
    ----------
    models : list of regressor
        Candidates.
    X : array of shape (n, d)
        The table.
    y : array of shape (n,)
        The target.
    cv : int
        Number of folds at most.
    """
    n, order = len(X), _in_order(X, y)
    moments = np.array([y.mean(), y.std()])
    nothing = LocalScores(None, moments, n, 0.0, 1.0, np.zeros((n, 1)))
    if n < 2 or moments[1] <= 1e-12 * abs(moments[0]):
        return nothing
    X, y = X[order], y[order]
    folds, fits = _folds(n, cv), []
    for model in models:
        predicted = np.empty(n)
        for f in range(folds.max() + 1):
            train, test = folds != f, folds == f
            predicted[test] = clone(model).fit(X[train], y[train]).predict(X[test])
        loss = np.mean((predicted - y) ** 2)
        fits.append((loss, model, predicted))
    _, model, predicted = min(fits, key=itemgetter(0))
    shift, z = ((v - moments[0]) / moments[1] for v in (predicted, y))
    slope = float(np.clip(shift @ z / (shift @ shift + 1), 0.0, _BOUNDS[1]))
    result = nothing._replace(model=clone(model).fit(X, y), calibration=slope)
    Z = _numeric_scores(predicted, result)
    loss = float(np.mean((Z[:, 0] - z) ** 2))
    return result._replace(loss=loss, out_of_fold=_back(Z, order))


def _back(Z, order):
    """Return ordered rows in the order of the table."""
    placed = np.empty_like(Z)
    placed[order] = Z
    return placed


def _probabilities(model, X, n_classes):
    """Return probabilities (n, C), 0 for classes that the model has not seen."""
    P = np.zeros((len(X), n_classes))
    P[:, np.asarray(model.classes_, dtype=int)] = model.predict_proba(X)
    return P


def _smoothed_log(P, local):
    """Return log-probabilities, as if one more row had the classes' shares."""
    return np.log((local.n_rows * P + local.prior) / (local.n_rows + 1))


def _class_scores(log, local):
    """Return what the rows say beyond the classes' shares, with mean 0 over classes."""
    scores = local.calibration * log - np.log(local.prior)
    return scores - scores.mean(axis=1, keepdims=True)


def _numeric_scores(predicted, local):
    """Return predictions in deviations of the target, shrunk as far as they err."""
    mean, deviation = local.prior
    return (local.calibration * (predicted - mean) / deviation)[:, None]
