"""Clients that send garbage."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skfed import ClientError, FederatedClassifier
from skfed.exceptions import ClientFailureWarning
from skfed.strategies import (
    CoordinateMedian,
    FedAvg,
    Krum,
    MultiKrum,
    NormClipping,
    TrimmedMean,
    Update,
)
from skfed.testing import all_strategies

ROBUST = [CoordinateMedian(), TrimmedMean(0.2), Krum(2), MultiKrum(2)]


def faulty(strategy, kind, bad=("c3", "c7")):
    """Make the first two of ten clients send garbage, as the server receives it."""

    class Faulty(type(strategy)):
        def aggregate(self, weights, updates, server=None):
            rng = np.random.default_rng(server.round)
            sent = [
                u if u.client not in bad else garbage(u, weights, rng) for u in updates
            ]
            return super().aggregate(weights, sent, server)

    def garbage(update, weights, rng):
        made = {
            name: w - 100 * (update.weights[name] - w)
            if kind == "flipped"
            else rng.normal(size=w.shape).astype(w.dtype) * 10
            for name, w in weights.items()
        }
        return Update(update.client, update.n_rows, made, update.owned)

    return Faulty(**strategy.get_params())


def digits():
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    train, test = rows[:1000], rows[1000:]
    clients = {f"c{k}": (X[train[k::10]], y[train[k::10]]) for k in range(10)}
    return clients, {"c0": (X[test], y[test])}


def score(strategy, **settings):
    clients, test = digits()
    model = FederatedClassifier(
        aligner="passthrough",
        strategy=strategy,
        personalizer=None,
        n_rounds=100,
        random_state=0,
        **settings,
    )
    return model.fit(clients).score(test)


@pytest.fixture(scope="module")
def clean():
    return {repr(s): score(s) for s in [*ROBUST, FedAvg()]}


@pytest.mark.parametrize("kind", ["flipped", "random"])
@pytest.mark.parametrize("strategy", ROBUST, ids=repr)
def test_robust_methods_stay_within_two_points(strategy, kind, clean):
    assert clean["FedAvg()"] > 0.9
    found = score(faulty(strategy, kind))
    assert found > clean[repr(strategy)] - 0.02


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["flipped", "random"])
def test_the_mean_does_not(kind, clean):
    assert score(faulty(FedAvg(), kind)) < clean["FedAvg()"] - 0.2


class SendsNaN:
    """A client's training that diverges: the strategy returns NaN at one client."""

    def _client_update(self, client):
        weights = yield from super()._client_update(client)
        if len(client.target) == 33:
            return {name: np.full_like(w, np.nan) for name, w in weights.items()}
        return weights


@pytest.mark.filterwarnings("ignore::skfed.exceptions.StrategyWarning")
@pytest.mark.parametrize(
    "cls", [c for _, c in all_strategies()], ids=lambda c: c.__name__
)
def test_nan_is_refused_by_name_under_every_strategy(cls):
    rng = np.random.default_rng(0)
    rows = {"a": 40, "b": 33, "c": 40, "d": 40}
    clients = {}
    for name, n in rows.items():
        X = rng.normal(size=(n, 3))
        clients[name] = (X, (X[:, 0] > 0).astype(int))
    bad = type("Bad" + cls.__name__, (SendsNaN, cls), {"__init__": cls.__init__})
    model = FederatedClassifier(
        aligner="passthrough",
        strategy=bad(),
        personalizer=None,
        n_rounds=3,
        random_state=0,
    )
    sends = cls.__name__ not in ("LocalOnly", "FedProto")  # these send no weights
    if sends:
        with pytest.raises(ClientError, match="'b'"):
            model.fit(clients)
        model.set_params(min_clients=3)
        with pytest.warns(ClientFailureWarning, match="'b'"):
            model.fit(clients)
    else:
        model.fit(clients)
    assert np.isfinite(model.predict_proba({"a": clients["a"][0]})["a"]).all()


def updates(values, owned=None):
    return [
        Update(f"c{k}", 1, {"w": np.array([[v, 2.0 * v]])}, owned[k] if owned else {})
        for k, v in enumerate(values)
    ]


START = {"w": np.zeros((1, 2))}


def test_median_and_trimmed_mean_by_hand():
    values = [1.0, 2.0, 3.0, 10.0, -50.0]
    for strategy, expected in ((CoordinateMedian(), 2.0), (TrimmedMean(0.2), 2.0)):
        new = strategy.aggregate(START, updates(values))
        np.testing.assert_allclose(new["w"], [[expected, 2 * expected]])


def test_columns_are_judged_by_their_owners_if_enough_of_them_can_be_sound():
    owned = [{"w": np.array([True, k < 3])} for k in range(5)]
    values = [1.0, 2.0, 6.0, 100.0, 200.0]
    new = CoordinateMedian(0.2).aggregate(START, updates(values, owned))
    np.testing.assert_allclose(new["w"], [[6.0, 4.0]])
    new = TrimmedMean(0.2).aggregate(START, updates(values, owned))
    np.testing.assert_allclose(new["w"], [[36.0, 4.0]])
    # with two of five faulty, three owners may have two of them
    for strategy in (CoordinateMedian(0.4), TrimmedMean(0.4)):
        new = strategy.aggregate(START, updates(values, owned))
        np.testing.assert_allclose(new["w"], [[6.0, 0.0]])
    nobody = [{"w": np.array([True, False])} for _ in range(5)]
    for strategy in (CoordinateMedian(), TrimmedMean(), Krum()):
        assert strategy.aggregate(START, updates(values, nobody))["w"][0, 1] == 0


def test_krum_takes_a_client_of_the_crowd():
    values = [1.0, 1.1, 1.2, 5.0, -9.0, 1.15]
    new = Krum(n_faulty=2).aggregate(START, updates(values))
    assert new["w"][0, 0] in (1.1, 1.15)
    mean = MultiKrum(n_faulty=2).aggregate(START, updates(values))
    np.testing.assert_allclose(mean["w"][0, 0], np.mean([1.0, 1.1, 1.2, 1.15]))


def test_clipping_bounds_what_one_client_does():
    few = updates([1.0, 1.0, -1.0, 1000.0])
    new = NormClipping().aggregate(START, few)
    np.testing.assert_allclose(new["w"][0, 0], (1 + 1 - 1 + 1) / 4)
    new = NormClipping(max_norm=5**0.5 / 2).aggregate(START, few)
    np.testing.assert_allclose(new["w"][0, 0], 0.25)
