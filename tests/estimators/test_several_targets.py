"""Regression with several targets a row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from skorch import NeuralNetRegressor

from skfed import ClientError, FederatedRegressor, InProcessFederation, pool
from skfed.alignment import (
    AnchorAligner,
    AutoAligner,
    FlicAligner,
    OptimalTransportAligner,
    PrototypeAligner,
    ScoreAligner,
    UnionAligner,
)
from skfed.metrics import compare
from skfed.model_selection import ClientKFold
from skfed.nets import SkipMLP
from skfed.personalization import (
    FineTuning,
    Gate,
    HierarchicalStacking,
    Mixture,
    PrivateBlock,
)
from skfed.preprocessing import FederatedStandardScaler, TableEncoder
from skfed.strategies import FedProto
from tests.clients import NAMES, make_clients, same_weights

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def federation(m=2, n=(40, 55, 70), seed=0):
    """Clients with m targets of other units at each, of which the first is known."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k, (name, (X, y)) in enumerate(make_clients("regression", n).items()):
        z = np.nan_to_num(X["t"].to_numpy())
        more = [j * z + rng.normal(scale=0.3, size=len(y)) for j in range(1, m)]
        clients[name] = (X, np.column_stack([y, *[(k + 2) * v + k for v in more]]))
    return clients


def tables(clients):
    return {name: X for name, (X, _) in clients.items()}


def fitted(clients, **params):
    given = {"n_rounds": 10, "random_state": 0, **params}
    return FederatedRegressor(**given).fit(clients)


def changed(clients, change):
    return {name: (X, change(Y)) for name, (X, Y) in clients.items()}


def linear_net():
    return NeuralNetRegressor(SkipMLP, module__hidden=(), lr=0.05, verbose=0)


@pytest.mark.parametrize("target_scaling", ["client", "pooled", None])
def test_copies_of_a_target_are_predicted_alike(target_scaling):
    copies = changed(make_clients("regression"), lambda y: np.c_[y, y] / 30)
    given = {"net": linear_net(), "target_scaling": target_scaling}
    members = HierarchicalStacking(["local", "federated", "pooled"])
    model = fitted(copies, personalizer=members, **given)
    for predicted in model.predict(tables(copies)).values():
        np.testing.assert_allclose(predicted[:, 0], predicted[:, 1], rtol=1e-6)


def test_the_default_net_learns_copies_as_fast_as_one():
    one = make_clients("regression")
    copies = changed(one, lambda y: np.column_stack([y] * 6))
    given = {"personalizer": None, "n_rounds": 8}
    models = [fitted(clients, **given) for clients in (one, copies)]
    single, several = (m.history_.groupby("round")["loss"].mean() for m in models)
    assert several.iloc[-1] / 6 < 1.1 * single.iloc[-1]


@pytest.mark.parametrize("personalizer", [None, PrivateBlock(), "auto"])
def test_units_scale_the_predictions_of_their_target_alone(personalizer):
    clients = federation()
    units = np.array([1.0, 1000.0])
    plain = fitted(clients, personalizer=personalizer)
    scaled = fitted(changed(clients, lambda Y: Y * units), personalizer=personalizer)
    for name, predicted in scaled.predict(tables(clients)).items():
        expected = plain.predict(tables(clients))[name] * units
        np.testing.assert_allclose(predicted, expected, rtol=1e-2)


def test_a_linear_net_permutes_with_the_targets():
    members = HierarchicalStacking(["local", "federated", "pooled", "boosting"])
    given = {"net": linear_net(), "personalizer": members}
    clients, order = federation(3), [2, 0, 1]
    plain = fitted(clients, **given).predict(tables(clients))
    turned = fitted(changed(clients, lambda Y: Y[:, order]), **given)
    for name, predicted in turned.predict(tables(clients)).items():
        np.testing.assert_allclose(predicted, plain[name][:, order], rtol=1e-4)


@pytest.mark.parametrize("personalizer", [None, "auto"])
@pytest.mark.parametrize("target_scaling", ["client", "pooled"])
def test_a_constant_target_is_predicted_as_it_is(personalizer, target_scaling):
    clients = federation()
    clients["b"][1][:, 1] = 7.0
    model = fitted(clients, personalizer=personalizer, target_scaling=target_scaling)
    found = model.predict(tables(clients))["b"]
    if target_scaling == "client" or personalizer:
        np.testing.assert_allclose(found[:, 1], 7.0, rtol=1e-12)
        assert r2_score(clients["b"][1][:, 0], found[:, 0]) > 0.3
    clients["b"][1][:, 0] = -3.0
    found = fitted(clients, personalizer=personalizer).predict(tables(clients))["b"]
    np.testing.assert_allclose(found, [[-3.0, 7.0]] * len(found), rtol=1e-12)


