"""Every check refuses a strategy that is wrong in one way only."""

import numpy as np
import pytest

from skfed.strategies import FedAvg, FedPer, Strategy
from skfed.testing import STRATEGY_CHECKS, check_strategy


class Median(Strategy):
    """The median over the clients: nothing is wrong."""

    def _aggregate(self, weights, updates, server):
        new = dict(weights)
        for name in weights:
            sent = [u.weights[name] for u in updates if name in u.weights]
            if sent:
                new[name] = np.median(sent, axis=0)
        return new


class ForgetsTheAbsent(Strategy):
    def _aggregate(self, weights, updates, server):
        return {
            name: sum(u.weights.get(name, 0.0) for u in updates) / len(updates)
            for name in weights
        }


class HasNoNumberForTheAbsent(Strategy):
    def _aggregate(self, weights, updates, server):
        return {
            name: sum(u.weights.get(name, np.nan * old) for u in updates) / len(updates)
            for name, old in weights.items()
        }


class Drifts(FedAvg):
    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        return {name: value + 0.01 for name, value in new.items()}


class TakesTheLast(FedAvg):
    def _aggregate(self, weights, updates, server):
        return super()._aggregate(weights, updates[-1:], server)


class Ignores(FedAvg):
    def _aggregate(self, weights, updates, server):
        return weights


class ChangesTypes(FedAvg):
    def aggregate(self, weights, updates, server=None):
        return self._aggregate(weights, updates, server)


class WritesIntoTheUpdates(FedAvg):
    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        for name in new:
            updates[0].weights[name] += 1
        return new


class AveragesNaN(FedAvg):
    def aggregate(self, weights, updates, server=None):
        new = self._aggregate(weights, updates, server)
        return {name: new[name].astype(value.dtype) for name, value in weights.items()}


class SelectsAll(FedAvg):
    def select(self, clients, *args, **kwargs):
        return tuple(clients)


class SelectsUnsorted(FedAvg):
    def select(self, *args, **kwargs):
        return super().select(*args, **kwargs)[::-1]


class SelectsByItsOwnDice(FedAvg):
    turn = 0

    def select(self, clients, *args, **kwargs):
        SelectsByItsOwnDice.turn += 1
        chosen = super().select(clients, *args, **kwargs)
        places = [(clients.index(c) + self.turn) % len(clients) for c in chosen]
        return tuple(clients[i] for i in sorted(places))


class SetsItsParameter(FedAvg):
    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        self.weighting = "uniform"
        return new


class RemembersTheLastFit(FedAvg):
    seen = 0

    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        type(self).seen += 1  # outside the object, which is cloned for each fit
        return {name: value * (1 + 1e-3 * self.seen) for name, value in new.items()}


class HalfWay(FedAvg):
    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        return {name: (weights[name] + new[name]) / 2 for name in weights}


class SumsTheSteps(FedAvg):
    def _aggregate(self, weights, updates, server):
        steps = [{n: u.weights[n] - weights[n] for n in weights} for u in updates]
        return {n: weights[n] + sum(step[n] for step in steps) for n in weights}


class SendsTheHead(FedPer):
    def _client_update(self, client):
        weights = yield from super()._client_update(client)
        client.extra["copy"] = weights[min(client.home)]
        return weights


class SharesANumber(FedAvg):
    """What a client notes, another one reads if they train at the same time."""

    def _client_update(self, client):
        type(self).noted = len(client.target)
        weights = yield from super()._client_update(client)
        return {name: w * (1 - 1e-6 * type(self).noted) for name, w in weights.items()}


class RemembersAnObject(FedAvg):
    def _aggregate(self, weights, updates, server):
        server.memory["last"] = object()
        return super()._aggregate(weights, updates, server)


class HalfWayForAReason(HalfWay):
    differs_alone = "the server's step is half the clients' mean step"


WRONG = [
    (Drifts, "keeps_what_all_agree_on", "no fixed point"),
    (TakesTheLast, "order_of_updates", "order of the updates"),
    (Ignores, "follows_the_updates", "ignores the updates"),
    (HasNoNumberForTheAbsent, "takes_absent_parameters", "returns NaN"),
    (ForgetsTheAbsent, "does_not_shrink_what_some_send", "moves otherwise"),
    (ChangesTypes, "keeps_names_shapes_and_types", "float64"),
    (WritesIntoTheUpdates, "leaves_its_input_alone", "changes its arguments"),
    (AveragesNaN, "refuses_bad_updates", "averages an update with NaN"),
    (SelectsAll, "selects_clients", "for 1 of"),
    (SelectsUnsorted, "selects_clients", "selects"),
    (SelectsByItsOwnDice, "selects_clients", "selects"),
    (SelectsAll, "inside_estimators", r"trains \[3, 3, 3, 3\] clients a round, not 2"),
    (SetsItsParameter, "parameters", "sets parameters"),
    (RemembersTheLastFit, "inside_estimators", "fit gives other weights"),
    (SumsTheSteps, "of_equal_clients", "train otherwise than one"),
    (SharesANumber, "on_every_engine", "engine='stacked' differs"),
    (SendsTheHead, "keeps_home_at_home", r"sends 'mlp.*weight' as \['x/copy'\]"),
    (RemembersAnObject, "memory_round_trips", "what cannot be written down"),
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
