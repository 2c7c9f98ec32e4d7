"""Clients that are trained together, against the plain loop."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from skfed.nets import SkipMLP
from skfed.testing._fit_checks import assert_engines_agree
from skfed.training._schedule import Schedule
from tests.clients import make_clients, same_weights

OPTIMIZERS = {
    "sgd": {"optimizer": torch.optim.SGD, "lr": 0.05},
    "momentum": {
        "optimizer": torch.optim.SGD,
        "lr": 0.05,
        "optimizer__momentum": 0.9,
        "optimizer__nesterov": True,
        "optimizer__weight_decay": 0.01,
    },
    "adam": {"optimizer": torch.optim.Adam, "lr": 0.001},
    "adamw": {"optimizer": torch.optim.AdamW, "lr": 0.001},
    "rmsprop": {"optimizer": torch.optim.RMSprop, "lr": 0.001},
    "adagrad": {"optimizer": torch.optim.Adagrad, "lr": 0.01},
}


class MLP(nn.Module):
    """Two hidden layers of usual widths."""

    def __init__(self, n_inputs=32, n_outputs=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_inputs, 64),
            nn.ReLU(),
            nn.Linear(64, 64),
            nn.ReLU(),
            nn.Linear(64, n_outputs),
        )

    def forward(self, X):
        return self.layers(X)


def classifier(net, **params):
    given = {"encoder": "passthrough", "aligner": "passthrough", "personalizer": None}
    return FederatedClassifier(net=net, random_state=0, **given | params)


def plain_net(module=MLP, **params):
    given = {"criterion": nn.CrossEntropyLoss, "optimizer": torch.optim.SGD, "lr": 0.05}
    return NeuralNetClassifier(module, **given | params)


def dealt(rows, seed=0):
    """Clients of so many rows each, of one distribution."""
    X, y = make_classification(
        sum(rows), 32, n_informative=16, n_classes=4, random_state=seed
    )
    X, ends = X.astype(np.float32), np.cumsum(rows)
    return {
        f"c{k:03d}": (X[end - n : end], y[end - n : end])
        for k, (n, end) in enumerate(zip(rows, ends, strict=True))
    }


EQUAL = [130] * 12  # as W1, small: two batches of 64 and a short one
UNEQUAL = np.exp(np.random.default_rng(0).uniform(np.log(50), np.log(600), 14)).astype(
    int
)  # as W4, small


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rows", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
def test_a_stack_gives_the_bits_of_the_loop(name, rows):
    clients = dealt(list(rows))
    net = plain_net(batch_size=64, **OPTIMIZERS[name])
    fits = {
        engine: classifier(net, engine=engine, n_rounds=3).fit(clients)
        for engine in ("loop", "stacked", "fused")
    }
    assert [fit.engine_ for fit in fits.values()] == list(fits)
    assert same_weights(fits["loop"], fits["stacked"])
    first = fits["loop"].net_.module_.state_dict()
    for name, value in fits["fused"].net_.module_.state_dict().items():
        torch.testing.assert_close(value, first[name], rtol=0, atol=2e-3)


def test_sampled_clients_and_several_epochs_give_the_bits_of_the_loop():
    clients = dealt([100] * 30)
    given = {"client_fraction": 0.3, "local_epochs": 3, "n_rounds": 4}
    fits = [
        classifier(plain_net(batch_size=32), engine=engine, **given).fit(clients)
        for engine in ("loop", "stacked")
    ]
    assert same_weights(*fits)
    assert (fits[0].history_["client"] == fits[1].history_["client"]).all()


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.ELU, nn.Sigmoid, nn.Softplus]


class RandomNet(nn.Module):
    """A perceptron drawn from a seed."""

    def __init__(self, n_inputs=1, n_outputs=1, seed=0, plain=False):
        super().__init__()
        rng = np.random.default_rng(seed)
        layers, width = [], n_inputs
        for _ in range(rng.integers(4)):
            units = int(rng.integers(2, 40))
            norms = [nn.BatchNorm1d, nn.LayerNorm, nn.Identity]
            norm = (
                norms[rng.integers(1 if plain else 0, 3)] if units > 7 else nn.Identity
            )
            # a bias before batch normalisation has no gradient but rounding, nor have
            # two normalised units; adaptive optimizers make steps of it
            bias = bool(rng.integers(2)) and norm is not nn.BatchNorm1d
            layers.append(nn.Linear(width, units, bias=bias))
            layers += [norm(units), ACTIVATIONS[rng.integers(len(ACTIVATIONS))]()]
            if not plain and rng.random() < 0.3:
                layers.append(nn.Dropout(0.3))
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_outputs)).double()

    def forward(self, X):
        return self.layers(X)


@pytest.mark.parametrize("seed", range(100))
def test_random_nets_end_where_the_loop_ends(seed):
    rng = np.random.default_rng(seed)
    regression = seed % 3 == 0
    rows = rng.integers(9, 60, size=rng.integers(3, 7))
    d = int(rng.integers(1, 12))
    coef = rng.normal(size=d)
    clients = {}
    for k, n in enumerate(rows):
        X = rng.normal(size=(n, d))
        value = X @ coef + rng.normal(size=n)
        y = value if regression else np.digitize(value, [-0.7, 0.7]) + np.arange(n) % 2
        clients[f"c{k}"] = (X, y)
    kind, criterion = (
        (NeuralNetRegressor, nn.MSELoss)
        if regression
        else (NeuralNetClassifier, nn.CrossEntropyLoss)
    )
    name = list(OPTIMIZERS)[rng.integers(len(OPTIMIZERS))]
    net = kind(
        RandomNet,
        module__seed=seed,
        module__plain=bool(seed % 2),
        criterion=criterion,
        batch_size=int(rng.integers(2, 33)),
        callbacks=[GradientNormClipping(0.5)] if rng.random() < 0.3 else None,
        **OPTIMIZERS[name],
    )
    model = (FederatedRegressor if regression else FederatedClassifier)(
        encoder="passthrough",
        aligner="passthrough",
        net=net,
        personalizer=None,
        local_epochs=int(rng.integers(1, 4)),
        n_rounds=2,
        random_state=seed,
    )
    used = assert_engines_agree(model, clients, net)
    assert used["stacked"] == "stacked"
    if seed % 2:
        assert used["fused"] == "fused"


def test_dropout_draws_what_the_loop_draws():
    net = plain_net(SkipMLP, module__dropout=0.4, module__hidden=(16, 16))
    fits = [
        classifier(net, engine=engine, local_epochs=2, n_rounds=3).fit(dealt([64] * 5))
        for engine in ("loop", "stacked")
    ]
    assert fits[1].engine_ == "stacked"
    assert same_weights(*fits)


def test_clipping_is_of_each_clients_own_norm():
    net = plain_net(callbacks=[GradientNormClipping(0.01)], optimizer=torch.optim.SGD)
    fits = [
        classifier(net, engine=engine, n_rounds=2).fit(dealt([64] * 4))
        for engine in ("loop", "stacked")
    ]
    free = classifier(plain_net(), n_rounds=2).fit(dealt([64] * 4))
    assert not same_weights(fits[0], free)
    for name, value in fits[1].net_.module_.state_dict().items():
        first = fits[0].net_.module_.state_dict()[name]
        torch.testing.assert_close(value, first, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_default_settings_agree_up_to_rounding(task):
    """Folds, members and mixtures of the default personalizer, net and aligner."""
    clients = make_clients(task)
    kind = FederatedClassifier if task == "classification" else FederatedRegressor
    fits = [
        kind(engine=engine, n_rounds=5, random_state=0).fit(clients)
        for engine in ("loop", "stacked", "fused", "auto")
    ]
    assert [fit.engine_ for fit in fits] == ["loop", "stacked", "fused", "fused"]
    columns = ["scope", "round", "direction", "client", "task", "name", "bytes"]
    said = fits[0].ledger_[columns]
    for fit in fits[1:]:
        assert fit.ledger_[columns].equals(said)
        for name, (X, _) in clients.items():
            method = "predict_proba" if task == "classification" else "predict"
            found, expected = (
                getattr(f, method)({name: X})[name] for f in (fit, fits[0])
            )
            np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_clients_of_several_tasks_agree_up_to_rounding():
    clients = {**make_clients("classification"), "d": make_clients("regression")["c"]}
    clients["e"] = make_clients("regression", seed=1)["b"]
    clients["f"] = make_clients("regression", seed=2)["a"]
    given = {"personalizer": None, "n_rounds": 4, "random_state": 0}
    fits = [
        FederatedMultiTask(engine=engine, **given).fit(clients)
        for engine in ("loop", "fused")
    ]
    assert fits[1].engine_ == "fused"
    tables = {name: X for name, (X, _) in clients.items()}
    first, second = (fit.predict(tables) for fit in fits)
    for name in "def":
        np.testing.assert_allclose(first[name], second[name], rtol=1e-4, atol=1e-5)


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1),
    st.integers(1, 3),
)
def test_a_schedule_does_every_row_once_an_epoch_in_order(cuts, epochs):
    plan = Schedule(cuts, epochs)
    rows = [sum(own) for own in cuts]
    assert sorted(plan.rank) == list(range(len(cuts)))
    seen, start = {k: [] for k in range(len(cuts))}, {}
    for place in range(len(cuts)):
        start[place] = sum(rows[j] for j in plan.rank[:place]) * epochs
    alive = len(cuts)
    for step in range(int(plan.n_steps[0])):
        runs, at = plan.runs(step), plan.places(step)
        assert runs[0].first == 0 and runs[-1].last <= alive  # a prefix
        alive, used = runs[-1].last, 0
        for run in runs:
            for place in range(run.first, run.last):
                own = at[used : used + run.size] - start[place]
                seen[plan.rank[place]].append(own)
                used += run.size
        assert used == len(at)
        places, sizes = plan.padded(step)
        kept = np.arange(places.shape[1]) < sizes[:, None]
        assert (places[kept] == at).all()
    for k, own in seen.items():
        assert [len(batch) for batch in own] == list(cuts[k]) * epochs
        assert (np.concatenate(own) == np.arange(rows[k] * epochs)).all()
