"""A client's own models: candidates, of which its out-of-fold loss takes one."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline

from ..preprocessing import TableEncoder, TableReader

BOOSTING_ROWS = 100
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)  # C of the logistic regressions


def candidates(member, task, n_rows):
    """Return the encoder of a local member and its models, all unfitted.

    "local" is a tuned linear model: a ridge whose penalty is chosen by leave-one-out,
    or logistic regressions with five penalties. "discriminant" is a linear
    discriminant analysis with a shrunk covariance. "boosting" is gradient boosting,
    and the tuned linear model for clients with too few rows for it.

    Parameters
    ----------
    member : Local
        The member.
    task : {"classification", "regression"}
        The task.
    n_rows : int
        Rows of the client.
    """
    encoder = make_pipeline(
        TableReader(), TableEncoder(scaling="client", indicator=True)
    )
    if member.kind == "given":
        whole = isinstance(member.estimator, Pipeline)  # it encodes by itself
        return None if whole else encoder, [member.estimator]
    if member.kind == "discriminant":
        return encoder, [LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")]
    if member.kind == "boosting" and n_rows >= BOOSTING_ROWS:
        from sklearn import ensemble  # a slow import that few need

        raw = make_pipeline(TableReader(), TableEncoder(scaling=None, impute=None))
        if task == "regression":
            return raw, [ensemble.HistGradientBoostingRegressor(random_state=0)]
        return raw, [ensemble.HistGradientBoostingClassifier(random_state=0)]
    if task == "regression":
        return encoder, [RidgeCV(alphas=np.logspace(-2, 5, 15))]
    return encoder, [
        LogisticRegression(C=C, solver="newton-cg", max_iter=2000) for C in PENALTIES
    ]


class LocalModel(BaseEstimator):
    """An encoder and the models behind it, fitted on one client's rows.

    Parameters
    ----------
    encoder : transformer or None
        Prototype of what all candidates share.
    models : list of estimators
        Prototypes.
    task : {"classification", "regression"}
        The task.
    """

    def __init__(self, encoder, models, task):
        self.encoder = encoder
        self.models = models
        self.task = task

    def fit(self, X, y):
        """Fit all models; a constant where the target leaves no choice."""
        self.encoder_ = None if self.encoder is None else clone(self.encoder)
        Z = X if self.encoder_ is None else self.encoder_.fit_transform(X, y)
        self.models_ = [self._fitted(model, Z, y) for model in self.models]
        return self

    def _fitted(self, model, Z, y):
        if self.task == "classification" and len(np.unique(y)) == 1:
            return DummyClassifier().fit(Z, y)
        if self.task == "regression" and len(y) < 3:
            return DummyRegressor().fit(Z, y)
        return clone(model).fit(Z, y)

    def predictions(self, X, n_classes):
        """Return every model's values (n,), or probabilities (n, n_classes) by code."""
        Z = X if self.encoder_ is None else self.encoder_.transform(X)
        if self.task == "regression":
            return [np.asarray(m.predict(Z), dtype=np.float64) for m in self.models_]
        found = []
        for model in self.models_:
            full = np.zeros((len(Z), n_classes))
            full[:, model.classes_] = model.predict_proba(Z)
            found.append(full)
        return found

    def pipeline(self):
        """Return the only model with its encoder, as one estimator."""
        (model,) = self.models_
        if self.encoder_ is None:
            return model
        return make_pipeline(self.encoder_, model)
