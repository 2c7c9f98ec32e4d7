"""What the papers prove, on quadratics whose optimum is known."""

import numpy as np
import pytest
import torch

from skfed.strategies import (
    APFL,
    Ditto,
    FedAdagrad,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedDyn,
    FedNova,
    FedProx,
    FedYogi,
    PFedMe,
    QFedAvg,
    Scaffold,
    ServerRound,
    Update,
)
from tests.strategies.quadratics import Quadratic, optimum, run

CLIENTS = [
    Quadratic([1.0, 0.2], [3.0, -1.0], steps=10, n_rows=10),
    Quadratic([0.3, 1.0], [-2.0, 2.0], steps=10, n_rows=30),
    Quadratic([0.6, 0.5], [0.0, 5.0], steps=10, n_rows=20),
]
LR = 0.1


def fixed_point(clients, lr, normalised=False):
    """Return where sum_k p_k / t_k (I - (I - lr A_k)^s_k)(w - b_k) = 0.

    Averaging rests there: s_k are the client's steps and t_k is 1, or s_k where steps
    are normalised.
    """
    total, right = np.zeros((2, 2)), np.zeros(2)
    for c in clients:
        M = np.linalg.matrix_power(np.eye(2) - lr * c.A, c.steps)
        part = c.n_rows / (c.steps if normalised else 1) * (np.eye(2) - M)
        total, right = total + part, right + part @ c.b
    return np.linalg.solve(total, right)


def test_fedavg_with_local_steps_rests_elsewhere_as_the_closed_form_says():
    found = run(FedAvg(), CLIENTS, 300, LR)
    np.testing.assert_allclose(found, fixed_point(CLIENTS, LR), atol=1e-9)
    assert np.abs(found - optimum(CLIENTS)).max() > 0.1


@pytest.mark.parametrize("strategy", [Scaffold(), FedDyn(alpha=0.3)])
def test_controlled_methods_reach_the_optimum_of_all(strategy):
    found = run(strategy, CLIENTS, 600, LR)
    np.testing.assert_allclose(found, optimum(CLIENTS), atol=1e-4)


@pytest.mark.parametrize("strategy", [Scaffold, FedDyn])
def test_uniform_weighting_reaches_the_unweighted_optimum(strategy):
    found = run(strategy(weighting="uniform"), CLIENTS, 1500, LR)
    np.testing.assert_allclose(found, optimum(CLIENTS, uniform=True), atol=1e-4)


def test_fednova_removes_what_uneven_steps_do():
    """What remains is the drift of the steps themselves, which vanishes with them."""
    uneven = [
        Quadratic(np.diag(c.A), c.b, steps, c.n_rows)
        for c, steps in zip(CLIENTS, (40, 2, 10), strict=True)
    ]
    best = optimum(uneven)
    for strategy in (FedAvg(), FedNova()):
        rest = fixed_point(uneven, LR, isinstance(strategy, FedNova))
        np.testing.assert_allclose(run(strategy, uneven, 400, LR), rest, atol=1e-9)
    small = 1e-6
    rest = fixed_point(uneven, small, normalised=True)
    np.testing.assert_allclose(run(FedNova(), uneven, 3, small, rest), rest, atol=1e-12)
    np.testing.assert_allclose(rest, best, atol=1e-4)
    assert np.abs(fixed_point(uneven, small) - best).max() > 0.3


def test_fedprox_interpolates_between_averaging_and_the_optimum():
    best = optimum(CLIENTS)
    apart = [
        np.abs(run(FedProx(mu), CLIENTS, 1500, LR) - best).max()
        for mu in (0.0, 0.3, 1.0, 3.0, 9.0)
    ]
    assert apart == sorted(apart, reverse=True)
    np.testing.assert_allclose(
        run(FedProx(0.0), CLIENTS, 300, LR), fixed_point(CLIENTS, LR)
    )


def test_one_full_local_step_is_gradient_descent():
    once = [Quadratic(np.diag(c.A), c.b, 1, c.n_rows) for c in CLIENTS]
    rows = sum(c.n_rows for c in once)
    w = np.zeros(2)
    for _ in range(50):
        w = w - LR * sum(c.n_rows / rows * c.A @ (w - c.b) for c in once)
    for strategy in (FedAvg(), FedNova(), Scaffold(), QFedAvg(q=0.0, weighting="rows")):
        np.testing.assert_allclose(run(strategy, once, 50, LR), w, atol=1e-12)


