"""Scores as means over rows, so that paired differences have a standard error."""

import numpy as np
from scipy.stats import rankdata

LEAST_PROBABILITY = 1e-6  # in the log-loss


def row_values(metric, y, said, spread=None):
    """Return one value per row whose mean is the score.

    Accuracy: 1 where the likeliest class is the true one. R2: ``1 - e^2 / spread``
    with the variance of the client's test targets, or what is given, taken as known.
    AUC: the share of
    pairs, plus what the row adds to it (DeLong's placements), so that the spread of
    the values over the number of rows is the AUC's variance.
    """
    if metric == "r2":
        spread = np.var(y) if spread is None else spread
        if spread == 0:
            return np.full(len(y), np.nan)
        return 1 - (np.asarray(said) - y) ** 2 / spread
    proba, classes = said
    if metric == "accuracy":
        return (classes[proba.argmax(axis=1)] == y).astype(float)
    column = np.flatnonzero(classes == y.max())
    score = proba[:, column[0]] if len(column) else np.zeros(len(y))
    return _auc_values(y == y.max(), score)


def _auc_values(positive, score):
    n_pos, n_neg = positive.sum(), (~positive).sum()
    if not n_pos or not n_neg:
        return np.full(len(score), np.nan)
    ranks = rankdata(score)
    place = np.empty(len(score))
    place[positive] = (ranks[positive] - rankdata(score[positive])) / n_neg
    place[~positive] = 1 - (ranks[~positive] - rankdata(score[~positive])) / n_pos
    auc = place[positive].mean()
    share = np.where(positive, n_pos, n_neg) / len(score)
    return auc + (place - auc) / share


def probability_scores(y, said):
    """Return log-loss and Brier score, the squared error summed over the classes.

    A class that the model does not know has the probability 1e-6 in the log-loss, as
    has any that it holds less likely.
    """
    proba, classes = said
    known = np.isin(y, classes)
    column = np.searchsorted(classes, np.where(known, y, classes[0]))
    p = np.where(known, proba[np.arange(len(y)), column], 0.0)
    squares = (proba**2).sum(axis=1) - p**2 + (1 - p) ** 2
    return float(-np.log(np.clip(p, LEAST_PROBABILITY, 1)).mean()), float(
        squares.mean()
    )


def standard_error(differences, rows):
    """Return the standard error of a mean of differences; rows that repeat are one."""
    n = len(differences)
    if n < 2:
        return np.nan
    _, row = np.unique(rows, return_inverse=True)
    off = np.bincount(row, weights=differences - np.mean(differences))
    m = len(off)
    return float(np.sqrt((off**2).sum() * m / max(m - 1, 1)) / n)
