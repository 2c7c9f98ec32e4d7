"""Operations that are recorded and repeated."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap

from skfed.training._recording import Recorded

MODULES = {
    "relu": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
    "norms": lambda: nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 3)),
    "in place": lambda: nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(inplace=True), nn.GELU(), nn.Linear(8, 3)
    ),
    "two parts": lambda: _TwoParts(),
}


class _TwoParts(nn.Module):
    """Splits what it gets, and puts the parts together again."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 6)
        self.register_buffer("scale", torch.tensor([2.0, 0.5, 1.0]))

    def forward(self, x):
        a, b = self.layer(x).split(3, dim=-1)
        return torch.cat([a * self.scale, b], dim=-1)[..., :3]


def net_of(module):
    return SimpleNamespace(module_=module, criterion_=nn.CrossEntropyLoss(), step=0)


def stacked_gradient(module):
    names = [name for name, _ in module.named_parameters()]

    def loss(values, x, y):
        weights = dict(zip(names, values, strict=True))
        return nn.functional.cross_entropy(functional_call(module, weights, (x,)), y)

    return vmap(grad_and_value(loss))


def batch(module, k=3, b=5, seed=0):
    """Return weights, rows and labels of k clients."""
    rng = torch.Generator().manual_seed(seed)
    weights = [torch.randn((k, *p.shape), generator=rng) for p in module.parameters()]
    x = torch.randn((k, b, 4), generator=rng)
    return tuple(weights), x, torch.randint(0, 3, (k, b), generator=rng)


def flat(value):
    if torch.is_tensor(value):
        return [value]
    return [part for inner in value for part in flat(inner)]


def looks(recorded):
    return list(recorded._known.values())


@pytest.mark.parametrize("kind", MODULES)
def test_what_is_repeated_has_the_bits_of_the_function(kind):
    module = MODULES[kind]()
    plain = stacked_gradient(module)
    recorded = Recorded(plain, net_of(module))
    with torch.no_grad():
        for seed in range(6):
            for b in (5, 2):  # two looks, one after the other
                given = batch(module, b=b, seed=seed)
                pairs = zip(flat(recorded(*given)), flat(plain(*given)), strict=True)
                assert all(torch.equal(a, b) for a, b in pairs)
    assert [look.program is not None for look in looks(recorded)] == [True, True]


def test_plain_autograd_is_repeated_too():
    module = MODULES["relu"]()

    def one(values, x, y):
        own = [value.detach().requires_grad_() for value in values]
        names = [name for name, _ in module.named_parameters()]
        with torch.enable_grad():
            weights = dict(zip(names, own, strict=True))
            out = functional_call(module, weights, (x,))
            loss = nn.functional.cross_entropy(out, y)
        return list(torch.autograd.grad(loss, own)), loss.detach()

    recorded = Recorded(one, net_of(module))
    with torch.no_grad():
        for seed in range(5):
            weights, x, y = batch(module, k=1, seed=seed)
            given = [w[0] for w in weights], x[0], y[0]
            pairs = zip(flat(recorded(*given)), flat(one(*given)), strict=True)
            assert all(torch.equal(a, b) for a, b in pairs)
    assert looks(recorded)[0].program is not None


def test_the_function_itself_is_not_called_any_more():
    calls = []

    def double(x):
        calls.append(1)
        return 2 * x

    recorded = Recorded(double, net_of(nn.Linear(1, 1)))
    found = [recorded(torch.full((2,), float(k))).tolist() for k in range(10)]
    assert found == [[2.0 * k] * 2 for k in range(10)]
    assert len(calls) == 3


def test_tensors_that_were_not_given_are_read_anew():
    held = torch.ones(2)
    recorded = Recorded(lambda x: x * held, net_of(nn.Linear(1, 1)))
    for _ in range(4):
        recorded(torch.ones(2))
    held.fill_(3.0)
    assert recorded(torch.ones(2)).tolist() == [3.0, 3.0]


def draws_from_python(net):
    return lambda x: x * (1 if random.random() < 2 else 0)


def draws_from_numpy(net):
    return lambda x: x * (1 if np.random.rand() < 2 else 0)  # noqa: NPY002


def counts(net):
    def function(x):
        net.step += 1
        return x + 1

    return function


def anneals(net):
    calls = []

    def function(x):
        calls.append(1)
        return x * len(calls)

    return function


def looks_at_values(net):
    return lambda x: x * float(x.sum())


def keeps(net):
    total = torch.zeros(2)
    return lambda x: total.add_(x).clone()


@pytest.mark.parametrize(
    "kind",
    [draws_from_python, draws_from_numpy, counts, anneals, looks_at_values, keeps],
)
def test_a_function_with_a_course_of_its_own_is_always_called(kind):
    state = random.getstate(), np.random.get_state()  # noqa: NPY002
    net, other = net_of(nn.Linear(1, 1)), net_of(nn.Linear(1, 1))
    recorded, plain = Recorded(kind(net), net), kind(other)
    for k in range(6):
        x = torch.full((2,), float(k + 1))
        assert recorded(x).tolist() == plain(x).tolist()
    assert looks(recorded)[0].refused
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
