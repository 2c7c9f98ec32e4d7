"""Which clients train in a round."""

from collections import Counter

import numpy as np
import pytest

from skfed import FedAvg, FederatedClassifier
from skfed.strategies import ServerRound
from skfed.testing._data import make_clients

CLIENTS = ("a", "b", "c", "d", "e")
SIZES = {"a": 10, "b": 10, "c": 10, "d": 10, "e": 160}


def chosen(sampling, rounds=300, n=2):
    counts: Counter = Counter()
    for r in range(1, rounds + 1):
        rng = np.random.default_rng((0, r))
        server = ServerRound(SIZES, round=r)
        found = FedAvg().select(
            CLIENTS, n / len(CLIENTS), rng, sampling=sampling, server=server
        )
        assert len(found) == n and list(found) == sorted(set(found))
        counts.update(found)
    return counts


def test_uniform_sampling_takes_all_alike():
    counts = chosen("uniform")
    assert min(counts.values()) > 80 and max(counts.values()) < 160


def test_sampling_by_size_takes_large_clients_more_often():
    counts = chosen("size")
    assert counts["e"] > 270
    assert min(counts.values()) > 40


def test_round_robin_takes_all_in_turn():
    counts = chosen("round_robin", rounds=5)
    assert set(counts.values()) == {2}
    first = FedAvg().select(
        CLIENTS, 0.4, None, sampling="round_robin", server=ServerRound(SIZES, 1)
    )
    assert first == ("a", "b")


@pytest.mark.parametrize("sampling", ["size", "round_robin"])
def test_estimators_sample_as_asked(sampling):
    clients = make_clients("same columns")
    model = FederatedClassifier(
        client_fraction=0.3,
        client_sampling=sampling,
        personalizer=None,
        n_rounds=6,
        random_state=0,
    ).fit(clients)
    per_round = model.history_.groupby("round")["client"].agg(list)
    assert (per_round.map(len) == 1).all()
    if sampling == "round_robin":
        assert [c for (c,) in per_round] == ["a", "b", "c"] * 2
    with pytest.raises(ValueError, match="client_sampling"):
        model.set_params(client_sampling="often").fit(clients)
