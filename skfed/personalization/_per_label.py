"""One model for each of several labels that do not exclude each other."""

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from ._label_sets import LabelSetClassifier


class PerLabel(LabelSetClassifier):
    """A classifier of two classes for each column of an indicator matrix.

    Parameters
    ----------
    estimator : classifier
        Cloned for each label. One that no row has, or every row, is predicted as it is.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        """Fit one clone per column of y (n, C)."""
        self.estimators_ = [choice(self.estimator, X, column) for column in y.T]
        self.classes_ = np.arange(y.shape[1])
        return self

    def predict_proba(self, X):
        """Return each label's probability, shape (n, C)."""
        return np.column_stack([_of_one(model, X) for model in self.estimators_])


def choice(model, X, y):
    """Return a fitted clone; of a constant where the labels leave no choice."""
    if len(np.unique(y)) in (1, len(y)):
        return DummyClassifier().fit(X, y)
    return clone(model).fit(X, y)


def _of_one(model, X):
    """Return the probability of 1 (n,), 0 where the model knows only 0."""
    known = np.flatnonzero(model.classes_ == 1)
    proba = model.predict_proba(X)
    return proba[:, known[0]] if len(known) else np.zeros(len(proba))
