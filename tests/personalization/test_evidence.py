import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from skfed.personalization import Evidence
from skfed.personalization._losses import mix_probabilities

TASKS = ["regression", "several targets", "classification", "multilabel"]


def random_evidence(task, q=3, n=20, seed=0):
    rng = np.random.default_rng(seed)
    names = [f"m{j}" for j in range(q)]
    if task == "regression":
        target = rng.normal(3, 2, n)
        predictions = target + rng.normal(size=(q, n))
        return Evidence(names, predictions, target, task, float(target.mean()))
    if task == "several targets":
        target = rng.normal(3, [2, 30, 1], (n, 3))
        predictions = target + rng.normal(0, [2, 20, 1], size=(q, n, 3))
        center = target.mean(axis=0)
        return Evidence(names, predictions, target, "regression", center)
    if task == "multilabel":
        target = rng.integers(0, 2, (n, 3))
        predictions = (target + rng.uniform(size=(q, n, 3))) / 2
        return Evidence(names, predictions, target, task)
    target = rng.integers(0, 4, n)
    predictions = rng.dirichlet(np.ones(4), (q, n)) + np.eye(4)[target] / 2
    predictions /= predictions.sum(axis=2, keepdims=True)
    return Evidence(names, predictions, target, task)


@pytest.mark.parametrize("task", TASKS)
@given(seed=st.integers(0, 1000))
def test_derivatives_are_those_of_the_mean_loss(task, seed):
    evidence = random_evidence(task, seed=seed)
    w = np.random.default_rng(seed).uniform(0, 1, 3)
    loss, gradient, hessian = evidence.derivatives(w)
    assert loss == pytest.approx(evidence.loss(w).mean())
    numeric = approx_fprime(w, lambda v: evidence.derivatives(v)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-4)
    for j in range(3):
        column = approx_fprime(w, lambda v, j=j: evidence.derivatives(v)[1][j], 1e-6)
        np.testing.assert_allclose(hessian[j], column, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_one_member_alone_has_its_own_loss(task):
    evidence = random_evidence(task)
    for j in range(3):
        np.testing.assert_allclose(evidence.loss(np.eye(3)[j]), evidence.losses()[j])


def test_no_member_is_ever_certain():
    certain = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    evidence = Evidence(["a"], certain, np.array([1, 1]), "classification")
    assert evidence.losses().max() < 7
    mixed = mix_probabilities(certain, np.ones(1))
    np.testing.assert_allclose(mixed.sum(axis=1), 1)


def test_constant_targets_have_a_loss():
    evidence = Evidence(["a"], np.full((1, 3), 5.0), np.full(3, 5.0), "regression", 5.0)
    assert evidence.scale == 1.0
    assert evidence.loss(np.ones(1)).tolist() == [0, 0, 0]


def test_several_targets_have_the_mean_loss_of_each_alone():
    evidence, w = random_evidence("several targets"), np.array([0.2, 0.5, 0.4])
    alone = [
        Evidence(
            evidence.names,
            evidence.predictions[..., j],
            evidence.target[:, j],
            "regression",
            evidence.center[j],
        )
        for j in range(3)
    ]
    for found in (lambda e: e.losses(), lambda e: e.loss(w), lambda e: e.scale):
        parts = [found(one) for one in alone]
        parts = parts if np.ndim(parts) == 1 else np.mean(parts, axis=0)
        np.testing.assert_allclose(found(evidence), parts)
    for i in range(3):
        parts = [one.derivatives(w)[i] for one in alone]
        np.testing.assert_allclose(evidence.derivatives(w)[i], np.mean(parts, axis=0))


def test_several_labels_have_the_mean_log_loss_of_each():
    evidence = random_evidence("multilabel")
    y, p = evidence.target, 0.998 * evidence.predictions + 0.001
    expected = -np.where(y, np.log(p), np.log(1 - p)).mean(axis=2)
    np.testing.assert_allclose(evidence.losses(), expected)
