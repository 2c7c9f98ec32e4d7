"""A client's own models: candidates, of which its out-of-fold loss takes one."""

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags

from ..preprocessing import TableEncoder, TableReader
from ._per_label import PerLabel, choice

BOOSTING_ROWS = 100
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)  # C of the logistic regressions


def candidates(member, task, n_rows, n_targets=1):
    """Return which encoder a local member needs, and its models, all unfitted.

    "local" is a tuned linear model: a ridge whose penalty is chosen by leave-one-out,
    or logistic regressions with five penalties. "discriminant" is a linear
    discriminant analysis with a shrunk covariance. "boosting" is gradient boosting,
    and the tuned linear model for clients with too few rows for it.

    Parameters
    ----------
    member : Local
        The member.
    task : {"classification", "multilabel", "regression"}
        The task.
    n_rows : int
        Rows of the client.
    n_targets : int, default=1
        Targets of a row. Each has a model of its own, but for a ridge, whose penalty is
        chosen for each, and an estimator of the caller's that takes several.

    Returns
    -------
    encoding : {"numbers", "gaps", "table"}
        A key of :func:`encoder`.
    models : list of estimators
        The candidates.
    """
    if task == "regression" and n_targets > 1:
        encoding, models = candidates(member, task, n_rows)
        return encoding, [_for_each_target(member, model) for model in models]
    if task == "multilabel":
        encoding, models = candidates(member, "classification", n_rows)
        return encoding, [PerLabel(model) for model in models]
    if member.kind == "given":  # a Pipeline encodes by itself
        whole = isinstance(member.estimator, Pipeline)
        return "table" if whole else "numbers", [member.estimator]
    if member.kind == "discriminant":
        return "numbers", [LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")]
    if member.kind == "boosting" and n_rows >= BOOSTING_ROWS:
        from sklearn import ensemble  # a slow import that few need

        if task == "regression":
            return "gaps", [ensemble.HistGradientBoostingRegressor(random_state=0)]
        return "gaps", [ensemble.HistGradientBoostingClassifier(random_state=0)]
    if task == "regression":
        return "numbers", [RidgeCV(alphas=np.logspace(-2, 5, 15))]
    return "numbers", [
        LogisticRegression(C=C, solver="newton-cg", max_iter=2000) for C in PENALTIES
    ]


def _for_each_target(member, model):
    if member.kind != "given" and isinstance(model, RidgeCV):
        return model.set_params(alpha_per_target=True)
    takes_several = get_tags(model).target_tags.multi_output
    return model if takes_several else MultiOutputRegressor(model)


def encoder(encoding):
    """Return an encoder of a client's own table, or None for the table itself.

    Parameters
    ----------
    encoding : {"numbers", "gaps", "table"}
        Standardised numbers with gaps filled and flagged, numbers with gaps, or the
        table as it is.
    """
    if encoding == "table":
        return None
    given = {"scaling": "client", "indicator": True}
    if encoding == "gaps":
        given = {"scaling": None, "impute": None}
    return make_pipeline(TableReader(), TableEncoder(**given))


def fitted(model, Z, y):
    """Return a fitted clone; of a constant where the target leaves no choice."""
    if is_classifier(model) and y.ndim == 1:
        return choice(model, Z, y)
    if is_regressor(model) and len(y) < 3:
        return DummyRegressor().fit(Z, y)
    return clone(model).fit(Z, y)


def predicted(model, Z, n_classes):
    """Return a model's values (n,) or (n, m), or its probabilities by code."""
    if not is_classifier(model):
        return np.asarray(model.predict(Z), dtype=np.float64)
    full = np.zeros((len(Z), n_classes))
    full[:, model.classes_] = model.predict_proba(Z)
    return full
