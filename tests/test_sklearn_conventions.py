"""Pickles, copies, representations and global settings of fitted estimators."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags

from skfed import TableEncoder, pool
from skfed.alignment import FactorAligner, SharedPrivateAligner, UnionAligner
from tests.sklearn_oracle import (
    make_named,
    small_classifier,
    small_net,
    small_regressor,
)

CLIENTS = {
    "classification": make_named(),
    "regression": make_named(regression=True),
}
DATA = {task: pool(clients) for task, clients in CLIENTS.items()}


def make(task, **params):
    factory = small_classifier if task == "classification" else small_regressor
    return factory(**params)


def outputs(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


@pytest.fixture(params=["classification", "regression"])
def task(request):
    return request.param


@pytest.fixture(
    params=[
        {},
        {"net": True, "aligner": SharedPrivateAligner()},
        {"encoder": TableEncoder(scaling="pooled"), "aligner": UnionAligner()},
    ],
    ids=["default", "own net, private columns", "own steps"],
)
def fitted(request, task):
    params = dict(request.param)
    if params.pop("net", False):
        params["net"] = small_net(task)
    return make(task, **params).fit(*DATA[task])


def test_round_trips_keep_every_bit(fitted, task, tmp_path):
    X, _ = DATA[task]
    joblib.dump(fitted, tmp_path / "model.joblib")
    copies = {
        "pickle": pickle.loads(pickle.dumps(fitted)),
        "joblib": joblib.load(tmp_path / "model.joblib"),
        "deepcopy": deepcopy(fitted),
    }
    expected = outputs(fitted, X)
    for copy in copies.values():
        np.testing.assert_array_equal(outputs(copy, X), expected)
        pd.testing.assert_frame_equal(copy.history_, fitted.history_)
        pd.testing.assert_frame_equal(copy.ledger_, fitted.ledger_)


def test_a_copy_goes_its_own_way(fitted, task):
    X, y = DATA[task]
    copy, expected = deepcopy(fitted), outputs(fitted, X)
    copy.set_params(n_rounds=3).fit(X, y)
    np.testing.assert_array_equal(outputs(fitted, X), expected)
    assert not np.array_equal(outputs(copy, X), expected)


def test_a_pickled_pipeline_predicts_for_its_client(fitted, task):
    table, _ = CLIENTS[task]["site1"]
    pipeline = pickle.loads(pickle.dumps(fitted.pipelines_["site1"]))
    assert isinstance(pipeline, Pipeline)
    np.testing.assert_array_equal(
        outputs(pipeline, table), outputs(fitted, {"site1": table})["site1"]
    )


def test_clone_is_unfitted_and_fits_to_the_same_bits(fitted, task):
    X, y = DATA[task]
    copy = clone(fitted)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    for name, value in fitted.get_params(deep=False).items():
        assert type(copy.get_params(deep=False)[name]) is type(value)
    np.testing.assert_array_equal(outputs(copy.fit(X, y), X), outputs(fitted, X))


def test_fit_leaves_parameters_alone(task):
    model = make(
        task,
        net=small_net(task),
        aligner=FactorAligner(n_components=2),
        encoder=TableEncoder(),
    )

    def shown():  # skorch makes its default callbacks anew at each call
        params = model.get_params().items()
        return {name: repr(v) for name, v in params if "__callbacks" not in name}

    before = shown()
    steps = (model.net, model.aligner, model.encoder)
    model.fit(*DATA[task])
    assert shown() == before
    assert steps == (model.net, model.aligner, model.encoder)
    assert not hasattr(model.net, "module_")
    assert not hasattr(model.aligner, "n_features_in_")


def test_html_and_text_representation(fitted, task):
    name = type(fitted).__name__
    for model in (clone(fitted), fitted):
        html = estimator_html_repr(model)
        assert name in html and "n_rounds" in html
        assert repr(model).startswith(name)
    assert "Pipeline" in estimator_html_repr(fitted.pipelines_["site0"])


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_transform_output_changes_nothing(task, output):
    pytest.importorskip(output)
    X, y = DATA[task]
    params = {
        "encoder": Pipeline([("table", TableEncoder()), ("scale", StandardScaler())])
    }
    expected = outputs(make(task, **params).fit(X, y), X)
    with sklearn.config_context(transform_output=output):
        inside = make(task, **params).fit(X, y)
        np.testing.assert_array_equal(outputs(inside, X), expected)
    np.testing.assert_array_equal(outputs(inside, X), expected)


def test_transform_output_set_after_fit_changes_nothing(task):
    X, y = DATA[task]
    model = make(task).fit(X, y)
    expected = outputs(model, X)
    with sklearn.config_context(transform_output="pandas"):
        found = outputs(model, X)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, expected)


def test_global_generators_do_not_move(task):
    X, y = DATA[task]
    np.random.seed(3)  # noqa: NPY002 - the global generator is the subject
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    outputs(make(task).fit(X, y), X)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_predicting_changes_nothing(fitted, task):
    X, _ = DATA[task]
    before = pickle.dumps(fitted.net_.module_.state_dict())
    first = outputs(fitted, X)
    np.testing.assert_allclose(outputs(fitted, X[::-1])[::-1], first, rtol=1e-12)
    np.testing.assert_array_equal(outputs(fitted, X), first)
    assert pickle.dumps(fitted.net_.module_.state_dict()) == before


def test_tags(task):
    tags = get_tags(make(task))
    assert tags.estimator_type == ("classifier" if "class" in task else "regressor")
    assert tags.target_tags.required and tags.input_tags.two_d_array
    assert tags.input_tags.allow_nan
    assert not get_tags(make(task, encoder=StandardScaler())).input_tags.string
