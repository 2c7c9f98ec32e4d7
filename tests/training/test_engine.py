"""Which engine trains, why, and what happens when it cannot."""

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn

from skfed import FederatedClassifier
from skfed.exceptions import ClientFailureWarning, EngineWarning
from skfed.federation import InProcessFederation
from skfed.nets import SkipMLP
from skfed.strategies import FedAvg, Train
from tests.clients import make_clients, same_weights


def fitted(clients=None, **params):
    given = {"personalizer": None, "n_rounds": 2, "random_state": 0, **params}
    return FederatedClassifier(**given).fit(clients or make_clients())


def net(module=SkipMLP, kind=NeuralNetClassifier, **params):
    given = {"criterion": nn.CrossEntropyLoss, "optimizer": torch.optim.SGD, "lr": 0.1}
    return kind(module, **given | params)


class OwnStep(NeuralNetClassifier):
    def train_step(self, batch, **fit_params):
        return super().train_step(batch, **fit_params)


class Watches(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        list(named_parameters)


class LooksAtValues(SkipMLP):
    def forward(self, X):
        return super().forward(X) * (1.0 if X.sum() > 0 else 0.5)


class SharesAWeight(nn.Module):
    def __init__(self, n_inputs=1, n_outputs=3):
        super().__init__()
        self.first = nn.Linear(n_inputs, n_outputs)
        self.second = nn.Linear(n_inputs, n_outputs)
        self.second.weight = self.first.weight

    def forward(self, X):
        return self.first(X) + self.second(X)


class HasUnused(SkipMLP):
    def __init__(self, n_inputs=1, n_outputs=3):
        super().__init__(n_inputs, n_outputs)
        self.spare = nn.Linear(2, 2)


class LearnsItsLoss(nn.CrossEntropyLoss):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, input, target):
        return super().forward(input * self.scale, target)


REASONS = [
    (net(kind=OwnStep), "train_step of its own"),
    (net(callbacks=[Watches()]), "looks at gradients"),
    (net(LooksAtValues), "data-dependent|data dependent"),
    (net(SharesAWeight), "share a parameter"),
    (net(HasUnused), "not have been used"),
    (net(criterion=LearnsItsLoss), "criterion has parameters"),
    (net(optimizer=torch.optim.LBFGS), "LBFGS may look"),
    (net(optimizer=torch.optim.Adam, optimizer__fused=True), "setting 'fused'"),
]


@pytest.mark.parametrize("prototype, reason", REASONS, ids=[r for _, r in REASONS])
def test_what_cannot_be_stacked_is_trained_one_by_one(prototype, reason):
    model = fitted(net=prototype, n_rounds=1)
    assert model.engine_ == "loop"
    found = model.engine_reason_
    assert any(part in found for part in reason.split("|")), found
    with pytest.warns(EngineWarning, match="cannot be used, and engine 'loop' trains"):
        asked = fitted(net=prototype, n_rounds=1, engine="stacked")
    alone = fitted(net=prototype, n_rounds=1, engine="loop")
    assert same_weights(asked, alone)


def test_a_module_that_is_no_perceptron_is_stacked_where_fused_was_asked():
    with pytest.warns(
        EngineWarning, match="engine 'stacked' trains instead: not fused"
    ):
        model = fitted(net=net(module__batch_norm=True), engine="fused")
    assert model.engine_ == "stacked"
    assert "BatchNorm1d" in model.engine_reason_


def test_few_clients_and_other_processes_train_one_by_one():
    clients = make_clients()
    two = fitted({name: clients[name] for name in "ab"})
    assert (two.engine_, two.engine_reason_) == (
        "loop",
        "fewer than 3 clients train in a round",
    )
    for federation in (
        InProcessFederation(n_jobs=2),
        InProcessFederation(isolate=True),
    ):
        model = fitted(federation=federation)
        assert (model.engine_, model.engine_reason_) == (
            "loop",
            "the federation trains its clients one by one",
        )
    assert fitted(engine="loop").engine_reason_ == "engine='loop'"


def test_class_weights_and_smoothing_are_no_reason_for_the_loop():
    weights = torch.tensor([1.0, 2.0, 3.0])
    for given in ({"weight": weights}, {"label_smoothing": 0.1}, {"reduction": "sum"}):
        settings = {f"criterion__{key}": value for key, value in given.items()}
        found = [
            fitted(net=net(lr=0.001, **settings), engine=engine)
            for engine in ("loop", "stacked")
        ]
        assert found[1].engine_ == "stacked"
        first = found[0].net_.module_.state_dict()
        for name, value in found[1].net_.module_.state_dict().items():
            torch.testing.assert_close(value, first[name])
        losses = [model.history_["loss"].to_numpy() for model in found]
        np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_client_of_a_single_row_is_no_reason_for_the_loop():
    rng = np.random.default_rng(0)
    clients = {
        name: (rng.normal(size=(n, 3)), np.arange(n) % 2)
        for name, n in zip("abcd", (1, 9, 20, 40), strict=True)
    }
    given = {"min_count": 1, "encoder": "passthrough", "aligner": "passthrough"}
    models = [fitted(clients, engine=e, **given) for e in ("loop", "fused", "stacked")]
    assert [model.engine_ for model in models] == ["loop", "fused", "stacked"]
    for model in models[1:]:
        for name, value in model.net_.module_.state_dict().items():
            first = models[0].net_.module_.state_dict()[name]
            torch.testing.assert_close(value, first, rtol=1e-4, atol=1e-6)


def test_the_rule_of_auto():
    assert fitted().engine_ == "fused"  # the default net's batches differ in length
    assert fitted(net=net()).engine_ == "stacked"
    with pytest.raises(ValueError, match="engine"):
        fitted(engine="fast")


