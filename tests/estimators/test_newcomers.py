"""Clients that join a fitted federation, and clients that leave."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from skfed import (
    ClientError,
    FederatedClassifier,
    FederatedRegressor,
    InProcessFederation,
    LeaveClientsOut,
    pool,
)
from skfed.alignment import UnionAligner
from skfed.exceptions import AlignmentWarning
from skfed.strategies import FedPer
from skfed.testing._data import make_clients

quiet = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
ESTIMATORS = {"classification": FederatedClassifier, "regression": FederatedRegressor}
SCHEMA = {"a": "pqr", "b": "rst", "c": "rpu", "d": "pqs"}


def fitted(task, n_rounds=10, schema=SCHEMA, **settings):
    clients = make_clients(schema, task, n_rows=80)
    new = clients.pop("d")
    model = ESTIMATORS[task](n_rounds=n_rounds, random_state=0, **settings)
    return model.fit(clients), new, clients


@pytest.mark.parametrize("personalizer", [None, "auto"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_newcomer_with_labels_gets_what_the_others_have(task, personalizer):
    model, (X, y), clients = fitted(task, personalizer=personalizer)
    tables = {name: table for name, (table, _) in clients.items()}
    before = model.predict(tables)
    weights = model.net_.module_.skip.weight.clone()
    assert model.add_client("d", X, y) is model
    assert model.client_names_ == ["a", "b", "c", "d"]
    assert model.client_features_["d"] == list("pqs")
    assert set(model.pipelines_) == set(model.predictors_) == set("abcd")
    assert (model.net_.module_.skip.weight == weights).all()
    for name, values in model.predict(tables).items():  # the others' stay as they were
        np.testing.assert_array_equal(values, before[name])
    baseline = 0.5 if task == "classification" else 0.0
    assert model.score({"d": (X, y)}) > baseline
    if personalizer:
        rows = model.personalization_.loc["d"]
        assert rows["weight"].sum() > 0 and (rows["n_rows"] == len(X)).all()
    if task == "classification":
        np.testing.assert_array_equal(model.client_classes_["d"], [0, 1])
    down = model.ledger_.query("client == 'd' and direction == 'up'")
    assert len(down) and "train" not in set(down["task"])


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_newcomer_is_aligned_as_a_fitted_client_with_the_same_rows(task):
    """With aligners and encoder frozen, the same table comes to the same place."""
    model, _, clients = fitted(task, personalizer=None, aligner=UnionAligner())
    X, y = clients["a"]
    model.add_client("twin", X, y)
    np.testing.assert_array_equal(
        model.pipelines_["twin"][:-1].transform(X),
        model.pipelines_["a"][:-1].transform(X),
        model.pipelines_["a"][:-1].transform(X),
    )
    first, second = model.predict({"a": X, "twin": X}).values()
    np.testing.assert_array_equal(first, second)


@quiet
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_messages_and_state_of_a_newcomer_pass_through_bytes(task):
    found = []
    for isolate in (False, True):
        given = {"federation": InProcessFederation(isolate=isolate), "engine": "loop"}
        model, (X, y), _ = fitted(task, **given)
        found.append(model.add_client("d", X, y).predict({"d": X})["d"])
    np.testing.assert_array_equal(*found)


def test_new_columns_are_named_and_used_by_its_own_models_only():
    model, (X, y), _ = fitted("regression")
    X = X.assign(v=y, w=0.0)
    with pytest.warns(AlignmentWarning, match=r"\['v', 'w'\] of client 'd' are new"):
        model.add_client("d", X, y)
    assert model.pipelines_["d"][0].columns_ == list("pqs")
    assert model.score({"d": (X, y)}) > 0.7  # its own model knows that v is y


@quiet
def test_a_newcomer_without_a_common_column_has_its_labels():
    schema = {"a": "pq", "b": "rs", "c": "tu", "d": "vw"}
    model, (X, y), _ = fitted("classification", schema=schema)
    model.add_client("d", X, y)
    assert model.score({"d": (X, y)}) > 0.5


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_client_without_labels_is_aligned_in_predict_if_asked(task):
    model, (X, y), _ = fitted(task, unseen="align")
    values = model.predict({"d": X})["d"]
    assert np.isfinite(values.astype(float)).all() and len(values) == len(X)
    assert "d" not in model.client_names_  # for this call only
    model.add_client("d", X)
    np.testing.assert_array_equal(model.predict({"d": X})["d"], values)
    strict, _, _ = fitted(task)
    with pytest.raises(ClientError, match="unseen='align'"):
        strict.predict({"d": X})


def test_units_of_a_client_without_labels_are_the_pooled_ones():
    model, (X, y), clients = fitted("regression", personalizer=None)
    with pytest.raises(ClientError, match="units of the others' stayed with them"):
        model.add_client("d", X)
    model, (X, y), clients = fitted("regression", personalizer=None, unseen="align")
    values = np.concatenate([target for _, target in clients.values()])
    step = model.add_client("d", X).pipelines_["d"][-1]
    np.testing.assert_allclose([step.mean, step.scale], [values.mean(), values.std()])


@quiet
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_leaving_clients_out_measures_newcomers(task):
    X, y = pool(make_clients(SCHEMA, task, n_rows=60))
    model = ESTIMATORS[task](
        n_rounds=5, personalizer=None, unseen="align", random_state=0
    )
    if task == "classification":
        model.set_params(classes=[0, 1])
    scores = cross_val_score(model, X, y, cv=LeaveClientsOut(), error_score="raise")
    assert len(scores) == 4 and np.isfinite(scores).all()


def test_parameters_at_home_are_trained_by_the_newcomer():
    model, (X, y), _ = fitted("classification", strategy=FedPer(), personalizer=None)
    with pytest.raises(ClientError, match="keep the parameters.*give y"):
        model.add_client("d", X)
    model.add_client("d", X, y)
    nets = {name: p[-1].model.net.module_ for name, p in model.pipelines_.items()}
    assert (nets["d"].mlp[0].weight == nets["a"].mlp[0].weight).all()
    assert (nets["d"].skip.weight == nets["a"].skip.weight).all()
    assert not (nets["d"].mlp[2].weight == nets["a"].mlp[2].weight).all()
    assert model.score({"d": (X, y)}) > 0.6


def test_what_cannot_join_is_refused_by_name():
    model, (X, y), _ = fitted("classification", personalizer=None)
    with pytest.raises(ClientError, match="'a' is known already"):
        model.add_client("a", X, y)
    with pytest.raises(ClientError, match=r"'d' has labels \[7\].*not in classes_"):
        model.add_client("d", X, np.where(y == 0, 7, y))
    with pytest.raises(ClientError, match="'d' has no rows"):
        model.add_client("d", X.head(0), y[:0])
    assert model.client_names_ == ["a", "b", "c"]
    with pytest.raises(NotFittedError):
        clone(model).add_client("d", X, y)


def test_a_dropped_client_is_forgotten_and_a_refit_is_a_fit_without_it():
    model, new, clients = fitted("classification")
    model.add_client("d", *new)
    everyone = {**clients, "d": new}
    model.drop_client("b")
    assert model.client_names_ == ["a", "c", "d"]
    assert "b" not in model.personalization_.index.get_level_values("client")
    assert "b" not in model.client_classes_ and "b" not in model.predictors_
    with pytest.raises(ClientError, match="unknown client 'b'"):
        model.predict({"b": clients["b"][0]})
    with pytest.raises(ClientError, match="unknown client 'b'"):
        model.drop_client("b")
    rest = {name: pair for name, pair in everyone.items() if name != "a"}
    tables = {name: X for name, (X, _) in rest.items()}
    again = clone(model).fit(rest).predict(tables)
    for name, values in model.drop_client("a", everyone).predict(tables).items():
        np.testing.assert_array_equal(values, again[name])


def test_the_only_client_cannot_go():
    X, y = make_clients("one client")["a"]
    model = FederatedClassifier(n_rounds=2, random_state=0).fit({"a": (X, y)})
    with pytest.raises(ClientError, match="only client"):
        model.drop_client("a")


def test_few_rows_and_arrays_can_join():
    rng = np.random.default_rng(0)
    clients = {k: (rng.normal(size=(30, 3)), rng.normal(size=30)) for k in "ab"}
    model = FederatedRegressor(n_rounds=3, random_state=0).fit(clients)
    X, y = rng.normal(size=(3, 3)), rng.normal(size=3)
    model.add_client("c", X, y)
    assert np.isfinite(model.predict({"c": X})["c"]).all()
    assert isinstance(model.personalization_, pd.DataFrame)
