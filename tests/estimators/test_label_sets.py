"""Clients with other label sets: disjoint, overlapping, a single class."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from skfed import ClientKFold, FederatedClassifier, pool
from skfed.exceptions import AlignmentWarning

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def clients_of(label_sets, n=30, text=False):
    """Draw clients whose class c has mean 3 in column c."""
    rng = np.random.default_rng(0)
    clients = {}
    for name, labels in label_sets.items():
        codes = rng.choice(labels, n)
        codes[: len(labels)] = labels
        X = rng.normal(size=(n, 5))
        X[np.arange(n), codes] += 4
        y = np.array([f"kind {c}" for c in codes]) if text else codes
        clients[name] = pd.DataFrame(X, columns=list("abcde")), y
    return clients


DISJOINT = {"a": [0, 1], "b": [2, 3]}
OVERLAPPING = {"a": [0, 1, 2], "b": [2, 3], "c": [3, 4, 0]}
ONE_CLASS = {"a": [0, 1, 2], "b": [1]}
SETS = [DISJOINT, OVERLAPPING, ONE_CLASS]


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("personalizer", [None, "auto"])
@pytest.mark.parametrize("sets", SETS, ids=["disjoint", "overlapping", "one class"])
def test_fit_predict_score(sets, personalizer, text):
    clients = clients_of(sets, text=text)
    tables = {name: X for name, (X, _) in clients.items()}
    for absent in ("model", "zero"):
        model = FederatedClassifier(
            personalizer=personalizer, absent=absent, n_rounds=30, random_state=0
        ).fit(clients)
        union = np.unique(np.concatenate([y for _, y in clients.values()]))
        np.testing.assert_array_equal(model.classes_, union)
        proba, predicted = model.predict_proba(tables), model.predict(tables)
        for name, (_, y) in clients.items():
            np.testing.assert_array_equal(model.client_classes_[name], np.unique(y))
            assert proba[name].shape == (len(y), len(union))
            np.testing.assert_allclose(proba[name].sum(axis=1), 1)
            best = union[proba[name].argmax(axis=1)]
            np.testing.assert_array_equal(predicted[name], best)
            if absent == "zero":
                assert not proba[name][:, ~np.isin(union, y)].any()
                assert set(predicted[name]) <= set(y)
        assert model.score(clients) > 0.85


def test_a_label_that_only_others_have_is_recognised_unless_it_is_left_out():
    clients = clients_of({"a": [0, 1, 2], "b": [0, 1]}, n=60)
    X, y = clients_of({"b": [2]})["b"]
    found = {}
    for absent in ("model", "zero"):
        model = FederatedClassifier(
            personalizer=None, absent=absent, random_state=0
        ).fit(clients)
        found[absent] = (model.predict({"b": X})["b"] == y).mean()
    assert found["model"] > 0.6 and found["zero"] == 0


def test_zero_changes_nothing_where_all_labels_are_held():
    clients = clients_of({"a": [0, 1, 2], "b": [0, 1, 2]})
    tables = {name: X for name, (X, _) in clients.items()}
    first, second = (
        FederatedClassifier(absent=absent, n_rounds=10, random_state=0)
        .fit(clients)
        .predict_proba(tables)
        for absent in ("model", "zero")
    )
    for name in tables:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize(
    "sets, heads", [(DISJOINT, "local"), (OVERLAPPING, "shared"), (ONE_CLASS, "shared")]
)
def test_auto_keeps_heads_apart_where_no_label_is_common(sets, heads):
    clients = clients_of(sets)
    model = FederatedClassifier(personalizer=None, n_rounds=3, random_state=0)
    assert model.fit(clients).heads_ == heads
    sent = set(model.ledger_.query("task == 'train'")["name"])
    assert ("w/skip.weight" in sent) == (heads == "shared")
    assert "w/mlp.0.weight" in sent
    other = {"local": "shared", "shared": "local"}[heads]
    assert model.set_params(heads=other).fit(clients).heads_ == other


def test_own_heads_differ_and_the_shared_layer_does_not():
    clients = clients_of(OVERLAPPING)
    model = FederatedClassifier(
        personalizer=None, heads="local", n_rounds=5, random_state=0
    ).fit(clients)
    nets = [p[-1].model.net.module_ for p in model.pipelines_.values()]
    assert (nets[0].mlp[0].weight == nets[1].mlp[0].weight).all()
    assert not (nets[0].skip.weight == nets[1].skip.weight).all()


def test_own_heads_stop_early_and_go_through_bytes():
    from skfed import InProcessFederation

    clients = clients_of(DISJOINT, n=60)
    tables = {name: X for name, (X, _) in clients.items()}
    found = [
        FederatedClassifier(
            early_stopping=True,
            federation=InProcessFederation(isolate=isolate),
            n_rounds=20,
            random_state=0,
        )
        .fit(clients)
        .predict_proba(tables)
        for isolate in (False, True)
    ]
    for name in tables:
        np.testing.assert_array_equal(found[0][name], found[1][name])


def test_grid_search_over_label_sets():
    X, y = pool(clients_of(OVERLAPPING, n=40))
    search = GridSearchCV(
        FederatedClassifier(personalizer=None, n_rounds=5, random_state=0),
        {"absent": ["model", "zero"], "heads": ["shared", "local"]},
        cv=ClientKFold(2),
    ).fit(X, y)
    assert search.best_score_ > 0.6
    assert len(search.cv_results_["params"]) == 4


def test_lonely_labels_are_named():
    with pytest.warns(AlignmentWarning, match="occur at no other client"):
        FederatedClassifier(n_rounds=2, personalizer=None, random_state=0).fit(
            clients_of(DISJOINT)
        )


def test_one_client_keeps_its_head_shared():
    X, y = load_iris(return_X_y=True)
    model = FederatedClassifier(n_rounds=3, random_state=0).fit(X, y)
    assert model.heads_ == "shared"
