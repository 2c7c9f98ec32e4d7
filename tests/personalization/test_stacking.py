import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import softmax

from skfed.personalization import Evidence, HierarchicalStacking

from .test_evidence import random_evidence


def settle(personalizer, evidence):
    """Run the exchanges of some clients; return weights and what was sent."""
    shared, sent = {}, []
    while not shared.get("done"):
        statistics = {
            c: personalizer.client_statistics(e, shared) for c, e in evidence.items()
        }
        sent.append(statistics)
        shared = personalizer.merge(statistics, shared)
    return {c: personalizer.weights(e, shared) for c, e in evidence.items()}, sent


def clients(task, sizes=(30, 60, 90, 12), q=3):
    return {f"c{k}": random_evidence(task, q, n, seed=k) for k, n in enumerate(sizes)}


def least(objective, q):
    found = minimize(
        objective, np.full(q, 1 / q), bounds=[(0, None)] * q, tol=1e-12,
        options={"maxiter": 10_000, "maxfun": 100_000},
    )  # fmt: skip
    return found.x


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_without_shrinkage_it_is_plain_stacking(task):
    evidence = clients(task)
    weights, _ = settle(HierarchicalStacking(shrinkage=0.0), evidence)
    for client, own in evidence.items():
        loss = own.loss(weights[client]).mean()
        best = least(lambda w, own=own: own.derivatives(w)[0], 3)
        assert loss == pytest.approx(own.loss(best).mean(), abs=1e-4)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_with_endless_shrinkage_it_is_the_others_mixture(task):
    evidence = clients(task)
    personalizer = HierarchicalStacking(shrinkage=1e9)
    weights, _ = settle(personalizer, evidence)
    for client in evidence:
        others = [e for c, e in evidence.items() if c != client]

        def objective(w, others=others):
            losses = [e.derivatives(w)[0] for e in others]
            return np.mean(losses) + 0.01 * ((w - 1 / 3) ** 2).sum()

        assert objective(weights[client]) < objective(least(objective, 3)) + 1e-5


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_order_of_clients_and_rows_does_not_matter(task):
    evidence = clients(task)
    first, _ = settle(HierarchicalStacking(), evidence)
    turned = {}
    for client in reversed(evidence):
        e = evidence[client]
        order = np.random.default_rng(0).permutation(len(e))
        turned[client] = Evidence(
            e.names, e.predictions[:, order], e.target[order], task, e.center
        )
    second, _ = settle(HierarchicalStacking(), turned)
    for client in evidence:
        np.testing.assert_allclose(first[client], second[client], atol=1e-5)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_only_numbers_by_member_leave_and_nothing_of_few_rows(task):
    evidence = clients(task, sizes=(30, 40, 4))
    weights, sent = settle(HierarchicalStacking(), evidence)
    for statistics in sent:
        assert set(statistics["c2"]) == {"together"}
        for value in statistics["c0"].values():
            assert np.shape(value) in ((), (3,), (3, 3))
    assert (weights["c2"] >= 0).all()
    assert len(sent) == (1 if task == "regression" else 5)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_without_evidence_the_others_weights_are_taken(task):
    evidence = clients(task, sizes=(50, 50))
    some = evidence["c0"]
    none = Evidence(some.names, some.predictions[:, :0], some.target[:0], task)
    weights, _ = settle(HierarchicalStacking(), {**evidence, "new": none})
    common = np.mean([e.derivatives(weights["new"])[0] for e in evidence.values()])
    equal = np.mean([e.derivatives(np.full(3, 1 / 3))[0] for e in evidence.values()])
    assert common < equal
    alone, _ = settle(HierarchicalStacking(), {"new": none})
    np.testing.assert_allclose(alone["new"], 1 / 3)


def test_a_member_that_is_right_gets_the_weight():
    target = np.random.default_rng(0).normal(size=40)
    noise = np.random.default_rng(1).normal(size=40)
    evidence = {
        "a": Evidence(["x", "y"], np.array([target, noise]), target, "regression"),
        "b": Evidence(["x", "y"], np.array([noise, target]), target, "regression"),
    }
    weights, _ = settle(HierarchicalStacking(shrinkage=5.0), evidence)
    assert weights["a"][0] > 0.8 and weights["b"][1] > 0.8


def test_weights_of_local_models_are_borrowed_from_clients_of_the_same_size():
    rng = np.random.default_rng(0)
    target = rng.normal(size=300)
    local, shared = target + 0.3 * rng.normal(size=(2, 300))

    def evidence(rows):
        both = np.array([local[rows], shared[rows]])
        return Evidence(["local", "federated"], both, target[rows], "regression")

    large = {f"large {k}": evidence(slice(k, None)) for k in range(3)}
    personalizer = HierarchicalStacking(shrinkage=1e6)
    weights, _ = settle(
        personalizer, {**large, "small": evidence(slice(20)), "new": evidence([])}
    )
    assert weights["new"][0] == 0 and weights["new"][1] > 0.8
    n_others = np.mean([300, 299, 298])
    wanted = 20 / n_others * weights["large 0"][0]
    assert weights["small"][0] == pytest.approx(wanted, rel=0.05)


def test_without_evidence_the_best_weights_of_shared_members_are_taken():
    rng = np.random.default_rng(0)
    evidence, names = {}, ["local", "federated"]
    for k in range(3):
        target = rng.integers(0, 4, 300)
        said = np.stack([strength * np.eye(4)[target] for strength in (4.0, 1.5)])
        p = softmax(said + rng.normal(size=said.shape), axis=2)
        evidence[f"c{k}"] = Evidence(names, p, target, "classification")
    none = Evidence(names, p[:, :0], target[:0], "classification")
    weights, _ = settle(HierarchicalStacking(), {**evidence, "new": none})

    def objective(w):
        w = np.array([0.0, w])
        losses = [e.derivatives(w)[0] for e in evidence.values()]
        return np.mean(losses) + 0.01 * ((w - 0.5) ** 2).sum()

    best = minimize_scalar(objective, bounds=(0, 5), method="bounded").x
    np.testing.assert_allclose(weights["new"], [0.0, best], atol=0.01)


@pytest.mark.parametrize(
    "given", [{"n_folds": 1}, {"shrinkage": -1.0}, {"ridge": 0.0}, {"min_count": 0}]
)
def test_bad_parameters_are_named(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        HierarchicalStacking(**given).specifications("regression")
