"""Classification with several labels a row."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_classifier_multioutput
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier

from skfed import ClientError, FederatedClassifier, InProcessFederation, pool
from skfed.alignment import FlicAligner, PrototypeAligner, ScoreAligner, UnionAligner
from skfed.metrics import compare
from skfed.model_selection import ClientKFold
from skfed.nets import SkipMLP
from skfed.personalization import (
    FineTuning,
    Gate,
    HierarchicalStacking,
    Mixture,
    PriorOffset,
    PrivateBlock,
)
from skfed.strategies import FedProto, Scaffold
from tests.clients import same_weights

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def federation(n=(40, 55, 70), n_classes=3):
    """Clients with overlapping columns, and several labels a row."""
    X, Y = make_multilabel_classification(
        sum(n), 8, n_classes=n_classes, n_labels=2, random_state=0
    )
    X = pd.DataFrame(X, columns=list("pqrstuvw"))
    start, clients = 0, {}
    for k, name in enumerate("abc"):
        rows = slice(start, start + n[k])
        clients[name] = X.iloc[rows, k : k + 6], Y[rows]
        start += n[k]
    return clients


def tables(clients):
    return {name: X for name, (X, _) in clients.items()}


def fitted(clients, **params):
    given = {"n_rounds": 10, "random_state": 0, **params}
    return FederatedClassifier(**given).fit(clients)


def changed(clients, change):
    return {name: (X, change(Y)) for name, (X, Y) in clients.items()}


PERSONALIZERS = [
    "auto",
    None,
    Gate(n_standard_errors=0),
    Mixture(),
    Mixture(0.5, local=("forest", RandomForestClassifier(5, random_state=0))),
    FineTuning(2),
    PriorOffset(),
    PrivateBlock(),
    PrivateBlock(columns=False),
    HierarchicalStacking(["boosting", "discriminant", ("union", UnionAligner())]),
]


@pytest.mark.parametrize("personalizer", PERSONALIZERS, ids=repr)
def test_predictions_are_indicators_of_the_likelier(personalizer):
    clients = federation()
    model = fitted(clients, personalizer=personalizer)
    proba, found = (f(tables(clients)) for f in (model.predict_proba, model.predict))
    for name, (_, Y) in clients.items():
        assert proba[name].shape == found[name].shape == Y.shape
        assert found[name].dtype.kind == "i"
        np.testing.assert_array_equal(found[name], proba[name] > 0.5)
        assert (found[name] == Y).mean() > 0.6
        loss = -np.log(np.where(Y, proba[name], 1 - proba[name]).clip(1e-9)).mean()
        shares = Y.mean(axis=0)
        nothing = -np.log(np.where(Y, shares, 1 - shares)).mean()
        assert loss < nothing + 0.05


def test_score_is_the_share_of_rows_with_all_labels_right():
    clients = federation()
    model = fitted(clients)
    X, Y = pool(clients)
    expected = accuracy_score(Y, model.predict(X))
    assert model.score(X, Y) == model.score(clients) == expected
    assert model.classes_.tolist() == [0, 1, 2]
    nothing = {"a": clients["a"][0].iloc[:0]}
    assert model.predict(nothing)["a"].shape == (0, 3)
    assert model.predict_proba(nothing)["a"].shape == (0, 3)
    members = model.personalization_.loc["a"].index.tolist()
    assert members == ["local", "federated", "fine_tuned"]


def linear_net(**given):
    settings = {"module__hidden": (), "lr": 0.2, "verbose": 0, **given}
    criterion = settings.pop("criterion", torch.nn.BCEWithLogitsLoss)
    return NeuralNet(SkipMLP, criterion=criterion, **settings)


def test_labels_in_another_order_are_predicted_in_that_order():
    clients, order = federation(), [2, 0, 1]
    given = {"net": linear_net(), "personalizer": Mixture(0.5)}
    plain = fitted(clients, **given).predict_proba(tables(clients))
    turned = fitted(changed(clients, lambda Y: Y[:, order]), **given)
    for name, found in turned.predict_proba(tables(clients)).items():
        np.testing.assert_allclose(found, plain[name][:, order], rtol=1e-4)


def test_swapping_having_and_not_having_swaps_the_probabilities():
    clients = federation()
    given = {"net": linear_net(), "personalizer": Mixture(0.5)}
    plain = fitted(clients, **given).predict_proba(tables(clients))
    other = fitted(changed(clients, lambda Y: 1 - Y), **given)
    for name, found in other.predict_proba(tables(clients)).items():
        np.testing.assert_allclose(found, 1 - plain[name], rtol=1e-4)


def test_a_mixture_is_a_weighted_mean_of_logits():
    clients = federation()
    model = fitted(clients, personalizer=Mixture(0.25))
    mixture, X = model.predictors_["b"], clients["b"][0]
    logits = [
        weight * logit(0.998 * mixture.models[name].predict_proba(X) + 0.001)
        for name, weight in mixture.weights.items()
    ]
    found = mixture.predict_proba(X)
    np.testing.assert_allclose(found, expit(sum(logits)), rtol=1e-10)
    assert mixture.weights == {"local": 0.75, "federated": 0.25}


def test_local_members_equal_one_logistic_regression_per_label():
    clients = federation()
    given = LogisticRegression(C=0.1)
    model = fitted(clients, personalizer=Mixture(0.0, local=("own", given)))
    own, (X, Y) = model.predictors_["b"].models["own"], clients["b"]
    Z = own[:-1].transform(X)
    singles = [clone(given).fit(Z, y).predict_proba(Z)[:, 1] for y in Y.T]
    np.testing.assert_allclose(own.predict_proba(X), np.column_stack(singles))


def test_a_label_that_a_client_lacks_or_always_has():
    clients = federation()
    clients["b"][1][:, 0], clients["b"][1][:, 2] = 0, 1
    for personalizer in ("auto", PrivateBlock()):
        model = fitted(clients, personalizer=personalizer)
        proba = model.predict_proba(tables(clients))["b"]
        assert proba[:, 0].mean() < 0.2 < 0.8 < proba[:, 2].mean()
    assert model.client_classes_["b"].tolist() == [1, 2]
    model = fitted(clients, absent="zero")
    proba = model.predict_proba(tables(clients))["b"]
    assert (proba[:, 0] == 0).all() and (proba[:, 1] > 0).all()
    nobody = changed(clients, lambda Y: Y * [0, 1, 1])
    assert not fitted(nobody).predict(tables(clients))["a"][:, 0].any()


def test_forms_and_order_of_the_clients_do_not_matter():
    clients = federation()
    given = {"personalizer": None, "n_rounds": 3}
    first = fitted(clients, **given)
    assert same_weights(first, fitted(dict(reversed(clients.items())), **given))
    for form in (
        lambda Y: pd.DataFrame(Y, columns=["u", "v", "w"]),
        lambda Y: Y.astype(bool),
        lambda Y: Y.astype(float),
        sparse.csr_array,
    ):
        assert same_weights(first, fitted(changed(clients, form), **given))
    X, Y = pool(clients)
    model = FederatedClassifier(random_state=0, **given).fit(X, Y)
    assert same_weights(first, model)
    np.testing.assert_array_equal(model.predict_proba(X), first.predict_proba(X))


def test_sites_that_are_apart_make_the_same_model():
    clients = federation()
    first = fitted(clients, n_rounds=2, engine="loop")
    apart = fitted(clients, n_rounds=2, federation=InProcessFederation(isolate=True))
    for name, found in apart.predict_proba(tables(clients)).items():
        expected = first.predict_proba({name: clients[name][0]})[name]
        np.testing.assert_array_equal(found, expected)


def test_the_task_is_that_of_the_last_fit():
    clients = federation()
    model = fitted(clients, personalizer=None)
    single = changed(clients, lambda Y: Y[:, 0])
    given = {"personalizer": None, "n_rounds": 10, "random_state": 0}
    assert same_weights(model.fit(single), FederatedClassifier(**given).fit(single))
    one_column = changed(clients, lambda Y: Y[:, :1])
    assert same_weights(model, clone(model).fit(one_column))
    assert model.predict(tables(clients))["a"].shape == (40,)


def test_searches_and_cross_validation_take_pooled_clients():
    X, Y = pool(federation())
    model = FederatedClassifier(n_rounds=3, personalizer=None, random_state=0)
    assert len(cross_val_score(model, X, Y, cv=ClientKFold(2))) == 2
    search = GridSearchCV(model, {"n_rounds": [1, 3]}, cv=2).fit(X, Y)
    assert search.predict(X).shape == Y.shape
    with pytest.raises(ClientError, match="compare takes one label a row"):
        compare(model, X, Y)


def test_clients_come_with_all_labels_or_none():
    clients = federation()
    new, Y = clients.pop("c")
    model = fitted(clients, unseen="align", early_stopping=True, warm_start=True)
    assert model.predict({"c": new})["c"].shape == Y.shape
    model.add_client("c", new, Y)
    assert (model.predict({"c": new})["c"] == Y).mean() > 0.6
    assert model.client_classes_["c"].tolist() == [0, 1, 2]
    with pytest.raises(ClientError, match="'d' has 2 targets a row"):
        model.add_client("d", new, Y[:, :2])
    with pytest.raises(ClientError, match="'d' has shape .70,., and others'"):
        model.add_client("d", new, Y[:, 0])
    model.set_params(absent="zero").fit(clients)
    model.add_client("d", new, 0 * Y)
    assert not model.predict({"d": new})["d"].any()


def test_names_of_labels():
    clients = federation()
    names = ["z", "y", "x"]
    clients["b"][1][:, 0] = 0
    model = fitted(clients, classes=names)
    assert model.classes_.tolist() == names
    assert model.client_classes_["b"].tolist() == ["x", "y"]
    with pytest.raises(ClientError, match="y has 3 columns, and classes= names 2"):
        fitted(clients, classes=names[:2])


def test_targets_that_are_no_indicators_are_refused():
    clients = federation()
    for bad in (lambda Y: Y + 1, lambda Y: 0.5 * Y, lambda Y: np.where(Y, "b", "a")):
        with pytest.raises(ClientError, match="'a' has 3 columns, which hold more"):
            fitted(changed(clients, bad))
    few = {**clients, "b": (clients["b"][0], clients["b"][1][:, :2])}
    with pytest.raises(ClientError, match="'b' has 2 targets a row and client 'a'"):
        fitted(few)
    with pytest.raises(ClientError, match="'b' has shape"):
        fitted({**clients, "b": (clients["b"][0], clients["b"][1][:, 0])})
    X = clients["a"][0].to_numpy()
    with pytest.raises(ValueError, match="multiclass-multioutput is not supported"):
        FederatedClassifier().fit(X, clients["a"][1] + 1)


def test_strategies_that_need_one_label_say_so():
    with pytest.raises(ValueError, match="FedProto.* takes one label a row"):
        fitted(federation(), strategy=FedProto())
    assert fitted(federation(), strategy=Scaffold(), n_rounds=2).n_rounds_ == 2


def test_nets_of_exclusive_labels_are_refused():
    exclusive = NeuralNetClassifier(SkipMLP, criterion=torch.nn.CrossEntropyLoss)
    for net in (exclusive, NeuralNetBinaryClassifier(SkipMLP)):
        with pytest.raises(TypeError, match="BCEWithLogitsLoss"):
            fitted(federation(), net=net)


class Squashed(SkipMLP):
    def forward(self, X):
        return torch.sigmoid(super().forward(X))


def test_nets_of_logits_and_of_probabilities_predict_alike():
    clients = federation()
    logits = fitted(clients, net=linear_net(), personalizer=None)
    squashed = linear_net(criterion=torch.nn.BCELoss).set_params(module=Squashed)
    other = fitted(clients, net=squashed, personalizer=None)
    for name, proba in logits.predict_proba(tables(clients)).items():
        found = other.predict_proba({name: clients[name][0]})[name]
        np.testing.assert_allclose(found, proba, rtol=1e-3)


@pytest.mark.parametrize("aligner", [FlicAligner(), PrototypeAligner(), ScoreAligner()])
def test_aligners_of_one_label_say_so(aligner):
    clients = {n: (X.iloc[:, :2], Y) for n, (X, Y) in federation().items()}
    with pytest.raises(ClientError, match="y has 3 columns; use FactorAligner"):
        fitted(clients, aligner=aligner)


def test_rows_of_a_client_do_not_leave():
    clients = federation()
    sent = fitted(clients, n_rounds=1).ledger_.query("direction == 'up'")
    rows = {len(X) for X, _ in clients.values()}
    assert not any(rows & set(shape) for shape in sent["shape"])


def test_scikit_learns_check_of_several_outputs():
    model = FederatedClassifier(n_rounds=5, random_state=0)
    check_classifier_multioutput("FederatedClassifier", model)
