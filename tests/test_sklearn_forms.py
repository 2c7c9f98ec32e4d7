"""One DataFrame with a client column, the second form that tools understand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skfed import ClientKFold, ClientScorer, pool
from skfed.alignment import UnionAligner
from tests.sklearn_oracle import (
    make_frame,
    make_named,
    small_classifier,
    small_regressor,
)

FRAME, Y = make_frame()
POOLED, POOLED_Y = pool(make_named())
SHUFFLED = StratifiedKFold(3, shuffle=True, random_state=0)


def by_column(**params):
    return small_classifier(client_column="site", **params)


def test_frame_and_container_give_the_same_model():
    a = by_column().fit(FRAME, Y)
    b = small_classifier().fit(POOLED, POOLED_Y)
    assert a.client_features_ == b.client_features_
    np.testing.assert_array_equal(a.predict_proba(POOLED), b.predict_proba(POOLED))
    order = np.concatenate([np.flatnonzero(POOLED.code == k) for k in range(3)])
    np.testing.assert_array_equal(
        a.predict_proba(FRAME), b.predict_proba(POOLED)[order]
    )


@pytest.mark.parametrize("scoring", [None, "accuracy", "roc_auc", "neg_log_loss"])
def test_cross_val_score_on_a_frame(scoring):
    scores = cross_val_score(
        by_column(), FRAME, Y, cv=SHUFFLED, scoring=scoring, error_score="raise"
    )
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_frame_and_container_score_alike_on_the_same_folds():
    rows = np.empty(len(FRAME), dtype=int)  # row of the container for each of the frame
    rows[:] = np.concatenate([np.flatnonzero(POOLED.code == k) for k in range(3)])
    folds = list(ClientKFold(3, client_column="site", random_state=0).split(FRAME, Y))
    same = [(np.sort(rows[train]), np.sort(rows[test])) for train, test in folds]
    np.testing.assert_array_equal(
        cross_val_score(by_column(), FRAME, Y, cv=folds, error_score="raise"),
        cross_val_score(
            small_classifier(), POOLED, POOLED_Y, cv=same, error_score="raise"
        ),
    )


def test_sorted_frames_need_shuffled_folds():
    with pytest.raises(ValueError, match="not seen in fit.*ClientKFold"):
        cross_val_score(by_column(), FRAME, Y, cv=KFold(3), error_score="raise")


def test_grid_search_and_prediction_on_a_frame():
    search = GridSearchCV(
        by_column(),
        {"local_epochs": [1, 2], "aligner": ["auto", UnionAligner()]},
        cv=ClientKFold(3, client_column="site", random_state=0),
        scoring=["accuracy", "roc_auc"],
        refit="roc_auc",
        error_score="raise",
    ).fit(FRAME, Y)
    assert np.isfinite(search.cv_results_["mean_test_accuracy"]).all()
    assert search.predict(FRAME).shape == Y.shape
    found = cross_val_predict(
        by_column(), FRAME, Y, cv=SHUFFLED, method="predict_proba"
    )
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_per_client_scores_on_a_frame():
    model = by_column().fit(FRAME, Y)
    scores = ClientScorer(client_column="site").per_client(model, FRAME, Y)
    assert scores.index.tolist() == ["site0", "site1", "site2"]
    for name, part in FRAME.groupby("site"):
        assert scores[name] == model.score(part, Y[part.index])


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_permutation_importance_names_the_informative_columns(task):
    regression = task == "regression"
    frame, y = make_frame(regression=regression, n=60)
    make = small_regressor if regression else small_classifier
    model = make(client_column="site", n_rounds=10).fit(frame, y)
    found = permutation_importance(model, frame, y, n_repeats=3, random_state=0)
    importance = pd.Series(found.importances_mean, frame.columns).drop("site")
    assert np.isfinite(found.importances).all()
    assert importance.idxmax() == "a"
    assert importance["a"] > 0.05


@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: CalibratedClassifierCV(m, cv=SHUFFLED),
        lambda m: VotingClassifier([("a", m), ("b", m)], voting="soft"),
        lambda m: StackingClassifier([("a", m)], LogisticRegression(), cv=SHUFFLED),
        lambda m: HalvingGridSearchCV(
            m, {"local_epochs": [1, 2]}, cv=SHUFFLED, random_state=0, factor=2
        ),
    ],
    ids=["Calibrated", "Voting", "Stacking", "Halving"],
)
def test_meta_estimators_on_a_frame(wrap):
    model = wrap(by_column(aligner=UnionAligner(), min_count=1)).fit(FRAME, Y)
    assert model.predict(FRAME).shape == Y.shape
    assert model.score(FRAME, Y) > 0.5


def test_bagging_passes_no_columns_and_is_told():
    model = BaggingClassifier(by_column(), n_estimators=2, random_state=0)
    with pytest.raises(ValueError, match="no client column 'site'"):
        model.fit(FRAME[["a", "b"]].assign(site=0.0), Y)


def test_a_list_of_pairs_is_no_form_for_cross_validation():
    pairs = list(make_named(n_clients=4).values())
    with pytest.raises(ValueError, match="dict by client name, or pool"):
        cross_val_score(small_classifier(), pairs, cv=4, error_score="raise")


def test_targets_may_be_a_series_of_any_index():
    order = np.random.default_rng(0).permutation(len(POOLED_Y))
    np.testing.assert_array_equal(
        cross_val_score(
            small_classifier(),
            POOLED,
            pd.Series(POOLED_Y, index=order),
            cv=3,
            error_score="raise",
        ),
        cross_val_score(
            small_classifier(), POOLED, POOLED_Y, cv=3, error_score="raise"
        ),
    )


def test_pipeline_of_row_wise_steps_keeps_the_column():
    model = make_pipeline(FunctionTransformer(), by_column())
    scores = cross_val_score(model, FRAME, Y, cv=SHUFFLED, error_score="raise")
    assert np.isfinite(scores).all()


def test_a_column_all_missing_in_a_test_fold_is_still_the_clients():
    model = by_column().fit(FRAME, Y)
    part = FRAME[FRAME.site == "site0"].head(5).copy()
    expected = part.columns.drop("site")
    part["own0"] = np.nan
    assert list(expected)[:3] == ["a", "b", "own0"]
    assert model.predict(part).shape == (5,)