@pytest.mark.parametrize(
    "personalizer",
    [
        Gate(n_standard_errors=0),
        Mixture(),
        Mixture(0.5, local=("forest", RandomForestRegressor(5, random_state=0))),
        FineTuning(2),
        PrivateBlock(),
        PrivateBlock(columns=False),
        HierarchicalStacking(["local", ("ridge", Ridge()), ("union", UnionAligner())]),
    ],
    ids=repr,
)
def test_personalizers_predict_every_target(personalizer):
    clients = federation()
    model = fitted(clients, personalizer=personalizer)
    predicted = model.predict(tables(clients))
    for name, (X, Y) in clients.items():
        assert predicted[name].shape == Y.shape == (len(X), 2)
        assert (r2_score(Y, predicted[name], multioutput="raw_values") > 0.2).all()


def test_score_is_the_mean_over_targets():
    clients = federation()
    model = fitted(clients)
    X, Y = pool(clients)
    assert Y.shape == (len(X), 2)
    expected = r2_score(Y, model.predict(X))
    assert model.score(X, Y) == pytest.approx(expected)
    assert model.score(clients) == pytest.approx(expected)
    assert model.n_outputs_ == 2
    nothing = model.predict({"a": clients["a"][0].iloc[:0]})["a"]
    assert nothing.shape == (0, 2)


def test_forms_and_order_of_the_clients_do_not_matter():
    clients = federation()
    given = {"personalizer": None, "n_rounds": 3}
    first = fitted(clients, **given)
    assert same_weights(first, fitted(dict(reversed(clients.items())), **given))
    frames = changed(clients, lambda Y: pd.DataFrame(Y, columns=["u", "v"]))
    assert same_weights(first, fitted(frames, **given))
    X, Y = pool(clients)
    model = FederatedRegressor(random_state=0, **given).fit(X, Y)
    assert same_weights(first, model)
    np.testing.assert_array_equal(model.predict(X), first.predict(X))


@pytest.mark.parametrize("target_scaling", ["client", "pooled"])
def test_sites_that_are_apart_make_the_same_model(target_scaling):
    clients = federation()
    given = {"n_rounds": 2, "target_scaling": target_scaling, "unseen": "align"}
    given["personalizer"] = HierarchicalStacking(["federated", "pooled"])
    first = fitted(clients, engine="loop", **given)
    apart = fitted(clients, federation=InProcessFederation(isolate=True), **given)
    for name, found in apart.predict(tables(clients)).items():
        expected = first.predict({name: clients[name][0]})[name]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["gcca", "procrustes"])
def test_anchors_join_clients_with_several_targets(method):
    clients = {}
    for k, (name, (X, Y)) in enumerate(federation().items()):
        numbers = X[["s", "t"]].fillna(0.0)
        rows = [f"r{j}" if j < 20 else f"{k}{j}" for j in range(len(X))]
        clients[name] = numbers.set_index(pd.Index(rows)).add_prefix(name), Y
    anchors = [f"r{j}" for j in range(20)]
    given = {"personalizer": None, "aligner": AnchorAligner(anchors, method=method)}
    model = fitted(clients, **given)
    assert model.predict(tables(clients))["a"].shape == (40, 2)


def test_one_column_is_one_target():
    clients = changed(federation(), lambda Y: Y[:, 0])
    given = {"personalizer": None, "n_rounds": 2}
    first = fitted(clients, **given)
    second = fitted(changed(clients, lambda y: y[:, None]), **given)
    assert same_weights(first, second)
    assert second.predict(tables(clients))["a"].shape == (40,)
    X = clients["c"][0][["q", "s"]].to_numpy()
    with pytest.warns(DataConversionWarning, match="column-vector"):
        FederatedRegressor(n_rounds=1).fit(X, clients["c"][1][:, None])


def test_searches_and_cross_validation_take_pooled_clients():
    X, Y = pool(federation())
    model = FederatedRegressor(n_rounds=3, personalizer=None, random_state=0)
    assert len(cross_val_score(model, X, Y, cv=ClientKFold(2))) == 2
    search = GridSearchCV(model, {"n_rounds": [1, 3]}, cv=2).fit(X, Y)
    assert search.predict(X).shape == Y.shape


def test_clients_come_with_all_targets_or_none():
    clients = federation()
    new, Y = clients.pop("c")
    model = fitted(clients, unseen="align", early_stopping=True, warm_start=True)
    assert model.predict({"c": new})["c"].shape == (70, 2)
    model.add_client("c", new, Y)
    assert r2_score(Y, model.predict({"c": new})["c"]) > 0.2
    with pytest.raises(ClientError, match="'d' has 1 target a row"):
        model.add_client("d", new, Y[:, 0])
    model.fit(federation())
    assert model.n_outputs_ == 2


