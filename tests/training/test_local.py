"""The training loop against plain torch, and averaging against one big step."""

import copy

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import GradientNormClipping
from torch import nn

from skfed import FederatedClassifier, FederatedRegressor
from skfed.nets import SkipMLP
from skfed.nets._prototype import build_net, default_net
from skfed.training._early_stopping import Best
from skfed.training._local import client_generator, evaluate, local_epochs
from skfed.training._step_size import curvature, step_size
from skfed.training._weights import (
    get_weights,
    join_private,
    pack,
    set_weights,
    split_private,
    unpack,
)

OPTIMIZERS = {
    "sgd": {"optimizer": torch.optim.SGD, "lr": 0.1},
    "momentum": {"optimizer": torch.optim.SGD, "lr": 0.1, "optimizer__momentum": 0.9},
    "adam": {"optimizer": torch.optim.Adam, "lr": 0.01},
}


def rows(n=50, d=4, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    Z = torch.as_tensor(rng.normal(size=(n, d)), dtype=torch.float32)
    return Z, torch.as_tensor(rng.integers(n_classes, size=n))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("epochs", [1, 3])
def test_local_epochs_are_the_plain_torch_loop_bit_for_bit(name, epochs):
    settings = OPTIMIZERS[name]
    net = build_net(default_net("classification").set_params(**settings), 4, 3, seed=0)
    module = copy.deepcopy(net.module_)
    Z, y = rows()
    loss, n_steps = local_epochs(net, Z, y, epochs, client_generator(5, 2, 1))
    assert n_steps == 2 * epochs
    wanted = {k.removeprefix("optimizer__"): v for k, v in settings.items()}
    kind = wanted.pop("optimizer")
    optimizer = kind(module.parameters(), weight_decay=0.01, **wanted)
    rng = np.random.default_rng((5, 2, 1))
    module.train()
    for _ in range(epochs):
        total = 0.0
        for batch in torch.from_numpy(rng.permutation(50)).split(32):
            optimizer.zero_grad()
            step = nn.functional.cross_entropy(module(Z[batch]), y[batch])
            step.backward()
            optimizer.step()
            total += float(step.detach()) * len(batch)
    for key, value in net.module_.state_dict().items():
        assert torch.equal(value, module.state_dict()[key])
    assert loss == pytest.approx(total / 50, rel=1e-6)


def test_the_optimizer_state_does_not_pass_from_client_to_client():
    net = build_net(
        default_net("classification").set_params(**OPTIMIZERS["adam"]), 4, 3, seed=0
    )
    start = get_weights(net)
    Z, y = rows()

    def train():
        set_weights(net, start)
        local_epochs(net, Z, y, 1, np.random.default_rng(0))
        return get_weights(net)

    first = train()
    local_epochs(net, *rows(seed=1), 3, np.random.default_rng(1))
    second = train()
    assert all((first[k] == second[k]).all() for k in first)


def test_callbacks_of_the_net_see_the_gradients():
    clip = [("clip", GradientNormClipping(1e-9))]
    prototype = NeuralNetClassifier(
        SkipMLP, criterion=nn.CrossEntropyLoss, lr=0.1, callbacks=clip
    )
    net = build_net(prototype, 4, 3, seed=0)
    before = get_weights(net)
    local_epochs(net, *rows(), 1, np.random.default_rng(0))
    for name, value in get_weights(net).items():
        np.testing.assert_allclose(value, before[name], atol=1e-8)


def test_one_full_batch_step_of_all_clients_is_one_step_on_all_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(2, size=60)
    net = NeuralNetClassifier(
        SkipMLP, module__dtype="float64", criterion=nn.CrossEntropyLoss, lr=0.3,
        batch_size=-1,
    )  # fmt: skip
    params = {"encoder": None, "aligner": None, "net": net, "n_rounds": 20}
    parts = [slice(0, 10), slice(10, 35), slice(35, 60)]
    clients = [(X[part], y[part]) for part in parts]
    federated = FederatedClassifier(personalizer=None, **params, random_state=0).fit(
        clients
    )
    central = FederatedClassifier(personalizer=None, **params, random_state=0).fit(X, y)
    for a, b in zip(
        federated.net_.module_.parameters(),
        central.net_.module_.parameters(),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_evaluate_is_the_summed_loss_without_dropout():
    net = default_net("classification").set_params(module__dropout=0.9)
    net = build_net(net, 4, 3, seed=0)
    Z, y = rows()
    with torch.no_grad():
        wanted = nn.functional.cross_entropy(net.module_.eval()(Z), y, reduction="sum")
    assert evaluate(net, Z, y) == pytest.approx(float(wanted), rel=1e-6)


def test_private_columns_are_cut_out_and_put_back():
    net = build_net(default_net("regression"), 5, 1, seed=0)
    private = np.array([False, True, False, False, True])
    weights = get_weights(net)
    inputs = ["skip.weight", "mlp.0.weight"]
    shared, own = split_private(weights, inputs, private)
    assert shared["mlp.0.weight"].shape == (32, 3) and own["skip.weight"].shape == (
        1,
        2,
    )
    back = join_private(unpack(pack(shared)), own, inputs, private)
    assert all((back[k] == weights[k]).all() for k in weights)
    fresh = join_private(shared, {}, inputs, private)
    assert not fresh["mlp.0.weight"][:, private].any()


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("d", [1, 5, 80])
def test_the_step_size_is_stable_for_correlated_columns(d, scale):
    rng = np.random.default_rng(0)
    common = rng.normal(size=(200, 1))
    X = scale * (common + 0.1 * rng.normal(size=(200, d)))
    y = common[:, 0] * 3
    model = FederatedRegressor(
        personalizer=None, encoder=None, n_rounds=100, random_state=0
    )
    if scale == 1.0:
        model.fit(X, y)
    else:
        with pytest.warns(ConvergenceWarning, match="columns are not standardised"):
            model.fit(X, y)
    losses = model.history_["loss"]
    assert losses.iloc[-1] < losses.iloc[0] / 5


def test_curvature_bounds_that_of_the_default_net():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(100, 6)) * [3, 1, 1, 1, 1, 1] + rng.normal(size=(100, 1))
    net = build_net(default_net("regression"), 6, 1, seed=0)
    rows = torch.as_tensor(Z, dtype=torch.float32)
    grads = []
    for row in rows:
        net.module_.zero_grad()
        net.module_(row).backward()
        grads.append(torch.cat([p.grad.flatten() for p in net.module_.parameters()]))
    J = torch.stack(grads)
    measured = torch.linalg.matrix_norm(J, 2).item() ** 2 / len(J)
    assert measured < curvature(Z) < 3 * measured
    assert curvature(np.zeros((5, 2))) == 1.0
    assert step_size("regression", [1.0, 50.0]) == 1 / 100
    assert step_size("classification", [0.1]) == 0.2


class Plan:
    n_iter_no_change, tol = 2, 0.1


def test_best_round_is_kept_and_patience_counts():
    best = Best(Plan)
    stops = [
        best.update(r, {"a": {"loss": loss * 4, "n": 4}, "b": {"loss": 0.0, "n": 0}},
                    {"w": r}, [])
        for r, loss in enumerate([3.0, 2.0, 1.95, 2.5, 1.0], start=1)
    ]  # fmt: skip
    assert stops[:4] == [False, False, False, True]
    assert (best.round, best.model) == (5, {"w": 5})


def test_regression_nets_see_a_column_as_target():
    seen = []

    class Watch(NeuralNetRegressor):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            seen.append((tuple(y_pred.shape), tuple(y_true.shape), y_true.dtype))
            return super().get_loss(y_pred, y_true, *args, **kwargs)

    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20.0)
    FederatedRegressor(personalizer=None, net=Watch(SkipMLP, lr=0.01), n_rounds=1).fit(
        X, y
    )
    assert seen == [((20, 1), (20, 1), torch.float32)]
