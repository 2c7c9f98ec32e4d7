"""A linear model of the client's own, on top of what a shared model says."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import Ridge

from ..personalization._label_sets import LabelSetClassifier


def fit_block(model, Z, y, penalty, columns):
    """Return the coefficients and the intercept of a client's own block.

    Their shapes are (q, C) and (C,), in regression (q,) and () or (q, m) and (m,).

    Classification: ``penalty / 2 |H|^2`` plus the log-loss of
    ``softmax(log p(z) + z H + b)``, summed over the rows; b has the same penalty, since
    a class may be absent. Regression: a ridge on the residuals.

    Parameters
    ----------
    model : estimator
        The shared model of aligned rows, whose outputs are fixed offsets.
    Z : array of shape (n, q)
        The client's aligned rows.
    y : array of shape (n,) or (n, m)
        Class codes, or targets in the model's units.
    penalty : float
        Strength of the penalty, in rows.
    columns : bool
        Whether the block has coefficients; without them it is a bias.
    """
    Z = np.asarray(Z, dtype=np.float64)
    if not hasattr(model, "predict_proba"):
        residual = y - model.predict(Z)
        if not columns:
            bias = residual.sum(axis=0) / (len(y) + penalty)
            return np.zeros((Z.shape[1], *y.shape[1:])), bias
        ridge = Ridge(alpha=penalty).fit(Z, residual)
        return ridge.coef_.T, ridge.intercept_
    offset = _logs(model, Z)
    C, q = offset.shape[1], Z.shape[1] if columns else 0
    rows = np.hstack([Z[:, :q], np.ones((len(Z), 1))])
    hot = np.eye(C)[y]

    def objective(flat):
        H = flat.reshape(q + 1, C)
        logs = log_softmax(offset + rows @ H, axis=1)
        gradient = rows.T @ (np.exp(logs) - hot) + penalty * H
        return penalty / 2 * (H**2).sum() - (logs * hot).sum(), gradient.ravel()

    start = np.zeros((q + 1) * C)
    H = minimize(objective, start, jac=True, method="L-BFGS-B").x.reshape(q + 1, C)
    coef = H[:q] if columns else np.zeros((Z.shape[1], C))
    return coef, H[q]


def fit_logits(model, Z, y, penalty, columns):
    """Return the same where rows have several labels, as terms of each label's logit.

    Parameters are those of :func:`fit_block`, with y an indicator (n, C).
    """
    Z = np.asarray(Z, dtype=np.float64)
    offset = _logits(model, Z)
    C, q = offset.shape[1], Z.shape[1] if columns else 0
    rows = np.hstack([Z[:, :q], np.ones((len(Z), 1))])

    def objective(flat):
        H = flat.reshape(q + 1, C)
        logits = offset + rows @ H
        loss = (np.logaddexp(0, logits) - y * logits).sum()
        gradient = rows.T @ (expit(logits) - y) + penalty * H
        return penalty / 2 * (H**2).sum() + loss, gradient.ravel()

    start = np.zeros((q + 1) * C)
    H = minimize(objective, start, jac=True, method="L-BFGS-B").x.reshape(q + 1, C)
    return (H[:q] if columns else np.zeros((Z.shape[1], C))), H[q]


def _logits(model, Z):
    return logit(np.clip(model.predict_proba(Z), 1e-9, 1 - 1e-9))


def _logs(model, Z):
    return np.log(np.maximum(model.predict_proba(Z), 1e-9))


class _Block(BaseEstimator):
    def __init__(self, model, coef, intercept):
        self.model = model
        self.coef = coef
        self.intercept = intercept

    def fit(self, X, y=None):
        """Refuse: the model was fitted in a federation."""
        raise TypeError("this step was fitted in a federation")

    def __sklearn_is_fitted__(self):
        return True

    def _own(self, Z):
        return np.asarray(Z, dtype=np.float64) @ self.coef + self.intercept


class BlockClassifier(ClassifierMixin, _Block):
    """A classifier whose log-probabilities get a linear term of the client's own.

    Parameters
    ----------
    model : classifier
        The shared model.
    coef : array of shape (q, n_classes)
        Coefficients of the aligned columns.
    intercept : array of shape (n_classes,)
        The bias.
    """

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return self.model.classes_

    def predict_proba(self, Z):
        """Return probabilities of shape (n, n_classes)."""
        return softmax(_logs(self.model, Z) + self._own(Z), axis=1)

    def predict(self, Z):
        """Return the most probable label of each row."""
        return self.classes_[self.predict_proba(Z).argmax(axis=1)]


class BlockLabelSets(LabelSetClassifier, _Block):
    """A classifier of several labels whose logits get a linear term of the client's.

    Parameters
    ----------
    model : classifier
        The shared model.
    coef : array of shape (q, C)
        Coefficients of the aligned columns.
    intercept : array of shape (C,)
        The bias.
    """

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return self.model.classes_

    def predict_proba(self, Z):
        """Return each label's probability, shape (n, C)."""
        return expit(_logits(self.model, Z) + self._own(Z))


class BlockRegressor(RegressorMixin, _Block):
    """A regressor with a linear term of the client's own.

    Parameters
    ----------
    model : regressor
        The shared model.
    coef : array of shape (q,) or (q, m)
        Coefficients of the aligned columns.
    intercept : float or array of shape (m,)
        The bias.
    """

    def predict(self, Z):
        """Return the predicted targets of each row, shape (n,) or (n, m)."""
        return self.model.predict(Z) + self._own(Z)
