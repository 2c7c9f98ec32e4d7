"""Models of labels that do not exclude each other."""

from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin


class LabelSetClassifier(ClassifierMixin, MultiOutputMixin, BaseEstimator):
    """Base class: a subclass has ``classes_`` and ``predict_proba``, and gets the rest.

    Both have a column for each label; a row's probabilities need not sum to 1.
    """

    def predict(self, X):
        """Return which labels are likelier than not, 0 or 1 of shape (n, C)."""
        return (self.predict_proba(X) > 0.5).astype(int)
