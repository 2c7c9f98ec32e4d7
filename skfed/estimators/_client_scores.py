"""Scores of clients, each by its own task."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score

from ..data._pool import values_of
from ..data._tables import n_rows
from ..exceptions import ClientError


class ClientScoresMixin:
    """Scores of an estimator whose clients have tasks of their own."""

    _recipe_of: Callable
    _predicted_with_targets: Callable

    def client_scores(self, X, y=None, *, clients=None):
        """Score each client by its own task: accuracy, or R2.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Clients in one of the forms of :meth:`fit`.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        scores : Series
            Indexed by client; R2 of fewer than two rows is NaN.
        """
        return self._client_scores(X, y, clients)

    def score(self, X, y=None, *, clients=None, sample_weight=None):
        """Return the mean of the clients' scores, each by its own task.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Clients in one of the forms of :meth:`fit`.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        sample_weight : array of shape (n,), default=None
            Weights of the rows, for the flat forms.

        Returns
        -------
        score : float
            Mean over the clients of accuracy or R2, see :meth:`client_scores`; every
            client counts alike, whatever its rows.
        """
        return float(self._client_scores(X, y, clients, sample_weight).mean())

    def _client_scores(self, X, y, clients, sample_weight=None):
        cohort, predicted = self._predicted_with_targets(X, y, clients)
        found = {}
        for name, table in cohort.tables.items():
            if not n_rows(table):
                continue
            weight = sample_weight
            if weight is not None:
                weight = np.asarray(weight)[cohort.rows.get(name, slice(None))]
            target = values_of(cohort.targets[name])
            regression = self._recipe_of(name)[0].task == "regression"
            if regression and len(target) < 2:
                found[name] = np.nan
                continue
            metric = r2_score if regression else accuracy_score
            found[name] = metric(target, predicted[name], sample_weight=weight)
        if not found:
            raise ClientError("score needs rows, and no client has any")
        return pd.Series(found, dtype=float)
