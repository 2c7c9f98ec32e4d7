import numpy as np
import pytest
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skfed.nets import SkipMLP
from skfed.nets._prototype import (
    build_net,
    check_net,
    default_net,
    input_parameters,
    net_dtype,
)


class Other(nn.Module):
    """Reads its input by two layers and normalises it before."""

    def __init__(self, n_features, n_classes, width=7):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_features)
        self.first = nn.Linear(n_features, n_features)
        self.second = nn.Linear(n_features, n_classes)
        self.beside = nn.Linear(n_features, n_classes)

    def forward(self, X):
        X = self.norm(X)
        return self.second(torch.tanh(self.first(X))) + self.beside(X)


class Empty(nn.Module):
    def forward(self, X):
        return X[:, :2]


def test_widths_are_set_where_the_module_takes_them():
    net = build_net(default_net("classification"), 5, 3, seed=0)
    assert net.module_.skip.weight.shape == (3, 5)
    net = build_net(NeuralNetClassifier(Other), 4, 2, seed=0)
    assert net.module_.first.weight.shape == (4, 4)


def test_the_matrices_that_read_the_input_are_found():
    net = build_net(default_net("regression"), 6, 1, seed=0)
    assert input_parameters(net, 6) == ["skip.weight", "mlp.0.weight"]
    net = build_net(NeuralNetClassifier(Other), 4, 3, seed=0)
    assert input_parameters(net, 4) == ["first.weight", "beside.weight"]
    square = default_net("classification").set_params(module__hidden=(6, 6))
    net = build_net(square, 6, 6, seed=0)
    assert input_parameters(net, 6) == ["skip.weight", "mlp.0.weight"]
    one = build_net(default_net("regression"), 1, 1, seed=0)
    assert input_parameters(one, 1) == ["skip.weight", "mlp.0.weight"]


def test_initial_weights_follow_the_seed_and_leave_torch_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    nets = [build_net(default_net("regression"), 3, 1, seed) for seed in (0, 0, 1)]
    first, same, other = (n.module_.mlp[0].weight for n in nets)
    assert (first == same).all() and (first != other).any()
    assert (torch.random.get_rng_state() == before).all()


def test_dtype_is_that_of_the_parameters():
    net = default_net("regression").set_params(module__dtype="float64")
    assert net_dtype(build_net(net, 2, 1, 0)) is torch.float64


@pytest.mark.parametrize(
    "key, text",
    [
        ("modul__hidden", "'net__modul__hidden'.*did you mean 'module'"),
        ("module__hiden", "'hiden' is none of.*did you mean 'hidden'"),
        ("optimizer__momentun", "did you mean 'momentum'"),
        ("criterion__weigt", "did you mean 'weight'"),
    ],
)
def test_unknown_parameter_names_fail_before_anything_else(key, text):
    net = default_net("classification").set_params(**{key: 1})
    with pytest.raises(ValueError, match=text):
        check_net(net, "classification")


@pytest.mark.parametrize(
    "net, task, text",
    [
        (default_net("regression"), "classification", "NeuralNetRegressor.*takes"),
        (NeuralNetClassifier, "classification", "takes an instance"),
        (SkipMLP(), "regression", "SkipMLP.*takes an instance"),
        (
            NeuralNetRegressor(SkipMLP()),
            "regression",
            "module instance.*pass the class",
        ),
    ],
)
def test_nets_that_cannot_be_used(net, task, text):
    with pytest.raises(TypeError, match=text):
        check_net(net, task)


def test_prefixed_callbacks_and_iterators_are_skorchs_own():
    net = NeuralNetRegressor(SkipMLP, iterator_train__shuffle=True)
    check_net(net, "regression")
    check_net(NeuralNetBinaryClassifier(SkipMLP), "classification")


@pytest.mark.parametrize(
    "net, text",
    [
        (NeuralNetClassifier(Empty), "no parameters to average"),
        (
            NeuralNetClassifier(nn.Linear, module__in_features=3,
                                module__out_features=2),
            "does not take the aligned width 5",
        ),
        (
            NeuralNetClassifier(nn.Linear, module__out_features=4),
            "returns 4 outputs where 2 are needed",
        ),
        (NeuralNetClassifier(nn.Bilinear), "cannot be initialised"),
    ],
)  # fmt: skip
def test_modules_that_do_not_fit_say_why(net, text):
    with pytest.raises(ValueError, match=text):
        build_net(net, 5, 2, seed=0)


def test_skip_starts_at_zero_and_hidden_may_be_empty():
    x = torch.randn(4, 3)
    linear = SkipMLP(3, 2, hidden=())
    assert linear.mlp is None and not linear(x).any()
    deep = SkipMLP(3, 2, hidden=(8, 4), dropout=0.5).eval()
    assert deep(x).shape == (4, 2)
    assert np.allclose(deep(x).detach(), deep.mlp(x).detach())
