"""Strategies with parts or models of each client's own, inside the estimators."""

import numpy as np
import pytest
from skorch import NeuralNetClassifier
from torch import nn

from skfed import ClientError, FederatedClassifier, FederatedRegressor
from skfed.exceptions import StrategyWarning
from skfed.nets import SkipMLP
from skfed.strategies import (
    APFL,
    IFCA,
    Ditto,
    FedBN,
    FedPer,
    FedProto,
    FedRep,
    LGFedAvg,
    LocalOnly,
    Moon,
    PFedMe,
)
from skfed.testing._data import make_clients


def two_meanings(n=60):
    """Draw four clients; at every second one the labels mean the contrary."""
    rng = np.random.default_rng(0)
    train, test = {}, {}
    for k, name in enumerate("abcd"):
        X = rng.normal(size=(3 * n, 4))
        y = ((X @ [2.0, -1.0, 1.0, 0.5] > 0) ^ (k % 2)).astype(int)
        train[name], test[name] = (X[:n], y[:n]), (X[n:], y[n:])
    return train, test


def score(strategy, **settings):
    train, test = two_meanings()
    given = {"aligner": "passthrough", "personalizer": None, "n_rounds": 40}
    model = FederatedClassifier(
        strategy=strategy, random_state=0, **{**given, **settings}
    ).fit(train)
    return model.score(test), model


PERSONAL = [
    APFL(),
    Ditto(lam=0.01),
    FedPer(),
    FedRep(),
    LGFedAvg(),
    LocalOnly(),
    PFedMe(lam=0.1, eta=1.0),
    FedProto(lam=0.1),
]


@pytest.mark.parametrize("strategy", PERSONAL, ids=repr)
def test_personal_methods_serve_clients_of_two_meanings(strategy):
    found, _ = score(strategy)
    shared, _ = score(None)
    assert shared < 0.65
    floor = 0.6 if isinstance(strategy, LGFedAvg) else 0.85  # its head is shared
    assert found > floor


def test_clusters_find_the_two_meanings():
    found, model = score(IFCA())
    assert found > 0.9
    nets = {name: p[-1].model.net.module_ for name, p in model.pipelines_.items()}
    first, second = (nets[name].skip.weight for name in "ab")
    assert (first == nets["c"].skip.weight).all()
    assert (second == nets["d"].skip.weight).all()
    assert ((first[1] - first[0]) @ (second[1] - second[0])).item() < 0


def net(**params):
    return NeuralNetClassifier(
        SkipMLP, criterion=nn.CrossEntropyLoss, lr=0.1, train_split=None, **params
    )


def test_batch_normalisation_stays_at_each_client():
    clients = make_clients("same columns")
    moved = {c: (X + 4 * k, y) for k, (c, (X, y)) in enumerate(clients.items())}
    model = FederatedClassifier(
        encoder="passthrough",
        aligner="passthrough",
        net=net(module__batch_norm=True).set_params(lr=0.01),
        strategy=FedBN(),
        personalizer=None,
        n_rounds=5,
        random_state=0,
    ).fit(moved)
    modules = [p[-1].model.net.module_ for p in model.pipelines_.values()]
    means = [module.mlp[1].running_mean for module in modules]
    assert abs(means[1] - means[0]).max() > 0.5
    sent = set(model.ledger_["name"])
    assert not {name for name in sent if ".mlp.1." in name or "/mlp.1." in name}
    with pytest.warns(StrategyWarning, match="no batch normalisation"):
        model.set_params(net=net(), encoder="auto").fit(clients)


def test_the_last_layer_is_what_reads_the_representation():
    clients = make_clients("same columns")
    given = {"personalizer": None, "n_rounds": 2, "random_state": 0}
    model = FederatedClassifier(strategy=FedPer(), **given).fit(clients)
    sent = {n for n in model.ledger_.query("task == 'train'")["name"] if "w/" in n}
    assert sent == {"w/skip.weight", "w/mlp.0.weight", "w/mlp.0.bias"}
    linear = NeuralNetClassifier(
        SkipMLP, module__hidden=(), criterion=nn.CrossEntropyLoss, lr=0.1
    )
    model.set_params(net=linear).fit(clients)  # a head and nothing else
    assert "w/" not in "".join(model.ledger_.query("task == 'train'")["name"])


def test_heads_can_be_named():
    clients = make_clients("same columns")
    model = FederatedClassifier(
        strategy=FedPer(head=["mlp.2"]), personalizer=None, n_rounds=2, random_state=0
    ).fit(clients)
    sent = {n for n in model.ledger_.query("task == 'train'")["name"] if "w/" in n}
    assert sent == {"w/skip.weight", "w/skip.bias", "w/mlp.0.weight", "w/mlp.0.bias"}
    with pytest.raises(ClientError, match="head names 'mlp.9'"):
        model.set_params(strategy=FedPer(head=["mlp.9"])).fit(clients)


def test_prototypes_have_min_count_rows_behind_them():
    rng = np.random.default_rng(0)
    clients = {}
    for name in "ab":
        y = np.r_[np.zeros(20, int), np.ones(20, int), np.full(3, 2)]
        clients[name] = rng.normal(size=(43, 3)) + y[:, None], y
    model = FederatedClassifier(
        strategy=FedProto(), personalizer=None, n_rounds=3, random_state=0
    ).fit(clients)
    counts, prototypes = (
        model._recipes[""][1].shared[key] for key in ("counts", "prototypes")
    )
    assert counts.tolist() == [40, 40, 0]
    assert prototypes[:2].any() and not prototypes[2].any()
    with pytest.raises(ValueError, match="for classification"):
        FederatedRegressor(strategy=FedProto()).fit(clients)


@pytest.mark.parametrize("strategy", [Moon(), FedProto()], ids=repr)
def test_a_representation_needs_a_hidden_layer(strategy):
    clients = make_clients("same columns")
    model = FederatedClassifier(
        net=net(module__hidden=()), strategy=strategy, n_rounds=2, random_state=0
    )
    with pytest.raises(ClientError, match="no hidden layer"):
        model.fit(clients)


@pytest.mark.parametrize("strategy", [Ditto(), FedPer(), APFL(), IFCA()], ids=repr)
def test_early_stopping_goes_back_to_what_clients_had_in_the_best_round(strategy):
    train, test = two_meanings(n=40)
    rng = np.random.default_rng(0)
    for c, (X, y) in train.items():  # noisy labels, to be learnt by heart
        train[c] = X, np.where(rng.random(40) < 0.3, 1 - y, y)
    settings = {
        "aligner": "passthrough",
        "personalizer": None,
        "strategy": strategy,
        "net": net(module__dtype="float64").set_params(lr=0.5),
        "validation_fraction": 0.3,
        "random_state": 0,
    }
    model = FederatedClassifier(
        early_stopping=True, n_iter_no_change=3, tol=1e-4, n_rounds=60, **settings
    ).fit(train)
    assert model.best_round_ < model.n_rounds_
    tables = {name: X for name, (X, _) in test.items()}
    # stopping at the best round itself gives the same predictions
    short = FederatedClassifier(
        early_stopping=True, tol=0.0, n_rounds=model.best_round_, **settings
    ).fit(train)
    assert short.best_round_ == model.best_round_
    for name, proba in model.predict_proba(tables).items():
        np.testing.assert_array_equal(proba, short.predict_proba(tables)[name])
