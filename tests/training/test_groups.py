"""What groups of clients have in common, and how they are balanced."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skfed.strategies import FedAvg, Krum, MultiKrum, Update
from skfed.training._balance import Balance
from skfed.training._groups import Groups
from skfed.training._meanings import meant, tell_meanings


def groups_of(balance, **sizes):
    plans = {
        name: SimpleNamespace(
            balance=balance,
            strategy=FedAvg(),
            task=name,
            target_scaling="client",
            meaning=name,
        )
        for name in ("classification", "regression")
    }
    clients = {"classification": ["a", "b"], "regression": ["c"]}
    groups = Groups(plans, clients)
    groups.result.sizes = sizes
    next(iter(groups)).result.classes = [0, 1]
    return groups


def shares(groups, balance):
    """Return the groups' shares in an average of rows."""
    totals = {
        g.name: balance.of(g) * sum(groups.result.sizes[c] for c in g.result.clients)
        for g in groups
    }
    return {name: total / sum(totals.values()) for name, total in totals.items()}


def test_balances():
    sizes = {"a": 30, "b": 60, "c": 10}
    answers = {
        "a": {"n_rows": 30, "loss": 0.5 * np.log(2)},
        "b": {"n_rows": 60, "loss": 0.5 * np.log(2)},
        "c": {"n_rows": 10, "loss": 0.25},
    }
    for kind, expected in ((None, 0.9), ("equal", 0.5), ("uncertainty", 1 / 3)):
        groups = groups_of(kind, **sizes)
        balance = Balance(groups)
        balance.update(answers)
        assert shares(groups, balance)["classification"] == pytest.approx(expected)
    losses = {"a": {"loss": 3.0, "n": 2}, "c": {"loss": 3.0, "n": 2}}
    comparable = balance.comparable(losses)
    assert comparable["a"] == {"loss": 3.0, "n": 2, "unit": np.log(2)}
    assert comparable["c"]["unit"] == 1.0


def test_a_perfect_task_does_not_take_all():
    groups = groups_of("uncertainty", a=10, b=10, c=20)
    balance = Balance(groups)
    nothing = {c: {"n_rows": 10, "loss": 0.0} for c in "ab"}
    balance.update(nothing | {"c": {"n_rows": 20, "loss": 1.0}})
    assert shares(groups, balance)["regression"] == pytest.approx(0.05 / 1.05)


def test_an_unscaled_target_counts_in_units_of_its_first_loss():
    groups = groups_of("uncertainty", a=10, b=10, c=20)
    list(groups)[1].plan.target_scaling = None
    balance = Balance(groups)
    for loss in (np.inf, 400.0, 100.0):  # the first is no loss to count in
        balance.update({"c": {"n_rows": 20, "loss": loss}})
    assert balance.losses == {"regression": 0.25}


def test_a_client_counts_by_its_importance():
    updates = [
        Update("a", 10, {"w": np.array([1.0])}, importance=3.0),
        Update("b", 10, {"w": np.array([5.0])}),
    ]
    mean = FedAvg().aggregate({"w": np.zeros(1)}, updates)["w"]
    np.testing.assert_allclose(mean, [2.0])


@pytest.mark.parametrize("strategy", [Krum(), MultiKrum()])
def test_krum_trains_what_only_some_clients_have(strategy):
    old = {"trunk": np.zeros(2), "head@a": np.zeros(1), "head@b": np.zeros(1)}
    updates = [
        Update(
            f"{kind}{k}", 10, {"trunk": np.full(2, 1 + k / 10), f"head@{kind}": ones}
        )
        for kind, ones in (("a", np.ones(1)), ("b", 2 * np.ones(1)))
        for k in range(3)
    ]
    new = strategy.aggregate(old, updates)
    np.testing.assert_array_equal(new["head@a"], [1.0])
    np.testing.assert_array_equal(new["head@b"], [2.0])


def test_names_at_the_server_and_back():
    groups = groups_of(None, a=1, b=1, c=1)
    for group in groups:
        group.heads = frozenset({"out"})
        group.result.parts = SimpleNamespace(start={"trunk": 0, "out": 0})
    first, second = groups
    server = first.to_server({"trunk": 1, "out": 2}) | second.to_server({"out": 3})
    assert server == {"trunk": 1, "out@classification": 2, "out@regression": 3}
    assert first.from_server(server) == {"trunk": 1, "out": 2}
    assert second.from_server(server) == {"trunk": 1, "out": 3}


def test_a_group_without_clients_is_gone():
    groups = groups_of(None, a=1, b=1, c=1)
    groups.keep(["a"])
    assert [group.name for group in groups] == ["classification"]
    assert groups.result.clients == groups.of("a").result.clients == ("a",)


def test_meanings():
    classes = SimpleNamespace(task="classification", meaning="stage")
    y = meant(np.array([0, 1]), classes, {"classes": ["early", "late"]})
    assert y.tolist() == ["stage=early", "stage=late"]
    assert y.attrs == {"quantity": "stage"}
    numbers = SimpleNamespace(task="regression", meaning="kg")
    thirds = meant(np.array([9.0, -9.0, 0.0]), numbers, {})
    assert thirds.tolist() == [f"kg (thirds)={w}" for w in ("high", "low", "middle")]
    values = np.random.default_rng(0).normal(size=51)
    one = meant(values, numbers, {})
    assert set(one.value_counts()) == {17}
    pd.testing.assert_series_equal(meant(1000 * values + 5, numbers, {}), one)
    both = meant(np.c_[values, 2 * values], numbers, {})
    pd.testing.assert_series_equal(both, one)
    nothing = SimpleNamespace(meaning="")
    assert meant(values, nothing, {}) is values


def test_numbers_are_cut_at_the_ranks_of_the_classes():
    groups = groups_of(None, a=1, b=1, c=1)
    classes, numbers = groups
    numbers.plan.meaning = classes.plan.meaning = "weight"
    classes.result.start = {"pooled_shares": np.array([0.8, 0.2])}
    tell_meanings(groups)
    y = meant(np.arange(10.0), numbers.plan, numbers.result.start)
    assert y.tolist() == ["weight=0"] * 8 + ["weight=1"] * 2
    classes.result.classes = ["high", "low"]  # whose order says nothing
    numbers.result.start = {}
    tell_meanings(groups)
    assert numbers.result.start == {}
