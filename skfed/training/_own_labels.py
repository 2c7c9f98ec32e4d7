"""Probabilities of a client's own labels alone."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ..personalization._label_sets import LabelSetClassifier


def own_labels(predictors, labels, several=False):
    """Return clients' classifiers, each with its own labels alone.

    Parameters
    ----------
    predictors : dict
        ``{client: fitted model}``.
    labels : dict
        ``{client: its labels}``; other clients' models stay as they are.
    several : bool, default=False
        Whether a row may have several labels.
    """
    found = {}
    for name, model in predictors.items():
        found[name] = model
        if name in labels:
            held = np.isin(model.classes_, labels[name])
            narrow = OwnLabelSets if several else OwnLabels
            found[name] = model if held.all() else narrow(model, held)
    return found


class _Own(BaseEstimator):
    def __init__(self, model, held):
        self.model = model
        self.held = held

    def fit(self, X, y=None):
        """Refuse: the model was fitted in a federation."""
        raise TypeError("this step was fitted in a federation")

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return self.model.classes_


class OwnLabels(ClassifierMixin, _Own):
    """A classifier that gives labels which its client never had probability 0.

    Parameters
    ----------
    model : classifier
        The fitted model.
    held : bool array of shape (n_classes,)
        The labels that the client has.
    """

    def predict_proba(self, X):
        """Return probabilities of shape (n, n_classes), 0 where a label is absent."""
        p = self.model.predict_proba(X) * self.held
        total = p.sum(axis=1, keepdims=True)
        even = self.held / self.held.sum()  # the model knows none of the client's
        return np.where(total > 0, p / np.where(total > 0, total, 1.0), even)

    def predict(self, X):
        """Return the most probable of the client's labels for each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class OwnLabelSets(LabelSetClassifier, _Own):
    """The same for labels that do not exclude each other.

    Parameters
    ----------
    model : classifier
        The fitted model.
    held : bool array of shape (C,)
        The labels that the client has.
    """

    def predict_proba(self, X):
        """Return each label's probability, (n, C), 0 where it is absent."""
        return self.model.predict_proba(X) * self.held
