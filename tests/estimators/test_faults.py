"""Clients that go wrong in every task and way: the fit goes on, or names them."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skfed import (
    ClientError,
    FederatedClassifier,
    FederatedRegressor,
    TooFewClientsError,
)
from skfed.federation import Broadcast, Site, drive
from skfed.personalization import HierarchicalStacking
from skfed.strategies import FedPer, FedProto, Scaffold
from skfed.testing import Fault, FaultyFederation

SILENT = ("raise", "hang", "late")
WRONG = ("nan", "shape", "missing", "names")
FOLDS = HierarchicalStacking(n_folds=2)


def clients():
    rng = np.random.default_rng(0)
    found = {}
    for name, columns in zip("abcd", ("uvw", "uvx", "vwx", "uwx"), strict=True):
        common = rng.normal(size=40)
        X = pd.DataFrame({c: common + rng.normal(size=40) for c in columns})
        found[name] = X, common
    return found


NUMBERS = clients()
CLASSES = {c: (X, np.where(y > 0, "high", "low")) for c, (X, y) in NUMBERS.items()}


def fit(*faults, cls=FederatedClassifier, **changes):
    parameters = {
        "random_state": 0,
        "n_rounds": 2,
        "personalizer": None,
        "early_stopping": True,
        "validation_fraction": 0.3,
        "strategy": FedPer(),
        "federation": FaultyFederation(faults),
    }
    data = CLASSES if cls is FederatedClassifier else NUMBERS
    return cls(**{**parameters, **changes}).fit(data)


def predictions(model):
    cls = type(model)
    data = CLASSES if cls is FederatedClassifier else NUMBERS
    return {c: model.predict(data[c][0], clients=c) for c in model.client_names_}


def goes_on(*faults, **changes):
    """Fit with three of four clients needed; the warnings name the faulty one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(*faults, min_clients=3, **changes)
    assert {"a", "c", "d"} <= set(model.client_names_)
    for client, values in predictions(model).items():
        assert len(values) == 40, client
        assert values.dtype.kind != "f" or np.isfinite(values).all(), client
    for value in model.net_.module_.state_dict().values():
        assert np.isfinite(value.numpy()).all()
    texts = [str(warning.message) for warning in caught]
    return model, texts


# answers without any array, or real number
HARMLESS = {("evaluate", "shape"), ("describe", "shape"), ("describe", "nan")}


@pytest.mark.parametrize("task", ["describe", "align", "train", "evaluate"])
@pytest.mark.parametrize("kind", [*SILENT, *WRONG])
class TestOneClientOfFour:
    def test_the_others_go_on(self, task, kind):
        _, texts = goes_on(Fault("b", task, kind))
        if (task, kind) not in HARMLESS:
            assert any("client 'b'" in text for text in texts), texts

    def test_the_fit_stops_where_all_are_needed(self, task, kind):
        if (task, kind) in HARMLESS:
            return
        with pytest.raises((ClientError, TooFewClientsError), match="client 'b'"):
            fit(Fault("b", task, kind, times=20))


ENTRIES = {
    "describe": ["n_rows", "columns", "labels"],
    "train": ["w/0.weight", "n_rows", "loss", "n_steps", "lr"],
    "evaluate": ["loss", "n"],
}


@pytest.mark.parametrize("kind", ["missing", "names"])
@pytest.mark.parametrize(
    "task, entry", [(task, entry) for task in ENTRIES for entry in ENTRIES[task]]
)
def test_an_entry_that_is_missing_is_named(task, entry, kind):
    if entry == "w/0.weight":
        entry = next(n for n in weights_of_a_round() if n.startswith("w/"))
    with pytest.raises(TooFewClientsError, match="client 'b'") as caught:
        fit(Fault("b", task, kind, entry=entry))
    assert ("width" if entry == "columns" else entry) in str(caught.value)


def weights_of_a_round():
    ledger = fit(n_rounds=1).ledger_
    return ledger.loc[(ledger.task == "train") & (ledger.direction == "up"), "name"]


# what says by its absence that there is none of it
OPTIONAL = {"s/has_gaps", "s/has_target", "s/scale:classes"} | {
    f"s/target_{name}" for name in ("crosses", "means", "scatters")
}
UNTOLD = {("s/scale:profile", "nan")}  # which says that a client tells nothing