def test_targets_that_do_not_match_are_refused():
    clients = federation()
    few = {**clients, "b": (clients["b"][0], clients["b"][1][:, 0])}
    with pytest.raises(ClientError, match="'b' has 1 target a row and client 'a'"):
        fitted(few)
    with pytest.raises(ClientError, match="'b' has 1 target a row and client 'a'"):
        pool(few)
    frames = changed(clients, lambda Y: pd.DataFrame(Y, columns=["u", "v"]))
    frames["c"] = (frames["c"][0], frames["c"][1][["v", "u"]])
    with pytest.raises(ClientError, match="the same columns in the same order"):
        fitted(frames)
    clients["b"][1][[3, 5], 0] = np.nan
    with pytest.raises(ClientError, match="'b' contains NaN or None in 2 rows"):
        fitted(clients)
    text = changed(federation(), lambda Y: Y.astype(str))
    with pytest.raises(ClientError, match="not numeric"):
        fitted(text)
    with pytest.raises(ValueError, match="strategy=FedProto"):
        fitted(federation(), strategy=FedProto())


@pytest.mark.parametrize("aligner", [FlicAligner(), PrototypeAligner(), ScoreAligner()])
def test_aligners_of_one_target_say_so(aligner):
    with pytest.raises(ClientError, match="y has 2 columns; use FactorAligner"):
        fitted(federation(), aligner=aligner)


@pytest.mark.parametrize(
    ("encoder", "aligner"),
    [
        (TableEncoder(scaling="balanced"), UnionAligner()),
        ("auto", OptimalTransportAligner()),
        (TableEncoder(), FederatedStandardScaler(scaling="balanced")),
    ],
    ids=repr,
)
def test_steps_that_balance_by_one_target_go_without(encoder, aligner):
    clients = changed(federation(), np.copy)
    clients = {n: (X[["s", "t"]].fillna(0.0), Y) for n, (X, Y) in clients.items()}
    given = {"encoder": encoder, "aligner": aligner, "personalizer": None}
    model = fitted(clients, **given)
    other = fitted(changed(clients, lambda Y: Y[:, ::-1]), **given)
    for name in NAMES:
        ready = [
            m.pipelines_[name][:-1].transform(clients[name][0]) for m in (model, other)
        ]
        np.testing.assert_array_equal(*ready)


def test_clients_without_a_common_column_are_joined_by_their_targets():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(240, 2))
    X = z @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(240, 8))
    clients = {}
    for k in range(4):
        rows = slice(60 * k, 60 * (k + 1))
        names = [f"x{k}{j}" for j in range(2)]
        clients[k] = pd.DataFrame(X[rows, 2 * k : 2 * k + 2], columns=names), z[rows]
    model = fitted(clients, aligner=AutoAligner(), personalizer=None, n_rounds=60)
    assert model.pipelines_[0][-2].choice_ == "factor"
    assert model.score(clients) > 0.8


def test_compare_takes_several_targets():
    model = FederatedRegressor(n_rounds=5, personalizer=None, random_state=0)
    baselines = ["local_linear", "pooled_linear"]
    table = compare(model, federation(), cv=2, baselines=baselines)
    assert table[["federated", *baselines]].notna().all(axis=None)


def test_what_leaves_grows_by_moments_of_the_targets_alone():
    clients = federation()
    models = [fitted(c, n_rounds=1) for c in (clients, federation(3))]
    sent = [model.ledger_.query("direction == 'up'") for model in models]
    counts = [frame.groupby(["scope", "task", "name"]).size() for frame in sent]
    pd.testing.assert_series_equal(*counts)
    rows = {len(X) for X, _ in clients.values()}
    assert not any(rows & set(shape) for frame in sent for shape in frame["shape"])


def test_a_target_of_which_few_rows_differ_is_not_told():
    clients = federation()
    clients["b"][1][:, 1] = 0.0
    clients["b"][1][:3, 1] = 1.0
    pooled = HierarchicalStacking(["pooled"])
    ledger = fitted(clients, personalizer=pooled, n_rounds=1).ledger_
    told = ledger.query("direction == 'up' and name == 'targets'")
    sizes = told.groupby("client")["bytes"].max()
    assert sizes["b"] < sizes["a"]


def test_wrapped_local_members_equal_one_model_per_target():
    clients = {0: tuple(v[:60] for v in federation()["c"])}
    X, Y = clients[0]
    model = fitted({0: (X, Y), 1: (X, Y)}, personalizer=Mixture(0.0))
    ready = model.predictors_[0].models["local"]
    singles = [
        fitted({0: (X, y), 1: (X, y)}, personalizer=Mixture(0.0)).predict({0: X})[0]
        for y in Y.T
    ]
    np.testing.assert_allclose(ready.predict(X), np.column_stack(singles), rtol=1e-6)
    assert not isinstance(ready[-1], MultiOutputRegressor)
