"""What a federation has to beat: local and pooled models on the same rows."""

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from ..data._tables import column_names, to_frame
from ..preprocessing import TableEncoder, TableReader


def tuned_linear(X, y, task):
    """Return a linear model fitted on one table, its penalty chosen within it.

    Regression: ridge, alpha by leave-one-out. Classification: logistic regression, C
    by stratified cross-validation of the log-loss. Columns are standardised, missing
    values filled by the mean and flagged. One class or one row: a constant.
    """
    encode = [TableReader(), TableEncoder(scaling="client", indicator=True)]
    if task == "regression":
        if len(y) < 3:
            return DummyRegressor().fit(X, y)
        model = RidgeCV(alphas=np.logspace(-2, 5, 15))
    else:
        counts = np.unique(y, return_counts=True)[1]
        if len(counts) == 1:
            return DummyClassifier().fit(X, y)
        model = LogisticRegression(max_iter=2000)
        if counts.min() >= 2:
            cv = StratifiedKFold(min(5, counts.min()), shuffle=True, random_state=0)
            grid = {"C": [0.01, 0.1, 1.0, 10.0, 100.0]}
            model = GridSearchCV(model, grid, cv=cv, scoring="neg_log_loss")
    return make_pipeline(*encode, model).fit(X, y)


def alone(estimator, X, y, task):
    """Return a clone of a federated estimator fitted on one table, as one client."""
    if task == "classification" and len(np.unique(y)) == 1:
        return DummyClassifier().fit(X, y)
    return clone_plain(estimator).fit(to_frame(X), y)


def clone_plain(estimator):
    """Return a clone that reads one plain table."""
    from sklearn.base import clone

    return clone(estimator).set_params(client_column=None)


def named_frames(tables, columns="auto"):
    """Return the clients' tables as frames whose equal names mean equal columns.

    Unnamed columns follow the estimators' rule: by position where all such tables
    have the same width, else each client's own.
    """
    widths = {t.shape[1] for t in tables.values() if column_names(t) is None}
    own = columns == "own" or (columns == "auto" and len(widths) > 1)
    frames = {}
    for name, table in tables.items():
        names = None
        if own and column_names(table) is None:
            names = [f"{name}.x{j}" for j in range(table.shape[1])]
        frames[name] = to_frame(table, names)
    return frames


def union_frame(frames, columns):
    """Return frames stacked over the union of their columns."""
    return pd.concat(
        [frame.reindex(columns=columns) for frame in frames], ignore_index=True
    )