def test_statistics_of_every_exchange_are_looked_at():
    ledger = fit(n_rounds=1).ledger_
    up = ledger[(ledger.task == "align") & (ledger.direction == "up")]
    names = sorted(set(up["name"]) - {"done", "position", "exchange", "curvature"})
    assert len(names) > 5
    for name in names:
        sent = up[up["name"] == name].iloc[0]
        real = sent["dtype"] == "float64" and sent["shape"] != (0,)
        kinds = ("nan", "shape") if real else ("missing",)
        for kind in kinds:
            _, texts = goes_on(Fault("b", "align", kind, times=20, entry=name))
            assert any("client 'b' failed" in text for text in texts) or (
                name in OPTIONAL or (name, kind) in UNTOLD
            ), (name, kind)


@pytest.mark.parametrize("cls", [FederatedClassifier, FederatedRegressor])
@pytest.mark.parametrize("kind", [*SILENT, "nan", "shape", "missing"])
@pytest.mark.parametrize(
    "task, inner",
    [
        ("finish", False),
        ("split", False),
        ("own_models", False),
        ("weigh", False),
        ("describe", True),
        ("align", True),
        ("train", True),
        ("hold_out", True),
        ("moments", True),
    ],
)
@pytest.mark.slow
def test_a_personalizer_goes_on_or_says_what_it_lacks(task, inner, kind, cls):
    fault = Fault("b", task, kind, inner=inner, times=3)
    changes = {"personalizer": FOLDS, "early_stopping": False, "cls": cls}
    goes_on(fault, **changes)


@pytest.mark.parametrize(
    "task", ["describe", "align", "train", "evaluate", "own_models", "weigh"]
)
def test_a_client_that_forgets_everything_is_brought_back(task):
    changes = {"personalizer": FOLDS, "strategy": Scaffold(), "engine": "loop"}
    expected = fit(**changes)
    lost = fit(Fault("c", task, "lost"), Fault("a", task, "lost"), **changes)
    for client, (X, _) in CLASSES.items():
        np.testing.assert_array_equal(
            lost.predict_proba(X, clients=client),
            expected.predict_proba(X, clients=client),
        )


def test_a_client_that_comes_back_with_another_table_has_failed():
    def handle(task, payload, state, site):
        state["n"] = state.get("n", 0) + 1
        return {"rows": len(site.table), "n": state["n"]}

    def algorithm(swap, session):
        ask = Broadcast("count", {}, ("a", "b"), min_replies=1)
        yield ask
        yield ask
        if swap:
            session.sites["b"] = Site("b", [1], None, None)
        yield replace(ask, task="again")
        return (yield ask)

    for swap in (False, True):
        sites = {name: Site(name, [1, 2], None, None) for name in "ab"}
        federation = FaultyFederation([Fault("b", "again", "lost")])
        session = federation.open(handle, sites)
        answers = drive(algorithm(swap, session), session)
        if swap:
            assert "another table" in answers["b"].reason
        else:
            assert answers == dict.fromkeys("ab", {"rows": 2, "n": 4})


@pytest.mark.parametrize("kind", ["missing", "shape", "nan"])
def test_what_a_strategy_sends_besides_is_looked_at(kind):
    fault = Fault("b", "train", kind, times=20, entry="x/prototypes")
    _, texts = goes_on(fault, strategy=FedProto())
    assert any("client 'b' sent" in text for text in texts)
    with pytest.raises(ClientError, match="round 1: client 'b' sent"):
        fit(fault, strategy=FedProto())


def test_a_client_that_was_late_is_brought_back():
    model, texts = goes_on(Fault("b", "train", "late"))
    assert sum("no answer within 20 s" in text for text in texts) == 1
    assert len(model.history_[model.history_.client == "b"]) == 1


def test_statistics_that_are_withheld_are_no_fault():
    clients = {c: (X.assign(constant=1.0), y) for c, (X, y) in CLASSES.items()}
    model = FederatedClassifier(n_rounds=1, personalizer=None, random_state=0)
    assert set(model.fit(clients).client_names_) == set("abcd")
