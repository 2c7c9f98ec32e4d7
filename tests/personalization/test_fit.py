"""Personalizers inside a whole fit."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from skfed import FederatedClassifier, FederatedRegressor, InProcessFederation
from skfed.alignment import PadAligner, UnionAligner
from skfed.exceptions import AlignmentWarning
from skfed.personalization import (
    FineTuning,
    Gate,
    HierarchicalStacking,
    Mixture,
    Personalizer,
    PriorOffset,
    PrivateBlock,
)
from tests.clients import make_clients

ESTIMATORS = {
    "classification": FederatedClassifier,
    "regression": FederatedRegressor,
}
pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
PERSONALIZERS = [
    HierarchicalStacking(),
    Gate(),
    Mixture(),
    Mixture(weight=0.5),
    FineTuning(tuning_epochs=2),
    PriorOffset(),
    PrivateBlock(),
    PrivateBlock(columns=False),
]


def tables(clients):
    return {name: X for name, (X, _) in clients.items()}


def fitted(task, personalizer, clients=None, **given):
    clients = make_clients(task) if clients is None else clients
    model = ESTIMATORS[task](
        personalizer=personalizer, n_rounds=5, random_state=0, **given
    )
    return model.fit(clients)


@pytest.mark.parametrize("task", list(ESTIMATORS))
@pytest.mark.parametrize("personalizer", PERSONALIZERS, ids=repr)
def test_every_personalizer_predicts_and_says_what_it_did(task, personalizer):
    clients = make_clients(task)
    model = fitted(task, personalizer, clients)
    report = model.personalization_
    assert list(report.index.names) == ["client", "member"]
    assert (report["weight"] >= 0).all()
    if personalizer.needs_folds:
        sizes = {name: len(y) for name, (_, y) in clients.items()}
        assert report["n_rows"].groupby("client").first().to_dict() == sizes
        assert np.isfinite(report["loss"]).all()
    else:
        assert (report["n_rows"] == 0).all()
        assert not model.ledger_["scope"].str.contains("fold").any()
    for name, predicted in model.predict(tables(clients)).items():
        assert len(predicted) == len(clients[name][0])
    if task == "classification":
        for proba in model.predict_proba(tables(clients)).values():
            np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("task", list(ESTIMATORS))
def test_the_shared_net_is_that_of_plain_fedavg(task):
    clients = make_clients(task)
    plain, mixed = fitted(task, None, clients), fitted(task, "auto", clients)
    assert not hasattr(plain, "personalization_")
    assert plain.predictors_ == plain.pipelines_
    for name, (X, _) in clients.items():
        np.testing.assert_array_equal(
            plain.predict({name: X})[name], mixed.pipelines_[name].predict(X)
        )
    assert set(plain.ledger_["scope"]) == {""}
    assert plain.history_.drop(columns="seconds").equals(
        mixed.history_.drop(columns="seconds")
    )


@pytest.mark.parametrize("task", list(ESTIMATORS))
def test_evidence_does_not_see_the_rows_it_predicts(task, monkeypatch):
    clients = make_clients(task)
    evidence = _evidence_of(task, clients, monkeypatch)
    folds = evidence["a"]["folds"]
    X = clients["a"][0].copy()
    changed = np.flatnonzero(folds == 0)[0]
    X.iloc[changed, X.columns.get_loc("s")] += 100.0
    again = _evidence_of(task, {**clients, "a": (X, clients["a"][1])}, monkeypatch)
    np.testing.assert_array_equal(again["a"]["folds"], folds)
    for client, state in evidence.items():
        same = state["folds"] == 0
        if client == "a":
            same[changed] = False
        for name, values in state["evidence"].items():
            np.testing.assert_array_equal(
                values[same], again[client]["evidence"][name][same]
            )


def _evidence_of(task, clients, monkeypatch):
    from skfed.estimators._base import BaseFederated

    kept = {}
    original = BaseFederated._personalize

    def keep(self, groups, session):
        kept.update(session.states)
        return original(self, groups, session)

    monkeypatch.setattr(BaseFederated, "_personalize", keep)
    # a local logistic regression picks its penalty by the evidence of all folds
    members = ["discriminant", "federated", "prior", "fine_tuned", "own_block"]
    members += ["local", "pooled"] if task == "regression" else []
    fitted(task, HierarchicalStacking(members=members), clients)
    monkeypatch.undo()
    return kept


@pytest.mark.parametrize("task", list(ESTIMATORS))
def test_all_federations_give_the_same_bits(task):
    clients = make_clients(task)
    given = {"engine": "loop"}
    first = fitted(task, "auto", clients, **given)
    given["federation"] = InProcessFederation(isolate=True)
    second = fitted(task, "auto", clients, **given)
    assert first.personalization_.equals(second.personalization_)
    for name, (X, _) in clients.items():
        np.testing.assert_array_equal(
            first.predict({name: X})[name], second.predict({name: X})[name]
        )


@pytest.mark.parametrize("task", list(ESTIMATORS))
def test_the_users_own_members_take_part(task):
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    members = ["local", "federated", ("union", UnionAligner())]
    if task == "classification":
        members.append(("forest", forest))
    model = fitted(task, HierarchicalStacking(members=members))
    own = model.personalization_.loc["a"].index
    assert set(own) == {m if isinstance(m, str) else m[0] for m in members}
    assert "union, fold 1" in set(model.ledger_["scope"])


def test_a_member_that_fails_is_named_and_left_out():
    class Broken(UnionAligner):
        def _merge(self, statistics, shared):
            raise ValueError("no luck today")

    members = ["local", "federated", ("broken", Broken())]
    with pytest.warns(AlignmentWarning, match=r"goes on without \['broken'\].*no luck"):
        model = fitted("classification", HierarchicalStacking(members=members))
    assert set(model.personalization_.loc["a"].index) == {"local", "federated"}


def test_without_any_member_the_shared_net_predicts():
    class Broken(UnionAligner):
        def _merge(self, statistics, shared):
            raise ValueError("no luck today")

    clients = make_clients()
    with pytest.warns(AlignmentWarning, match="clients predict by the shared net"):
        model = fitted(
            "regression",
            Mixture(local=("one", Broken()), federated=("two", Broken())),
            make_clients("regression"),
        )
    assert model.predictors_ == model.pipelines_
    assert set(model.client_names_) == set(clients)


def test_one_client_is_not_personalized():
    X, y = make_clients()["a"]
    model = FederatedClassifier(n_rounds=2, random_state=0).fit({"a": (X, y)})
    assert not hasattr(model, "personalization_")


def test_order_of_clients_does_not_matter():
    clients = make_clients()
    first = fitted("classification", "auto", clients)
    second = fitted("classification", "auto", dict(reversed(clients.items())))
    assert first.personalization_.equals(second.personalization_)


def test_a_constant_target_is_predicted_exactly():
    clients = make_clients("regression")
    X, y = clients["a"]
    clients["a"] = (X, np.full(len(y), 7.0))
    model = fitted("regression", "auto", clients)
    assert (model.predict({"a": X})["a"] == 7.0).all()


def test_a_client_with_as_many_labels_as_rows_takes_part():
    clients = make_clients()
    X, y = clients["a"]
    rows = [int(np.flatnonzero(y == label)[0]) for label in range(3)]
    clients["a"] = (X.iloc[rows], y[rows])
    assert len(fitted("classification", "auto", clients).predict({"a": X})["a"]) == 40


def test_clients_with_next_to_nothing_take_part():
    clients = make_clients()
    X, y = clients["c"]
    clients["one row"] = (X.iloc[:1], y[:1])
    clients["one class"] = (X[y == 1], y[y == 1])
    model = fitted("classification", "auto", clients)
    assert model.personalization_.loc["one row", "n_rows"].max() <= 1
    predicted = model.predict(tables(clients))
    assert {len(values) for values in predicted.values()} >= {1}


def test_where_clients_contradict_each_other_nobody_loses():
    rng = np.random.default_rng(0)
    clients, fresh = {}, {}
    for k in range(6):
        X = rng.normal(size=(560, 4))
        y = ((X[:, 0] + 0.3 * rng.normal(size=560) > 0) ^ (k % 2)).astype(int)
        clients[f"c{k}"], fresh[f"c{k}"] = (X[:60], y[:60]), (X[60:], y[60:])
    shared = FederatedClassifier(personalizer=None, n_rounds=20, random_state=0)
    mixed = FederatedClassifier(n_rounds=20, random_state=0)
    assert shared.fit(clients).score(fresh) < 0.65
    assert mixed.fit(clients).score(fresh) > 0.85


def test_own_personalizers_need_two_methods():
    class Second(Personalizer):
        def choose_members(self, task):
            return ["local", "federated"]

        def weights(self, evidence, shared):
            return np.array([0.0, 1.0])

    clients = make_clients()
    model, plain = fitted("classification", Second()), fitted("classification", None)
    for name, proba in model.predict_proba(tables(clients)).items():
        expected = plain.predict_proba(tables(clients))[name]
        np.testing.assert_array_equal(proba, expected)


def test_negative_controls_are_called_so_once():
    clients = make_clients()
    with pytest.warns(UserWarning, match="negative control"):
        fitted("classification", "auto", clients, aligner=PadAligner())


def test_bad_personalizer_is_refused():
    with pytest.raises(ValueError, match="personalizer"):
        fitted("classification", "best")
