"""scikit-learn's tools on the container: exact with an oracle, then with the models.

The oracle reads the label from column 0 of its client's table, so that a shifted row,
a lost client or a mixed-up fold makes a score differ from its exact value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skfed import pool
from tests.sklearn_oracle import (
    Oracle,
    make_named,
    pooled,
    small_classifier,
    small_regressor,
)

X, Y = pooled()
XR, YR = pool(make_named(regression=True))
STRICT = {"cv": 3, "error_score": "raise"}
ORACLE_GRID = ("flip", [True, False])
REAL_GRID = ("local_epochs", [1, 2])
SCORERS = {
    "accuracy": 1.0,
    "roc_auc": 1.0,
    "neg_log_loss": np.log(0.99),
    "f1": 1.0,
    "average_precision": 1.0,
    "balanced_accuracy": 1.0,
}


@dataclass(frozen=True)
class Tool:
    """A tool as ``run(model, X, y, grid) -> array``, and what an oracle gets."""

    name: str
    run: Callable
    expected: Any
    needs_no_strict: bool = False

    def oracle(self):
        return Oracle(strict=not self.needs_no_strict)


def scores_of(model, X, y, grid=None):
    return np.array([model.fit(X, y).score(X, y)])


def validated(model, X, y, grid):
    found = cross_validate(
        model,
        X,
        y,
        scoring=["accuracy", "roc_auc"],
        return_estimator=True,
        return_train_score=True,
        **STRICT,
    )
    assert len(found) == 7
    assert all(len(values) == 3 for values in found.values())
    names = [f"{p}_{s}" for p in ("test", "train") for s in ("accuracy", "roc_auc")]
    return np.array([found[name] for name in names])


def curve(model, X, y, grid):
    sizes, train, test = learning_curve(
        model, X, y, shuffle=True, random_state=0, train_sizes=[0.3, 1.0], **STRICT
    )
    assert sizes.tolist() == [60, 200]
    return np.array([train, test])


def validation(model, X, y, grid):
    name, values = grid
    return np.array(
        validation_curve(model, X, y, param_name=name, param_range=values, **STRICT)
    )


def permuted(model, X, y, grid):
    score, permutations, p = permutation_test_score(
        model, X, y, cv=3, n_permutations=3, random_state=0
    )
    assert permutations.shape == (3,)
    assert p >= 0.25
    return np.array([score])


def searched(model, X, y, grid):
    search = GridSearchCV(
        model,
        {grid[0]: grid[1]},
        scoring=["accuracy", "roc_auc"],
        refit="accuracy",
        **STRICT,
    ).fit(X, y)
    assert search.predict(X).shape == y.shape
    assert search.predict_proba(X).shape == (len(y), 2)
    found = search.cv_results_
    means = [found[f"mean_test_{s}"] for s in ("accuracy", "roc_auc")]
    return np.concatenate([*means, [search.best_score_, search.score(X, y)]])


def halved(model, X, y, grid):
    search = HalvingGridSearchCV(model, {grid[0]: grid[1]}, random_state=0, **STRICT)
    return np.array([search.fit(X, y).best_score_, search.score(X, y)])


def randomized(model, X, y, grid):
    search = RandomizedSearchCV(
        model, {grid[0]: grid[1]}, n_iter=2, random_state=0, **STRICT
    )
    return np.array([search.fit(X, y).best_score_, search.score(X, y)])


def wrapped(wrap):
    return lambda model, X, y, grid: scores_of(wrap(model), X, y)


def scored_by(scoring):
    return lambda m, X, y, grid: cross_val_score(m, X, y, scoring=scoring, **STRICT)


TOOLS = [
    Tool("fit and score", scores_of, [1.0]),
    Tool("cross_val_score", scored_by(None), [1.0] * 3),
    *(Tool(name, scored_by(name), [best] * 3) for name, best in SCORERS.items()),
    Tool("cross_validate", validated, np.ones((4, 3))),
    Tool(
        "cross_val_predict",
        lambda model, X, y, grid: cross_val_predict(model, X, y, cv=3),
        Y,
    ),
    Tool(
        "cross_val_predict of probabilities",
        lambda model, X, y, grid: cross_val_predict(
            model, X, y, cv=3, method="predict_proba"
        ),
        np.where(Y[:, None] == [0, 1], 0.99, 0.01),
    ),
    Tool("learning_curve", curve, np.ones((2, 2, 3))),
    Tool(
        "validation_curve",
        validation,
        np.broadcast_to([[0.0] * 3, [1.0] * 3], (2, 2, 3)),
    ),
    Tool("permutation_test_score", permuted, [1.0], needs_no_strict=True),
    Tool("GridSearchCV", searched, [0.0, 1.0, 0.0, 1.0, 1.0, 1.0]),
    Tool("HalvingGridSearchCV", halved, [1.0, 1.0]),
    Tool("RandomizedSearchCV", randomized, [1.0, 1.0]),
    Tool(
        "Pipeline with passthrough",
        wrapped(lambda m: make_pipeline("passthrough", m)),
        [1.0],
    ),
    Tool(
        "Pipeline with FunctionTransformer",
        wrapped(lambda m: make_pipeline(FunctionTransformer(), m)),
        [1.0],
    ),
    Tool(
        "VotingClassifier",
        wrapped(lambda m: VotingClassifier([("a", m), ("b", m)], voting="soft")),
        [1.0],
    ),
    Tool(
        "StackingClassifier",
        wrapped(
            lambda m: StackingClassifier(
                [("a", m), ("b", m)], LogisticRegression(), cv=3
            )
        ),
        [1.0],
    ),
    Tool(
        "CalibratedClassifierCV",
        wrapped(lambda m: CalibratedClassifierCV(m, cv=3)),
        [1.0],
    ),
    Tool(
        "TunedThresholdClassifierCV",
        wrapped(lambda m: TunedThresholdClassifierCV(m, cv=3)),
        [1.0],
    ),
    Tool("FixedThresholdClassifier", wrapped(FixedThresholdClassifier), [1.0]),
    Tool("OneVsRestClassifier", wrapped(OneVsRestClassifier), [1.0]),
]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_oracle_scores_exactly(tool):
    found = tool.run(tool.oracle(), X, Y, ORACLE_GRID)
    expected = np.asarray(tool.expected, dtype=float)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.astype(float), expected, rtol=1e-12)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_federated_classifier_works_in(tool):
    found = tool.run(small_classifier(), X, Y, REAL_GRID)
    assert found.shape == np.shape(tool.expected)
    assert np.isfinite(found).all()
    if tool.name == "cross_val_predict of probabilities":
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_permutation_test_score_has_the_least_p_value():
    _, permutations, p = permutation_test_score(
        Oracle(strict=False), X, Y, cv=3, n_permutations=3, random_state=0
    )
    assert p == 0.25
    assert permutations.max() < 0.7


@pytest.mark.slow
def test_grid_search_gives_the_same_scores_on_two_workers():
    search = {
        jobs: GridSearchCV(
            Oracle(),
            {"flip": [True, False]},
            scoring=["accuracy", "roc_auc"],
            refit="accuracy",
            n_jobs=jobs,
            **STRICT,
        ).fit(X, Y)
        for jobs in (1, 2)
    }
    assert search[2].best_params_ == {"flip": False}
    for name in search[1].cv_results_:
        if "_test_" in name:
            np.testing.assert_array_equal(
                search[1].cv_results_[name], search[2].cv_results_[name]
            )


@pytest.mark.parametrize("model", [Oracle(), small_classifier()], ids=["oracle", "fed"])
def test_whole_clients_left_out_are_an_error_not_a_score(model):
    search = GridSearchCV(
        model, {}, cv=GroupKFold(3), error_score="raise"
    )  # every test fold holds clients that training did not
    with pytest.raises(ValueError, match="not seen in fit"):
        search.fit(X, Y, groups=X.client)


@pytest.mark.parametrize("model", [Oracle(), small_classifier()], ids=["oracle", "fed"])
@pytest.mark.parametrize(
    "tool",
    [
        lambda m: make_pipeline(StandardScaler(), m).fit(X, Y),
        lambda m: permutation_importance(m.fit(X, Y), X, Y, n_repeats=1),
        lambda m: BaggingClassifier(m, n_estimators=2).fit(X, Y),
    ],
    ids=["StandardScaler first", "permutation_importance", "BaggingClassifier"],
)
def test_tools_that_want_one_array_are_told_the_remedy(model, tool):
    with pytest.raises(TypeError, match="aligner"):
        tool(model)


REGRESSION_TOOLS = [
    Tool("fit and score", scores_of, (1,)),
    Tool("cross_val_score", scored_by(None), (3,)),
    *(
        Tool(name, scored_by(name), (3,))
        for name in ("r2", "neg_mean_squared_error", "neg_median_absolute_error")
    ),
    Tool(
        "cross_val_predict",
        lambda model, X, y, grid: cross_val_predict(model, X, y, cv=3),
        YR.shape,
    ),
    Tool("validation_curve", validation, (2, 2, 3)),
    Tool("HalvingGridSearchCV", halved, (2,)),
    Tool("RandomizedSearchCV", randomized, (2,)),
    Tool("Pipeline", wrapped(lambda m: make_pipeline(FunctionTransformer(), m)), (1,)),
    Tool(
        "VotingRegressor",
        wrapped(lambda m: VotingRegressor([("a", m), ("b", m)])),
        (1,),
    ),
    Tool(
        "StackingRegressor",
        wrapped(lambda m: StackingRegressor([("a", m), ("b", m)], Ridge(), cv=3)),
        (1,),
    ),
    Tool(
        "TransformedTargetRegressor",
        wrapped(
            lambda m: TransformedTargetRegressor(
                m, func=np.arcsinh, inverse_func=np.sinh
            )
        ),
        (1,),
    ),
]


@pytest.mark.parametrize("tool", REGRESSION_TOOLS, ids=lambda tool: tool.name)
def test_federated_regressor_works_in(tool):
    found = tool.run(small_regressor(), XR, YR, REAL_GRID)
    assert found.shape == tool.expected
    assert np.isfinite(found).all()


def test_column_zero_is_learnt_through_the_tools():
    model = small_classifier(n_rounds=5)
    scores = cross_val_score(model, X, Y, **STRICT)
    assert scores.min() > 0.95
    assert cross_val_score(model, XR[::1], YR > 0, **STRICT).min() > 0.8
