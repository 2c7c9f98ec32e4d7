"""Scores per client, and their averages, as a scikit-learn scorer."""

import warnings

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import check_scoring

from ..data import ClientData
from ..data._groups import client_codes
from ..data._tables import column_names, take
from ..exceptions import ClientError

AVERAGES = ("micro", "macro", "worst", "median")


class ClientScorer:
    """Score each client's rows on their own, and average over the clients.

    Parameters
    ----------
    scoring : str or callable, default=None
        A scikit-learn scorer name, or a scorer ``(estimator, X, y) -> float``; None
        is the estimator's own ``score``. Higher is better, as always there.
    average : {"micro", "macro", "worst", "median"}, default="macro"
        "micro" weights clients by rows, "macro" equally; "worst" is the lowest
        client's score, "median" the middle one.
    client_column : str, default=None
        Column that names the client, when ``X`` is a DataFrame; None is the
        estimator's own ``client_column``.

    See Also
    --------
    compare : Federated against local and pooled scores, client by client.

    Notes
    -----
    A score that is not defined for a client (ROC AUC where its rows have one class
    only) is left out of the average; if it is defined for none, the result is NaN.
    What is not defined is scikit-learn's to say, by ``UndefinedMetricWarning``; a
    scorer with ``zero_division=0`` counts a client without predicted positives as 0.
    Scores of probabilities, such as the log-loss, are defined for a client that lacks
    classes: they are told all labels of the estimator.

    Examples
    --------
    >>> from skfed import pool
    >>> from skfed.metrics import ClientScorer
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = pool({"a": ([[1.0], [2.0]], [0, 0]), "b": ([[1.0], [3.0]], [0, 1])})
    >>> model = DummyClassifier().fit(X, y)
    >>> ClientScorer("accuracy", average="worst")(model, X, y)
    0.5
    >>> ClientScorer("accuracy").per_client(model, X, y).to_dict()
    {'a': 1.0, 'b': 0.5}
    """

    def __init__(self, scoring=None, average="macro", client_column=None):
        if average not in AVERAGES:
            raise ValueError(f"average={average!r} is none of {AVERAGES}")
        self.scoring = scoring
        self.average = average
        self.client_column = client_column

    def per_client(self, estimator, X, y, groups=None):
        """Return each client's score.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : ClientData, DataFrame or array of shape (n, ...)
            Rows of all clients.
        y : array of shape (n,)
            Their target.
        groups : array of shape (n,), default=None
            The client of each row; None takes them from ``X``.

        Returns
        -------
        scores : Series
            Indexed by client; NaN where the score is not defined.
        """
        return self._scores(estimator, X, y, groups)[0]

    def __call__(self, estimator, X, y, groups=None):
        """Return the average over the clients.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : ClientData, DataFrame or array of shape (n, ...)
            Rows of all clients.
        y : array of shape (n,)
            Their target.
        groups : array of shape (n,), default=None
            The client of each row; None takes them from ``X``.

        Returns
        -------
        score : float
            The average.
        """
        scores, sizes = self._scores(estimator, X, y, groups)
        return average_scores(scores.to_numpy(), sizes, self.average)

    def _scores(self, estimator, X, y, groups):
        column = self.client_column or getattr(estimator, "client_column", None)
        codes, names = client_codes(X, groups, column)
        scorer = check_scoring(estimator, self.scoring)
        y = np.asarray(y)
        if hasattr(estimator, "client_names_") and not isinstance(X, ClientData):
            X = _with_clients(X, codes, names, estimator)
        scores, sizes = {}, []
        for code, name in enumerate(names):
            rows = np.flatnonzero(codes == code)
            if not len(rows):
                continue
            scores[name] = score_or_nan(scorer, estimator, take(X, rows), y[rows])
            sizes.append(len(rows))
        return pd.Series(scores, dtype=float), np.array(sizes)

    def __repr__(self):
        return f"ClientScorer(scoring={self.scoring!r}, average={self.average!r})"


def _with_clients(X, codes, names, estimator):
    """Return one table as container, for estimators that have to know the clients."""
    if getattr(estimator, "client_column", None) in (column_names(X) or ()):
        return X  # the estimator reads the column itself
    clients = np.empty(len(names), dtype=object)
    clients[:] = names
    return ClientData.from_groups(X, clients[codes], drop_absent=False)


def score_or_nan(scorer, estimator, X, y):
    """Return a score, or NaN where scikit-learn says that it is not defined.

    Rows that lack one of the estimator's classes are no error: scorers of
    probabilities are told all labels. They need them for the log-loss, say.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        try:
            return float(scorer(estimator, X, y))
        except UndefinedMetricWarning:
            return float("nan")
        except ValueError as error:
            labels = getattr(estimator, "classes_", None)
            complete = labels is None or not len(np.setdiff1d(labels, y))
            if complete or isinstance(error, ClientError):
                raise
            if not hasattr(scorer, "set_score_request"):  # a plain function
                if len(np.unique(y)) == 1 and "class" in str(error):
                    return float("nan")
                raise
            try:
                with config_context(enable_metadata_routing=True):
                    return float(scorer(estimator, X, y, labels=labels))
            except UndefinedMetricWarning:
                return float("nan")
            except TypeError:  # the metric takes no labels
                raise error from None


def average_scores(scores, sizes, average):
    """Average scores over clients, leaving out those that are not defined."""
    known = ~np.isnan(scores)
    if not known.any():
        return float("nan")
    scores, sizes = scores[known], sizes[known]
    if average == "micro":
        return float(np.average(scores, weights=sizes))
    reduce: dict = {"macro": np.mean, "worst": np.min, "median": np.median}
    return float(reduce[average](scores))
