"""The same federation, however it is given, ordered and run, is the same model."""

import numpy as np
import pandas as pd
import pytest
import torch

from skfed import (
    ClientData,
    FederatedClassifier,
    FederatedRegressor,
    InProcessFederation,
    pool,
)
from tests.clients import NAMES, make_clients, same_weights

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")

ESTIMATORS = {
    "classification": FederatedClassifier,
    "regression": FederatedRegressor,
}


def fitted(task, X, y=None, **params):
    clients = params.pop("clients", None)
    given = {"personalizer": None, "n_rounds": 4, "random_state": 0, **params}
    model = ESTIMATORS[task](**given)
    return model.fit(X, y, clients=clients)


def as_frame(clients):
    parts = [X.assign(site=name) for name, (X, _) in clients.items()]
    table = pd.concat(parts, ignore_index=True)
    return table, np.concatenate([y for _, y in clients.values()])


@pytest.mark.parametrize("task", ESTIMATORS)
def test_all_input_forms_give_the_same_model_bit_for_bit(task):
    clients = make_clients(task)
    reference = fitted(task, clients)
    X, y = pool(clients)
    table, flat = as_frame(clients)
    rest, sites = table.drop(columns="site"), table["site"].to_numpy()
    tables = {name: pair[0] for name, pair in clients.items()}
    targets = {name: pair[1] for name, pair in clients.items()}
    forms = {
        "list of pairs": ((list(clients.values()),), {}),
        "dict of tables": ((tables, targets), {}),
        "list of tables": (([*tables.values()], [*targets.values()]), {}),
        "container": ((X, y), {}),
        "shuffled container": ((X[::-1], y[::-1]), {}),
        "client column": ((table, flat), {"client_column": "site"}),
        "clients=": ((rest, flat), {"clients": sites}),
        "from_frame": ((ClientData.from_frame(table, "site"), flat), {}),
    }
    for form, (args, extra) in forms.items():
        if form == "shuffled container":
            continue  # another row order: other batches, tested below
        assert same_weights(reference, fitted(task, *args, **extra)), form


@pytest.mark.parametrize("task", ESTIMATORS)
def test_polars_and_pandas_give_the_same_model(task):
    pl = pytest.importorskip("polars")
    clients = make_clients(task)
    other = {
        name: (pl.DataFrame({c: X[c].to_list() for c in X}, nan_to_null=True), y)
        for name, (X, y) in clients.items()
    }
    first, second = fitted(task, clients), fitted(task, other)
    assert same_weights(first, second)
    for name in NAMES:
        np.testing.assert_array_equal(
            first.predict({name: clients[name][0]})[name],
            second.predict({name: other[name][0]})[name],
        )


@pytest.mark.parametrize("task", ESTIMATORS)
def test_client_order_does_not_matter(task):
    clients = make_clients(task)
    turned = {name: clients[name] for name in reversed(NAMES)}
    first, second = fitted(task, clients), fitted(task, turned)
    assert same_weights(first, second)
    assert first.client_names_ == second.client_names_ == list(NAMES)
    assert list(second.predict({n: clients[n][0] for n in "cab"})) == ["c", "a", "b"]


def test_row_order_does_not_matter_to_schema_and_alignment():
    clients = make_clients()
    order = {name: np.random.default_rng(1).permutation(len(y)) for name, (_, y) in
             clients.items()}  # fmt: skip
    shuffled = {
        name: (X.iloc[order[name]], y[order[name]]) for name, (X, y) in clients.items()
    }
    first, second = (
        fitted("classification", clients),
        fitted("classification", shuffled),
    )
    assert first.aligned_names_ == second.aligned_names_
    for name, (X, _) in clients.items():
        a = first.pipelines_[name][:-1].transform(X)
        b = second.pipelines_[name][:-1].transform(X)
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("task", ESTIMATORS)
def test_same_seed_same_weights_and_global_generators_do_not_move(task):
    clients = make_clients(task)
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not move
    torch_state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first = fitted(task, clients, client_fraction=0.5)
    second = fitted(task, clients, client_fraction=0.5)
    other = fitted(task, clients, client_fraction=0.5, random_state=1)
    first.predict({n: clients[n][0] for n in NAMES})
    assert same_weights(first, second) and not same_weights(first, other)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert (torch.random.get_rng_state() == torch_state).all()
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("task", ESTIMATORS)
@pytest.mark.parametrize(
    "federation",
    [InProcessFederation(isolate=True), InProcessFederation(n_jobs=2)],
    ids=repr,
)
def test_states_through_bytes_and_workers_give_the_same_bits(task, federation):
    clients = make_clients(task)
    params = {"early_stopping": True, "validation_fraction": 0.2, "engine": "loop"}
    first = fitted(task, clients, **params)
    second = fitted(task, clients, federation=federation, **params)
    assert same_weights(first, second)
    columns = ["round", "client", "n_rows", "loss", "valid_loss"]
    pd.testing.assert_frame_equal(first.history_[columns], second.history_[columns])
    pd.testing.assert_frame_equal(first.ledger_, second.ledger_)


@pytest.mark.parametrize("task", ESTIMATORS)
def test_pipelines_predict_for_their_own_tables(task):
    clients = make_clients(task)
    model = fitted(task, clients)
    tables = {name: X for name, (X, _) in clients.items()}
    for name, predicted in model.predict(tables).items():
        alone = model.pipelines_[name].predict(tables[name])
        np.testing.assert_array_equal(alone, predicted)


def test_outputs_come_in_the_callers_form_and_order():
    clients = make_clients(text_labels=True)
    model = fitted("classification", list(clients.values()))
    tables = [X for X, _ in clients.values()]
    listed = model.predict(tables)
    assert isinstance(listed, list) and [len(p) for p in listed] == [40, 55, 70]
    X, y = pool(list(clients.values()))
    flat, proba = model.predict(X), model.predict_proba(X)
    assert flat.shape == y.shape and proba.shape == (len(y), 3)
    for name, where, _ in X.items():
        np.testing.assert_array_equal(flat[where], listed[name])
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert model.score(X, y) == pytest.approx(model.score(list(clients.values())))
    assert model.classes_.tolist() == ["high", "low", "mid"]


def test_a_subset_of_clients_and_no_rows_can_be_predicted():
    clients = make_clients()
    model = fitted("classification", clients)
    X = clients["b"][0]
    assert list(model.predict({"b": X})) == ["b"]
    assert model.predict({"b": X.iloc[:0]})["b"].shape == (0,)
    assert model.predict_proba({"b": X.iloc[:0]})["b"].shape == (0, 3)
    np.testing.assert_array_equal(
        model.predict(X, clients="b"), model.predict({"b": X})["b"]
    )


def test_columns_are_matched_by_name_at_prediction():
    clients = make_clients()
    model = fitted("classification", clients)
    X = clients["a"][0]
    np.testing.assert_array_equal(
        model.predict({"a": X[X.columns[::-1]]})["a"], model.predict({"a": X})["a"]
    )


def test_client_column_form_predicts_where_a_column_is_missing_in_the_test_rows():
    table, y = as_frame(make_clients("regression"))
    model = fitted("regression", table, y, client_column="site")
    some = table[table["site"] == "a"].head(3).assign(s=np.nan)
    assert np.isfinite(model.predict(some)).all()
    assert "s" in model.client_features_["a"] and "p" not in model.client_features_["a"]
