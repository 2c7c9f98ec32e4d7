"""Stored predictions as estimators, and their scores on resampled rows."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ._client_scorer import score_or_nan


class _Recorded(BaseEstimator):
    """Predictions with the interface of a fitted estimator.

    Its ``X`` are positions in the recorded rows, so that any scikit-learn scorer can
    be asked about any resample of them.
    """

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        """Do nothing: the predictions are there."""
        return self

    def predict(self, X):
        """Return the recorded predictions at these positions."""
        return self.predicted[X]


class RecordedRegressor(RegressorMixin, _Recorded):
    """Recorded numbers.

    Parameters
    ----------
    predicted : array of shape (n,)
        The predictions.
    """

    def __init__(self, predicted):
        self.predicted = predicted


class RecordedClassifier(ClassifierMixin, _Recorded):
    """Recorded labels and probabilities.

    Parameters
    ----------
    predicted : array of shape (n,)
        The labels.
    proba : array of shape (n, n_classes)
        The probabilities.
    classes : array of shape (n_classes,)
        Labels of their columns, sorted.
    """

    def __init__(self, predicted, proba, classes):
        self.predicted = predicted
        self.proba = proba
        self.classes = classes

    @property
    def classes_(self):
        """Labels of the columns of ``predict_proba``."""
        return self.classes

    def predict_proba(self, X):
        """Return the recorded probabilities at these positions."""
        return self.proba[X]


def record(parts, classes):
    """Join the predictions of several folds to one recorded estimator.

    Parameters
    ----------
    parts : list of (predicted, proba, classes)
        One entry per fold, with that fold's own classes; the last two are None in
        regression.
    classes : array or None
        All classes, sorted; a class that a fold's model does not know has
        probability 0 there. None is regression.
    """
    predicted = np.concatenate([part[0] for part in parts])
    if classes is None:
        return RecordedRegressor(predicted)
    proba = np.zeros((len(predicted), len(classes)))
    start = 0
    for labels, block, own in parts:
        stop = start + len(labels)
        proba[start:stop, np.searchsorted(classes, own)] = block
        start = stop
    return RecordedClassifier(predicted, proba, classes)


def mean_scores(scorer, repeats, methods):
    """Return each method's score, its mean over the repeats; NaN without any.

    Parameters
    ----------
    scorer : callable
        ``(estimator, X, y) -> float``.
    repeats : list of (rows, truth, {method: recorded estimator})
        A client's held-out rows, repeat by repeat.
    methods : sequence of str
        The methods.
    """
    scores: dict = {method: [] for method in methods}
    for _, truth, models in repeats:
        for method in methods:
            everything = np.arange(len(truth))
            score = score_or_nan(scorer, models[method], everything, truth)
            scores[method].append(score)
    return {m: float(np.mean(s)) if s else np.nan for m, s in scores.items()}


def bootstrap_scores(scorer, repeats, methods, n_bootstrap, rng):
    """Return each method's scores on resamples of a client's rows.

    A resample draws rows of the client's table, and takes each with all predictions
    made for it: neither repeats nor overlapping test sets count as new rows. All
    methods see the same resamples, so that differences are paired.

    Parameters
    ----------
    scorer, repeats, methods : object
        As in :func:`mean_scores`.
    n_bootstrap : int
        Number of resamples.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    scores : dict
        ``{method: array of shape (n_bootstrap,)}``, NaN where a resample has no
        defined score.
    """
    tested = np.unique(np.concatenate([rows for rows, _, _ in repeats]))
    places = [np.searchsorted(tested, rows) for rows, _, _ in repeats]
    scores = {
        method: np.full((n_bootstrap, len(repeats)), np.nan) for method in methods
    }
    for b in range(n_bootstrap):
        drawn = rng.integers(len(tested), size=len(tested))
        counts = np.bincount(drawn, minlength=len(tested))
        for r, (_, truth, models) in enumerate(repeats):
            index = np.repeat(np.arange(len(truth)), counts[places[r]])
            if not len(index):
                continue
            for method in methods:
                score = score_or_nan(scorer, models[method], index, truth[index])
                scores[method][b, r] = score
    return {method: values.mean(axis=1) for method, values in scores.items()}


def standard_error(differences):
    """Return the deviation of bootstrap differences; NaN where it is unknown."""
    known = differences[~np.isnan(differences)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else np.nan
