"""Searches over the parameters of nested steps, with the real estimators."""

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skfed import ClientKFold, ClientScorer, FedAvg, TableEncoder, pool
from skfed.alignment import FactorAligner, UnionAligner
from tests.sklearn_oracle import (
    make_named,
    small_classifier,
    small_net,
    small_regressor,
)

X, Y = pool(make_named())
XR, YR = pool(make_named(regression=True))
FACTOR_PIPELINE = Pipeline(
    [("factor", FactorAligner(n_components=2)), ("scale", StandardScaler())]
)


def grid_search(model, grid, X=X, y=Y, **kwargs):
    settings = {"cv": ClientKFold(3, random_state=0), "error_score": "raise"}
    return GridSearchCV(model, grid, **{**settings, **kwargs}).fit(X, y)


GRIDS = {
    "aligner__n_components": (
        {"aligner": FactorAligner()},
        {"aligner__n_components": [1, 2]},
    ),
    "aligner__factor__n_components": (
        {"aligner": FACTOR_PIPELINE},
        {"aligner__factor__n_components": [1, 2]},
    ),
    "aligner__factor, a step in a step": (
        {"aligner": FACTOR_PIPELINE},
        {"aligner__factor": [FactorAligner(1), UnionAligner()]},
    ),
    "encoder__scaling": (
        {"encoder": TableEncoder()},
        {"encoder__scaling": ["client", "pooled"]},
    ),
    "aligner, whole steps": (
        {},
        {"aligner": [UnionAligner(), FactorAligner()]},
    ),
    "strategy__weighting": (
        {"strategy": FedAvg()},
        {"strategy__weighting": ["rows", "uniform"]},
    ),
    "n_rounds and local_epochs": ({}, {"n_rounds": [1, 3], "local_epochs": [1]}),
}
NET_GRIDS = {
    "net__lr": {"net__lr": [0.001, 0.3]},
    "net__module__hidden": {"net__module__hidden": [1, 6]},
    "net__optimizer__weight_decay": {"net__optimizer__weight_decay": [0.0, 0.5]},
    "net__batch_size": {"net__batch_size": [8, -1]},
    "net__optimizer": {"net__optimizer": [torch.optim.SGD, torch.optim.Adam]},
}


def check_two_candidates(search, y):
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 2
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max()
    assert search.predict(X if y is Y else XR).shape == y.shape
    for name, value in search.best_params_.items():
        if not hasattr(value, "get_params"):
            assert search.best_estimator_.get_params()[name] == value


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_grid_over_steps(name, task):
    params, grid = GRIDS[name]
    if task == "classification":
        check_two_candidates(grid_search(small_classifier(**params), grid), Y)
    else:
        check_two_candidates(grid_search(small_regressor(**params), grid, XR, YR), YR)


@pytest.mark.parametrize("name", NET_GRIDS)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_grid_over_the_net(name, task):
    scoring = "neg_log_loss" if task == "classification" else "neg_mean_squared_error"
    make, data = {
        "classification": (small_classifier, (X, Y)),
        "regression": (small_regressor, (XR, YR)),
    }[task]
    search = grid_search(
        make(net=small_net(task), aligner=UnionAligner()),
        NET_GRIDS[name],
        *data,
        scoring=scoring,
    )
    check_two_candidates(search, data[1])
    first, second = search.cv_results_["mean_test_score"]
    assert first != second, f"{name} has no effect"


def test_number_of_components_reaches_every_client():
    search = grid_search(
        small_classifier(aligner=FACTOR_PIPELINE),
        {"aligner__factor__n_components": [2]},
    )
    pipelines = search.best_estimator_.pipelines_
    for pipeline in pipelines.values():
        (aligner,) = [
            step for _, step in pipeline["align"].steps
            if isinstance(step, FactorAligner)
        ]  # fmt: skip
        assert aligner.n_components == 2


@pytest.mark.filterwarnings("ignore::skfed.exceptions.NegativeControlWarning")
def test_weaker_aligner_loses():
    clients = make_named(n=80)
    for table, _ in clients.values():
        table["junk"] = 0.0
    wide, y = pool(clients)
    noise = Pipeline([("union", UnionAligner()), ("keep", PCA(1, random_state=0))])
    search = grid_search(
        small_classifier(n_rounds=5), {"aligner": [UnionAligner(), noise]}, wide, y
    )
    assert isinstance(search.best_estimator_.aligner, UnionAligner)


@pytest.mark.slow
def test_two_workers_give_the_scores_of_one():
    grid = {"aligner": [UnionAligner(), FactorAligner()], "local_epochs": [1, 2]}
    found = [grid_search(small_classifier(), grid, n_jobs=jobs) for jobs in (1, 2)]
    for name in found[0].cv_results_:
        if "_test_" in name:
            np.testing.assert_array_equal(
                found[0].cv_results_[name], found[1].cv_results_[name]
            )
    np.testing.assert_array_equal(found[0].predict_proba(X), found[1].predict_proba(X))


def test_randomized_search():
    model = small_classifier(net=small_net(), aligner=UnionAligner())
    search = RandomizedSearchCV(
        model,
        {"net__lr": loguniform(1e-3, 1), "net__module__hidden": [2, 4]},
        n_iter=3,
        random_state=0,
        cv=3,
        error_score="raise",
    ).fit(X, Y)
    assert len(search.cv_results_["params"]) == 3
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("resource", ["n_samples", "n_rounds"])
def test_halving_search(resource):
    budget = {} if resource == "n_samples" else {"max_resources": 4, "min_resources": 1}
    search = HalvingGridSearchCV(
        small_classifier(aligner=UnionAligner(), min_count=1),
        {"local_epochs": [1, 2, 3]},
        resource=resource,
        factor=2,
        random_state=0,
        cv=3,
        error_score="raise",
        **budget,
    ).fit(X, Y)
    assert search.n_iterations_ == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    if resource == "n_rounds":
        assert search.best_estimator_.n_rounds_ == search.n_resources_[-1]


def test_halving_random_search_over_the_net():
    search = HalvingRandomSearchCV(
        small_classifier(net=small_net(), aligner=UnionAligner()),
        {"net__lr": loguniform(1e-2, 1)},
        resource="n_rounds",
        max_resources=4,
        n_candidates=3,
        factor=2,
        random_state=0,
        cv=3,
        error_score="raise",
    ).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_search_by_the_worst_client():
    search = grid_search(
        small_classifier(),
        {"local_epochs": [1, 3]},
        scoring={
            "worst": ClientScorer("accuracy", average="worst"),
            "macro": ClientScorer("accuracy", average="macro"),
            "micro": ClientScorer("accuracy", average="micro"),
            "all": "accuracy",
        },
        refit="worst",
    )
    found = search.cv_results_
    assert (found["mean_test_worst"] <= found["mean_test_macro"]).all()
    np.testing.assert_allclose(found["mean_test_micro"], found["mean_test_all"])
    assert search.best_score_ == found["mean_test_worst"].max()


@pytest.mark.parametrize(
    "name, hint", [("net__modul__hidden", "modul"), ("net__module__hiden", "hidden")]
)
def test_misspelt_net_parameters_fail_and_suggest(name, hint):
    with pytest.raises(ValueError, match=f"{name}.*{hint}"):
        grid_search(small_classifier(net=small_net()), {name: [3]})


def test_misspelt_step_parameters_fail():
    with pytest.raises(ValueError, match="Invalid parameter 'n_component'"):
        grid_search(
            small_classifier(aligner=FactorAligner()), {"aligner__n_component": [1]}
        )
