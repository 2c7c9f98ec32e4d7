"""What a federation has to beat: local and pooled models on the same rows."""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from ..data._tables import column_names, to_frame
from ..preprocessing import TableEncoder, TableReader


def tuned_linear(estimator, X, y, task):
    """Return a linear model fitted on one table, its penalty chosen within it.

    Regression: ridge, alpha by leave-one-out. Classification: logistic regression, C
    by stratified cross-validation of the log-loss, 1 where a class has one row only.
    Columns are standardised, missing values filled by the mean and flagged. One
    class, or fewer than 3 rows of a regression: a constant.
    """
    if _has_no_choice(y, task):
        return constant(X, y, task)
    if task == "regression":
        own_penalty = np.ndim(y) == 2  # each target's, where there are several
        model = RidgeCV(alphas=np.logspace(-2, 5, 15), alpha_per_target=own_penalty)
    else:
        model = LogisticRegression(max_iter=2000)
        least = np.unique(y, return_counts=True)[1].min()
        if least >= 2:
            model = GridSearchCV(
                model,
                {"C": [0.01, 0.1, 1.0, 10.0, 100.0]},
                cv=StratifiedKFold(min(5, least), shuffle=True, random_state=0),
                scoring="neg_log_loss",
                error_score="raise",
            )
    encoder = TableEncoder(scaling="client", indicator=True)
    return make_pipeline(TableReader(), encoder, model).fit(X, y)


def alone(estimator, X, y, task):
    """Return a clone of a federated estimator fitted on one table, as one client."""
    if task == "classification" and _has_no_choice(y, task):
        return constant(X, y, task)
    model = clone(estimator).set_params(
        client_column=None, federation=None, min_clients=None, checkpoint=None
    )
    return model.fit(to_frame(X), y)


def constant(X, y, task):
    """Return a model that predicts the class shares or the mean."""
    dummy = DummyRegressor() if task == "regression" else DummyClassifier()
    return dummy.fit(X, y)


def _has_no_choice(y, task):
    """Tell whether a target leaves nothing to fit but a constant."""
    return len(y) < 3 if task == "regression" else len(np.unique(y)) == 1


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
