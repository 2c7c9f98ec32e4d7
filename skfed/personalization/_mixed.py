"""The mixture that predicts for one client, as a scikit-learn model."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ._label_sets import LabelSetClassifier
from ._losses import mix_labels, mix_probabilities, mix_values


class _Mixed(BaseEstimator):
    def __init__(self, models, weights):
        self.models = models
        self.weights = weights

    def fit(self, X, y=None):
        """Refuse: the members are fitted by the federation."""
        raise TypeError(
            "this mixture was made by a federation; refit the federated estimator"
        )

    def __sklearn_is_fitted__(self):
        return True

    def _predictions(self, X, predict):
        """Return the predictions of the members that have a weight, and the weights."""
        used = {n: w for n, w in self.weights.items() if w > 0}
        return [predict(self.models[n], X) for n in used], np.array(list(used.values()))


class MixedClassifier(ClassifierMixin, _Mixed):
    """Weighted geometric mean of the members' probabilities, normalised.

    Parameters
    ----------
    models : dict
        ``{member: fitted classifier}`` for the client's tables.
    weights : dict
        ``{member: weight}``, at least 0.
    classes : array of shape (n_classes,)
        The union of all clients' labels; a member gives 0 to those it does not know.
    """

    def __init__(self, models, weights, classes):
        super().__init__(models, weights)
        self.classes = classes

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return np.asarray(self.classes)

    def predict_proba(self, X):
        """Return probabilities of shape (n, n_classes) for rows of the table."""
        predictions, weights = self._predictions(X, self._proba)
        if not predictions:
            n = len(self._proba(next(iter(self.models.values())), X))
            return np.full((n, len(self.classes_)), 1 / len(self.classes_))
        if len(predictions) == 1 and weights[0] == 1:
            return predictions[0]
        return mix_probabilities(np.stack(predictions), weights)

    def _proba(self, model, X):
        return spread(model.predict_proba(X), model.classes_, self.classes_)

    def predict(self, X):
        """Return the most probable label of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class MixedLabelSets(LabelSetClassifier, _Mixed):
    """Weighted geometric mean of each label's probabilities, against not having it.

    Parameters
    ----------
    models : dict
        ``{member: fitted classifier}`` for the client's tables.
    weights : dict
        ``{member: weight}``, at least 0.
    classes : array of shape (C,)
        The labels.
    """

    def __init__(self, models, weights, classes):
        super().__init__(models, weights)
        self.classes = classes

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return np.asarray(self.classes)

    def predict_proba(self, X):
        """Return each label's probability, (n, C), for rows of the table."""
        predictions, weights = self._predictions(X, lambda m, X: m.predict_proba(X))
        if not predictions:
            n = len(next(iter(self.models.values())).predict_proba(X))
            return np.full((n, len(self.classes_)), 0.5)
        if len(predictions) == 1 and weights[0] == 1:
            return predictions[0]
        return mix_labels(np.stack(predictions), weights)


class MixedRegressor(RegressorMixin, _Mixed):
    """Weighted sum of what the members predict apart from the client's mean.

    Parameters
    ----------
    models : dict
        ``{member: fitted regressor}`` for the client's tables.
    weights : dict
        ``{member: weight}``, at least 0.
    center : float or array of shape (m,)
        The client's mean targets.
    fixed : bool array of shape (m,), default=None
        Targets that do not vary at the client, predicted as they are.
    """

    def __init__(self, models, weights, center=0.0, fixed=None):
        super().__init__(models, weights)
        self.center = center
        self.fixed = fixed

    def predict(self, X):
        """Return the predicted targets of each row of the table, (n,) or (n, m)."""
        predictions, weights = self._predictions(X, lambda model, X: model.predict(X))
        if not predictions:
            n = len(next(iter(self.models.values())).predict(X))
            return np.full((n, *np.shape(self.center)), self.center, dtype=np.float64)
        if len(predictions) == 1 and weights[0] == 1:
            mixed = predictions[0]
        else:
            mixed = mix_values(np.stack(predictions), weights, self.center)
        return mixed if self.fixed is None else np.where(self.fixed, self.center, mixed)


def spread(proba, own, classes):
    """Return probabilities with a column for every class, 0 where a model has none."""
    if len(own) == len(classes) and np.array_equal(own, classes):
        return np.asarray(proba, dtype=np.float64)
    full = np.zeros((len(proba), len(classes)))
    full[:, np.searchsorted(classes, own)] = proba
    return full
