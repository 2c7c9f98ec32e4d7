"""Prediction and scores of the federated estimators, in the caller's form."""

from collections.abc import Callable

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data._reader import read_clients
from ..data._tables import column_names, is_polars, n_rows
from ..exceptions import ClientError


class PredictionMixin:
    """What a fitted federated estimator does with tables of its clients.

    Uses the fitted ``predictors_`` and ``client_features_``; the estimator adds
    ``_validate_plain``, ``_align_unseen``, ``_empty`` and ``_metric``.
    """

    client_column: str | None
    unseen: str
    client_names_: list
    client_features_: dict
    predictors_: dict
    _plain: bool
    _unnamed: set
    _refuse_at_sites: Callable
    _validate_plain: Callable
    _align_unseen: Callable
    _empty: Callable
    _metric: Callable

    def _read_predict(self, X, y=None, clients=None):
        """Read tables at prediction, each with the columns its client had in fit."""
        check_is_fitted(self)
        self._refuse_at_sites()
        if self._plain and clients is None and hasattr(X, "shape") and X.shape[1:]:
            X = self._validate_plain(X)
        cohort = read_clients(
            X,
            y,
            clients=clients,
            client_column=self.client_column,
            known=self.client_names_,
        )
        for name, table in cohort.tables.items():
            if name not in self.client_features_:
                if self.unseen == "align":
                    continue
                raise ClientError(
                    f"unknown client {name!r}: clients not seen in fit cannot be "
                    f"predicted; fitted clients are {self._some_names()}. Let it join "
                    "by add_client, or set unseen='align'. For cross-validation, use "
                    "ClientKFold, which keeps rows of every client in each training "
                    "fold"
                )
            if cohort.form != "plain":
                cohort.tables[name] = self._own_columns(
                    name, table, cohort.shared_columns
                )
        return cohort

    def _some_names(self, limit=10):
        names = self.client_names_
        return f"{names[:limit]}" + (", ..." if len(names) > limit else "")

    def _own_columns(self, name, table, shared_columns):
        """Bring a client's columns into the order of fit, by name."""
        names, wanted = column_names(table), self.client_features_[name]
        if names is None and name not in self._unnamed:
            raise ClientError(
                f"client {name!r} gave a table without column names; it had {wanted} "
                "in fit"
            )
        if names is None or names == wanted:
            if names is None and table.shape[1] != len(wanted):
                raise ClientError(
                    f"client {name!r} has {table.shape[1]} columns; it had "
                    f"{len(wanted)} in fit"
                )
            return table
        missing = [c for c in wanted if c not in names]
        unknown = [c for c in names if c not in wanted]
        if missing:
            raise ClientError(
                f"client {name!r} lacks the columns {missing} that it had in fit; add "
                "them (NaN where unknown)"
            )
        if unknown and not shared_columns:
            raise ClientError(
                f"client {name!r} has unknown columns {unknown}, not seen in fit; drop "
                "them or refit"
            )
        if is_polars(table):
            return table.select(wanted)
        return table.iloc[:, [names.index(column) for column in wanted]]

    def _predict(self, X, clients, method):
        cohort = self._read_predict(X, clients=clients)
        return cohort.restore(self._predict_tables(cohort, method))

    def _predict_tables(self, cohort, method):
        results = {}
        for name, table in cohort.tables.items():
            if n_rows(table):
                try:
                    predictor = self.predictors_.get(name)
                    if predictor is None:
                        predictor = self._align_unseen(name, table)
                    results[name] = getattr(predictor, method)(table)
                except ValueError as error:
                    if self._plain:
                        raise
                    raise ClientError(f"client {name!r}: {error}") from error
            else:
                results[name] = self._empty(method, name)
        return results

    def _predicted_with_targets(self, X, y, clients):
        """Return the clients with their targets, and what is predicted for each."""
        cohort = self._read_predict(X, y, clients)
        if cohort.targets is None:
            raise ClientError("score needs the targets: give pairs (X_k, y_k), or y")
        return cohort, self._predict_tables(cohort, "predict")

    def predict(self, X, *, clients=None):
        """Predict the target of each row, with the row's client's Pipeline.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Tables of fitted clients, in one of the forms of :meth:`fit`; a dict may
            hold some clients only.
        clients : array of shape (n,) or a client name, default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        y : array of shape (n,) or (n, m), list or dict of arrays
            A list for a list, a dict for a dict, else one array in row order; one
            column for each target where fit had several.
        """
        return self._predict(X, clients, "predict")

    def score(self, X, y=None, *, clients=None, sample_weight=None):
        """Score the predictions of all rows together.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Clients in one of the forms of :meth:`fit`.
        y : array of shape (n,) or (n, m), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        sample_weight : array of shape (n,), default=None
            Weights of the rows, for the flat forms.

        Returns
        -------
        score : float
            Accuracy or R2 over all rows of all clients together, R2 as the mean over
            the targets where there are several. Where clients' targets
            differ in level or unit, R2 over all rows counts that as skill; an average
            over clients does not: :class:`skfed.metrics.ClientScorer`.
        """
        cohort, predicted = self._predicted_with_targets(X, y, clients)
        if cohort.form in ("flat", "plain"):
            y_true, y_pred = cohort.restore(cohort.targets), cohort.restore(predicted)
        else:
            y_true = np.concatenate([cohort.targets[name] for name in cohort.tables])
            y_pred = np.concatenate([predicted[name] for name in cohort.tables])
        return self._metric(y_true, y_pred, sample_weight)
