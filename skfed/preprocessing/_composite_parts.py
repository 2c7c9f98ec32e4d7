"""What stands for a federated step inside a composite, before and after its fit."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.frozen import FrozenEstimator


class Reached(Exception):
    """Carries what a probe was given out of the composite's fit."""

    def __init__(self, index, X, y):
        super().__init__(f"step {index} was reached")
        self.index, self.X, self.y = index, X, y


class FrozenWithFitRows(TransformerMixin, FrozenEstimator):
    """A fitted federated step that treats the rows it was fitted on apart.

    A ``FrozenEstimator`` has no ``fit_transform``, so that composites would transform
    these rows as if they were new.
    """

    def __init__(self, estimator, shared=None):
        super().__init__(estimator)
        self.shared = shared

    def fit_transform(self, X, y=None):
        """Return what the step made of these rows when it was fitted on them."""
        if hasattr(self.estimator, "_fitted_rows"):  # a composite kept the answers
            return self.estimator._fitted_rows(X, y)
        return self.estimator.fit_shared_transform(X, y, self.shared)

    def transform(self, X):
        return self.estimator.transform(X)


class Probe(TransformerMixin, BaseEstimator):
    """Stands for a federated step and stops the fit once its data arrive."""

    def __init__(self, index=0):
        self.index = index

    def fit(self, X, y=None, **params):
        raise Reached(self.index, X, y)

    def transform(self, X):
        return X

    def get_feature_names_out(self, input_features=None):
        return input_features