class FailsAt(FedAvg):
    """A client cannot train in the second round."""

    def _client_update(self, client):
        client.memory["rounds"] = client.memory.get("rounds", 0) + 1
        trained = yield Train(client.weights)
        if client.memory["rounds"] == 2 and len(client.target) == 55:
            raise RuntimeError("out of coffee")
        return trained.weights


@pytest.mark.filterwarnings("ignore:client 'b' failed in 'train' of round 3")
def test_a_client_that_fails_in_a_stack_harms_no_other():
    found = []
    for engine in ("loop", "stacked"):
        model = FederatedClassifier(
            strategy=FailsAt(),
            net=net(),
            engine=engine,
            personalizer=None,
            min_clients=2,
            n_rounds=3,
            random_state=0,
        )
        with pytest.warns(
            ClientFailureWarning, match="'b' failed in 'train' of round 2"
        ):
            model.fit(make_clients())
        found.append(model)
    assert [model.engine_ for model in found] == ["loop", "stacked"]
    history = found[1].history_
    # its state is that before the failure, so that the third round fails as well
    assert history.groupby("client")["round"].max().to_dict() == {
        "a": 3,
        "b": 1,
        "c": 3,
    }
    columns = ["round", "client", "n_rows"]
    assert found[0].history_[columns].equals(history[columns])
    for name, value in found[1].net_.module_.state_dict().items():
        torch.testing.assert_close(value, found[0].net_.module_.state_dict()[name])


def test_the_rows_of_a_stack_are_the_clients_own():
    """What an earlier fold or round put together is not used for other rows."""
    clients = make_clients()
    first = fitted(clients, net=net(), engine="stacked")
    turned = {n: (X.iloc[::-1], y[::-1]) for n, (X, y) in clients.items()}
    again = fitted(turned, net=net(), engine="stacked")
    loop = fitted(turned, net=net(), engine="loop")
    for name, value in again.net_.module_.state_dict().items():
        torch.testing.assert_close(value, loop.net_.module_.state_dict()[name])
    assert not same_weights(first, again)


def test_seconds_of_a_stack_add_up():
    model = fitted(n_rounds=3)
    assert (model.history_["seconds"] > 0).all()
    assert np.isfinite(model.history_["loss"]).all()


class Average(SkipMLP):
    """Puts another tensor in the place of its buffer at every step."""

    def __init__(self, n_inputs=1, n_outputs=3):
        super().__init__(n_inputs, n_outputs)
        self.register_buffer("mean", torch.zeros(n_inputs))

    def forward(self, X):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * X.detach().mean(0)
        return super().forward(X - self.mean)


class StillDropout(SkipMLP):
    """Keeps its dropout in evaluation mode."""

    def __init__(self, n_inputs=1, n_outputs=3):
        super().__init__(n_inputs, n_outputs, dropout=0.5)

    def train(self, mode=True):
        super().train(mode)
        self.mlp[2].eval()
        return self


@pytest.mark.parametrize("module", [Average, StillDropout])
def test_modules_with_habits_of_their_own(module):
    fits = [fitted(net=net(module), engine=e) for e in ("loop", "stacked")]
    assert fits[1].engine_ == "stacked"
    for name, value in fits[1].net_.module_.state_dict().items():
        first = fits[0].net_.module_.state_dict()[name]
        torch.testing.assert_close(value, first)
        assert name != "mean" or value.any()


class Rewrites(FedAvg):
    """Does with what it is given as it likes."""

    def _client_update(self, client):
        weights = client.weights
        weights["skip.bias"] = weights["skip.bias"] + np.float32(len(client.target))
        trained = yield Train(weights, frozen={"skip.bias"})
        if len(client.target) == 40:
            trained = yield Train(trained.weights, epochs=0)
        return trained.weights


def test_what_a_strategy_does_with_its_own_dicts_is_nobody_elses():
    fits = [
        fitted(net=net(), strategy=Rewrites(), engine=e) for e in ("loop", "stacked")
    ]
    for name, value in fits[1].net_.module_.state_dict().items():
        torch.testing.assert_close(value, fits[0].net_.module_.state_dict()[name])


def test_whose_fault_it_is_that_a_stack_cannot_train():
    """Batch normalisation cannot train on one row: the others go on without it."""
    rng = np.random.default_rng(0)
    clients = {
        name: (rng.normal(size=(n, 3)), np.arange(n) % 2)
        for name, n in zip("abcd", (20, 20, 20, 1), strict=True)
    }
    given = {"encoder": "passthrough", "aligner": "passthrough", "min_count": 1}
    for engine in ("loop", "stacked"):
        with pytest.warns(ClientFailureWarning, match="'d' failed in 'train'"):
            model = fitted(
                clients,
                net=net(module__batch_norm=True),
                engine=engine,
                min_clients=2,
                **given,
            )
        assert model.engine_ == engine
        assert set(model.history_["client"]) == set("abc")


@pytest.mark.parametrize(
    "criterion, reason",
    [
        ({"criterion__weight": torch.tensor([1.0, 1.0, 6.0])}, "weighs rows"),
        ({"criterion__ignore_index": 2}, "ignores a label"),
    ],
)
def test_losses_that_are_no_mean_over_rows_are_not_fused(criterion, reason):
    clients = {n: (X, np.sort(y)) for n, (X, y) in make_clients().items()}
    with pytest.warns(EngineWarning, match=reason):
        model = fitted(clients, net=net(**criterion), engine="fused")
    assert model.engine_ == "stacked"