def test_a_large_q_lowers_the_spread_of_losses():
    def spread(q):
        w = run(QFedAvg(q=q), CLIENTS, 3000, 0.05)
        return np.std([c.loss(w) for c in CLIENTS])

    spreads = [spread(q) for q in (0.0, 1.0, 3.0)]
    assert spreads == sorted(spreads, reverse=True) and spreads[2] < 0.7 * spreads[0]


def test_personal_models_move_from_their_own_optimum_to_the_shared_one():
    for method in (Ditto, PFedMe):
        ways = []
        for lam in (1e-3, 0.3, 3.0):
            strategy = method(lam=lam)
            w = run(strategy, CLIENTS, 1500, LR)
            theta = CLIENTS[0].memory["personal"]["w"]
            ways.append((np.abs(theta - CLIENTS[0].b).max(), np.abs(theta - w).max()))
        own, shared = zip(*ways, strict=True)
        assert own[0] < 0.1 and list(own) == sorted(own)
        assert list(shared) == sorted(shared, reverse=True)


def test_apfl_mixes_own_and_shared_weights():
    strategy = APFL(alpha=0.7, adaptive=False)
    w = run(strategy, CLIENTS, 800, LR)
    for client in CLIENTS:
        mixed = strategy.personal_weights({"w": w}, {}, client.memory)["w"]
        # v is free, so that the mixture can fit the client wherever w is
        np.testing.assert_allclose(mixed, client.b, atol=1e-6)
    adaptive = APFL(alpha=0.5)
    run(adaptive, CLIENTS, 30, LR)
    assert all(0.05 <= c.memory["alpha"] <= 0.95 for c in CLIENTS)


def mean_steps(seed=0):
    """Draw some rounds of updates of two clients."""
    rng = np.random.default_rng(seed)
    for _ in range(6):
        yield [
            {"w": rng.normal(size=(2, 3)), "b": rng.normal(size=2)} for _ in range(2)
        ]


@pytest.mark.parametrize(
    "strategy, optimizer, settings",
    [
        (FedAdam(lr=0.1), torch.optim.Adam, {"betas": (0.9, 0.99), "eps": 1e-3}),
        (FedAvgM(lr=0.1, momentum=0.9), torch.optim.SGD, {"momentum": 0.9}),
        (FedAdagrad(lr=0.1), torch.optim.Adagrad, {"eps": 1e-3}),
    ],
)
def test_server_optimizers_are_those_of_torch(strategy, optimizer, settings):
    weights = {"w": np.zeros((2, 3)), "b": np.ones(2)}
    points = {n: torch.nn.Parameter(torch.tensor(w)) for n, w in weights.items()}
    theirs = optimizer(points.values(), lr=0.1, **settings)
    server = ServerRound({"a": 1, "b": 3})
    for values in mean_steps():
        updates = [Update(*sent) for sent in zip("ab", (1, 3), values, strict=True)]
        for name, point in points.items():
            mean = 0.25 * values[0][name] + 0.75 * values[1][name]
            point.grad = torch.tensor(weights[name] - mean)
        theirs.step()
        weights = strategy.aggregate(weights, updates, server)
        for name, point in points.items():
            np.testing.assert_allclose(
                weights[name], point.detach().numpy(), atol=1e-12
            )


def test_yogi_is_the_papers_recursion():
    strategy, weights = FedYogi(lr=0.1), {"w": np.zeros((2, 3)), "b": np.ones(2)}
    server = ServerRound({"a": 1, "b": 1})
    m, v, w = 0.0, 0.0, weights["b"]
    for t, values in enumerate(mean_steps(), start=1):
        updates = [Update(*sent) for sent in zip("ab", (1, 1), values, strict=True)]
        g = w - (values[0]["b"] + values[1]["b"]) / 2
        m = 0.9 * m + 0.1 * g
        v = v - 0.01 * np.sign(v - g**2) * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        weights = strategy.aggregate(weights, updates, server)
        np.testing.assert_allclose(weights["b"], w, atol=1e-10)
