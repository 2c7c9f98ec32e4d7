"""Folds, batches, and the search for a client's own penalty."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skfed.training._folds import deal, deal_alike
from skfed.training._own_models import _best
from skfed.training._plan import Plan


def folds(n, client, n_folds=3, seed=0):
    state = {"seed": seed, "client": client, "target": np.zeros(n)}
    return deal(state, n_folds)


@pytest.mark.parametrize("n", [1, 2, 3, 20, 47])
def test_folds_are_even_and_no_fold_has_everybodys_surplus(n):
    dealt = [folds(n, client) for client in range(60)]
    counts = np.array([np.bincount(f, minlength=3) for f in dealt])
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert (counts.sum(axis=0) > 60 * n / 3 * 0.7).all()


def test_folds_do_not_follow_the_order_of_rows():
    dealt = [folds(30, client) for client in range(60)]
    first = np.mean([f[0] == f[1] for f in dealt])
    assert 0.1 < first < 0.6


@pytest.mark.parametrize(
    ("n", "sizes"), [(1, [1]), (47, [47]), (48, [24, 24]), (1000, [125] * 8)]
)
def test_the_default_nets_batches_are_even(n, sizes):
    plan = Plan("regression", None, None, None, None, 0, own_lr=False)
    size = plan.batch_size(SimpleNamespace(batch_size=32), n)
    assert [min(size, n - start) for start in range(0, n, size)] == sizes


def test_a_callers_net_keeps_its_batches():
    plan = Plan("regression", None, None, None, None, 0, own_lr=True)
    assert plan.batch_size(SimpleNamespace(batch_size=7), 1000) == 7


@pytest.mark.parametrize("n", [20, 47])
def test_tuning_folds_have_equal_class_shares(n):
    target = np.repeat([0, 1], [n - 9, 9])
    state = {"seed": 0, "client": 1, "target": target}
    dealt = deal_alike(state, 3)
    assert np.ptp(np.bincount(dealt[target == 1], minlength=3)) <= 2
    assert np.ptp(np.bincount(dealt)) <= 1


@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
def test_the_search_finds_the_penalty_that_a_full_one_finds(noise):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(60, 5))
    y = Z @ np.ones(5) + noise * rng.normal(size=60)
    models = [Ridge(alpha) for alpha in (1e-2, 1e0, 1e1, 1e2, 1e4)]
    state = {"seed": 0, "client": 0, "target": y}
    state |= {"target_mean": 0.0, "target_scale": 1.0}
    folds = deal_alike(state, 3)

    def error(model):
        said = np.empty(60)
        for fold in range(3):
            held = folds == fold
            said[held] = model.fit(Z[~held], y[~held]).predict(Z[held])
        return ((said - y) ** 2).mean()

    best = _best(models, Z, y, state, SimpleNamespace(task="regression"))
    assert best.alpha == min(models, key=error).alpha
