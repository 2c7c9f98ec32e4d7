"""Every check refuses a strategy that is wrong in one way only."""

import numpy as np
import pytest

from skfed.strategies import FedAvg, Strategy
from skfed.testing import STRATEGY_CHECKS, check_strategy


class Median(Strategy):
    """The median over the clients: nothing is wrong."""

    def _aggregate(self, weights, updates):
        new = dict(weights)
        for name in weights:
            sent = [u.weights[name] for u in updates if name in u.weights]
            if sent:
                new[name] = np.median(sent, axis=0)
        return new


class ForgetsTheAbsent(Strategy):
    def _aggregate(self, weights, updates):
        return {
            name: sum(u.weights.get(name, 0.0) for u in updates) / len(updates)
            for name in weights
        }


class Drifts(FedAvg):
    def _aggregate(self, weights, updates):
        new = super()._aggregate(weights, updates)
        return {name: value + 0.01 for name, value in new.items()}


class TakesTheLast(FedAvg):
    def _aggregate(self, weights, updates):
        return super()._aggregate(weights, updates[-1:])


class Ignores(FedAvg):
    def _aggregate(self, weights, updates):
        return weights


class ChangesTypes(FedAvg):
    def aggregate(self, weights, updates):
        return self._aggregate(weights, updates)


class WritesIntoTheUpdates(FedAvg):
    def _aggregate(self, weights, updates):
        new = super()._aggregate(weights, updates)
        for name in new:
            updates[0].weights[name] += 1
        return new


class AveragesNaN(FedAvg):
    def aggregate(self, weights, updates):
        new = self._aggregate(weights, updates)
        return {name: new[name].astype(value.dtype) for name, value in weights.items()}


class SelectsAll(FedAvg):
    def select(self, clients, fraction, rng, at_least=1):
        return tuple(clients)


class SelectsUnsorted(FedAvg):
    def select(self, clients, fraction, rng, at_least=1):
        return super().select(clients, fraction, rng, at_least)[::-1]


class SelectsByItsOwnDice(FedAvg):
    def _select(self, n_clients, n, rng):
        self._turn = getattr(SelectsByItsOwnDice, "_turn", 0) + 1
        SelectsByItsOwnDice._turn = self._turn
        return (np.arange(n) + self._turn) % n_clients


class SetsItsParameter(FedAvg):
    def _aggregate(self, weights, updates):
        new = super()._aggregate(weights, updates)
        self.weighting = "uniform"
        return new


class RemembersTheLastFit(FedAvg):
    seen = 0

    def _aggregate(self, weights, updates):
        new = super()._aggregate(weights, updates)
        type(self).seen += 1  # outside the object, which is cloned for each fit
        return {name: value * (1 + 1e-3 * self.seen) for name, value in new.items()}


class HalfWay(FedAvg):
    def _aggregate(self, weights, updates):
        new = super()._aggregate(weights, updates)
        return {name: (weights[name] + new[name]) / 2 for name in weights}


class HalfWayForAReason(HalfWay):
    differs_alone = "the server's step is half the clients' mean step"


WRONG = [
    (Drifts, "keeps_what_all_agree_on", "no fixed point"),
    (TakesTheLast, "order_of_updates", "order of the updates"),
    (Ignores, "follows_the_updates", "ignores the updates"),
    (ForgetsTheAbsent, "takes_absent_parameters", "that no client sends"),
    (ChangesTypes, "keeps_names_shapes_and_types", "float64"),
    (WritesIntoTheUpdates, "leaves_its_input_alone", "changes its arguments"),
    (AveragesNaN, "refuses_bad_updates", "averages an update with NaN"),
    (SelectsAll, "selects_clients", "for 1 of"),
    (SelectsUnsorted, "selects_clients", "selects"),
    (SelectsByItsOwnDice, "selects_clients", "selects"),
    (SelectsAll, "inside_estimators", r"trains \[3, 3, 3, 3\] clients a round, not 2"),
    (SetsItsParameter, "parameters", "sets parameters"),
    (RemembersTheLastFit, "inside_estimators", "fit gives other weights"),
    (HalfWay, "of_one_client", "set differs_alone to the reason"),
]
BY_NAME = {c.__name__.removeprefix("check_strategy_"): c for c in STRATEGY_CHECKS}


@pytest.mark.parametrize("strategy, name, text", WRONG)
def test_check_refuses_what_is_wrong(strategy, name, text):
    with pytest.raises(AssertionError, match=text):
        BY_NAME[name](strategy())


def test_every_check_of_a_strategy_refuses_something():
    assert {name for _, name, _ in WRONG} == set(BY_NAME)
    assert len(BY_NAME) == len(STRATEGY_CHECKS)


@pytest.mark.parametrize("strategy", [Median(), HalfWayForAReason()])
def test_sound_strategy_passes(strategy):
    check_strategy(strategy)


def test_only_strategies_are_checked():
    with pytest.raises(TypeError, match=r"skfed\.strategies\.Strategy"):
        check_strategy("fedavg")
