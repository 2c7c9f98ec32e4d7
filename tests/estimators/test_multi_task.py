"""Clients that predict different things: what each learns, and from whom."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.callback import ProgressBar
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from skfed import (
    ClientError,
    ClientKFold,
    ClientScorer,
    FederatedClassifier,
    FederatedMultiTask,
    FederatedRegressor,
    InProcessFederation,
    pool,
)
from skfed.exceptions import AlignmentWarning, ClientFailureWarning, StrategyWarning
from skfed.nets import SkipMLP
from skfed.nets._prototype import default_net
from skfed.strategies import FedAdam, FedAvg, FedProto, FedProx, Scaffold, TrimmedMean
from skfed.testing import all_strategies, instances


def iris():
    """Deal iris to clients that predict the kind, or the width of a petal."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    kinds = np.array(["setosa", "versicolor", "virginica"])[y]
    width = X.pop("petal width (cm)").to_numpy()
    return {
        "a": (X.iloc[::4], kinds[::4]),
        "b": (X.iloc[1::4], width[1::4]),
        "c": (X.iloc[2::4, :2], kinds[2::4]),
        "d": (X.iloc[3::4, 1:], width[3::4]),
    }


def tables_of(clients):
    return {name: X for name, (X, _) in clients.items()}


def fitted(clients, **settings):
    settings = {"n_rounds": 10, "random_state": 0, **settings}
    return FederatedMultiTask(**settings).fit(clients)


def assert_same(found, expected):
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("personalizer", [None, "auto"])
def test_with_one_task_it_is_the_classifier_or_the_regressor_to_the_bit(personalizer):
    clients = iris()
    settings = {"n_rounds": 5, "random_state": 0, "personalizer": personalizer}
    classes = {name: clients[name] for name in "ac"}
    numbers = {name: clients[name] for name in "bd"}
    many, one = fitted(classes, **settings), FederatedClassifier(**settings)
    one.fit(classes)
    X = tables_of(classes)
    assert_same(many.predict_proba(X), one.predict_proba(X))
    pd.testing.assert_frame_equal(many.ledger_, one.ledger_)
    many, one = fitted(numbers, **settings), FederatedRegressor(**settings)
    one.fit(numbers)
    assert_same(many.predict(tables_of(numbers)), one.predict(tables_of(numbers)))


@pytest.mark.parametrize("strategy", [FedAvg(), FedAdam(), FedProx(), Scaffold()])
def test_without_a_trunk_tasks_do_not_touch_each_other(strategy):
    """Heads alone are trained as in separate federations, but for rounding."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    tables = [X.iloc[k::4, :3] for k in range(4)]
    targets = [y[::4], y[1::4], X.iloc[2::4, 3], X.iloc[3::4, 3]]
    clients = dict(zip("abcd", zip(tables, targets, strict=True), strict=True))
    plain = {
        "encoder": "passthrough",
        "aligner": "passthrough",
        "personalizer": None,
        "n_rounds": 6,
        "random_state": 0,
        "strategy": strategy,
    }

    def net(task):
        return default_net(task).set_params(
            module__hidden=(), batch_size=-1, lr=0.01, optimizer__weight_decay=0.0
        )

    nets = {
        "classifier_net": net("classification"),
        "regressor_net": net("regression"),
    }
    together = FederatedMultiTask(**nets, **plain).fit(clients)
    classes = FederatedClassifier(net=nets["classifier_net"], **plain)
    classes.fit({c: clients[c] for c in "ab"})
    numbers = FederatedRegressor(net=nets["regressor_net"], **plain)
    numbers.fit({c: clients[c] for c in "cd"})
    labelled = {c: clients[c][0] for c in "ab"}
    numeric = {c: clients[c][0] for c in "cd"}
    found, expected = together.predict_proba(labelled), classes.predict_proba(labelled)
    found |= together.predict(numeric)
    expected |= numbers.predict(numeric)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::skfed.exceptions.StrategyWarning")
@pytest.mark.parametrize("strategy", instances(all_strategies()), ids=repr)
def test_every_strategy_trains_all_heads(strategy):
    if "regression" not in strategy.tasks:
        with pytest.raises(ValueError, match="choose another for regression"):
            fitted(iris(), strategy=strategy)
        return
    model = fitted(iris(), strategy=strategy, n_rounds=3, personalizer=None)
    for net in model.nets_.values():
        kept = strategy.kept_at_home(net, net.module_.skip.in_features)
        skip = net.module_.skip.weight.detach().numpy()
        assert np.isfinite(skip).all()
        assert skip.any() or "skip.weight" in kept
    predicted = model.predict(tables_of(iris()))
    assert all(len(set(values)) > 1 for values in predicted.values())


def test_a_head_goes_to_its_own_clients_alone():
    clients = iris()
    ledger = fitted(clients, personalizer=None, n_rounds=2).ledger_
    heads = ledger[(ledger["task"] == "train") & (ledger["name"] == "w/skip.weight")]
    n_outputs = heads.groupby("client")["shape"].agg(lambda s: {v[0] for v in s})
    assert n_outputs.to_dict() == {"a": {3}, "c": {3}, "b": {1}, "d": {1}}


def test_a_target_in_other_units_changes_no_other_client():
    clients = iris()
    scaled = {
        c: (X, 1000 * y + 0.5 if c in "bd" else y) for c, (X, y) in clients.items()
    }
    X = tables_of(clients)
    one, other = fitted(clients).predict(X), fitted(scaled).predict(X)
    assert_same({c: other[c] for c in "ac"}, {c: one[c] for c in "ac"})
    np.testing.assert_allclose(other["b"], 1000 * one["b"] + 0.5, rtol=1e-6)


def test_the_order_of_clients_does_not_matter():
    clients = iris()
    turned = dict(reversed(clients.items()))
    X = tables_of(clients)
    assert_same(fitted(turned).predict(X), fitted(clients).predict(X))


def test_a_federation_on_two_processes_gives_the_same_bits():
    clients, X = iris(), tables_of(iris())
    federation = InProcessFederation(n_jobs=2)
    parallel = fitted(clients, federation=federation, n_rounds=3)
    alone = fitted(clients, engine="loop", n_rounds=3)
    assert_same(parallel.predict(X), alone.predict(X))


def test_scores_are_those_of_each_task():
    clients = iris()
    model = fitted(clients)
    predicted, scores = model.predict(tables_of(clients)), model.client_scores(clients)
    for name, (_, y) in clients.items():
        metric = accuracy_score if name in "ac" else r2_score
        assert scores[name] == metric(y, predicted[name])
    assert model.score(clients) == pytest.approx(scores.mean())
    assert scores.min() > 0.5


def test_probabilities_are_for_classes_only():
    clients = iris()
    model = fitted(clients, n_rounds=2, personalizer=None)
    proba = model.predict_proba({c: clients[c][0] for c in "ac"})
    assert proba["a"].shape == (len(clients["a"][1]), 3)
    with pytest.raises(ClientError, match=r"\['b', 'd'\] predict numbers"):
        model.predict_proba(tables_of(clients))
    numbers = fitted({c: clients[c] for c in "bd"}, n_rounds=2, personalizer=None)
    assert not hasattr(numbers, "predict_proba")
    assert not hasattr(FederatedMultiTask(tasks="regression"), "predict_proba")


def test_flat_forms_hold_text_beside_numbers():
    clients = iris()
    X, y = pool(clients, mixed=True)
    assert y.dtype == object
    by_name = fitted(clients)
    model = FederatedMultiTask(n_rounds=10, random_state=0).fit(X, y)
    assert model.tasks_ == by_name.tasks_
    flat = model.predict(X)
    for name, values in by_name.predict(tables_of(clients)).items():
        assert flat[X.client == name].tolist() == values.tolist()
    assert model.score(X, y) == pytest.approx(by_name.score(clients))
    per_client = ClientScorer().per_client(model, X, y)
    pd.testing.assert_series_equal(
        per_client.sort_index(), by_name.client_scores(clients).sort_index()
    )
    with pytest.raises(ClientError, match="text and those of client 'b' are numbers"):
        pool(clients)


def test_search_and_cross_validation():
    X, y = pool(iris(), mixed=True)
    model = FederatedMultiTask(n_rounds=3, random_state=0, personalizer=None)
    scores = cross_val_score(model, X, y, cv=ClientKFold(2))
    assert (scores > 0).all()
    grid = {"balance": ["uncertainty", None]}
    search = GridSearchCV(model, grid, cv=ClientKFold(2)).fit(X, y)
    found = search.cv_results_["mean_test_score"]
    assert found[0] == pytest.approx(scores.mean())
    assert search.best_score_ == found.max()
    assert search.score(X, y) == search.best_estimator_.score(X, y) > 0.5


def test_a_balance_concerns_the_trunk_alone():
    clients = {c: iris()[c] for c in "abc"}  # classes have two clients, numbers one
    nets = {}
    for balance in ("equal", "uncertainty", None):
        model = fitted(clients, balance=balance, personalizer=None, n_rounds=1)
        nets[balance] = model.nets_["classification"].module_.state_dict()
    by_rows, equal = nets[None], nets["equal"]
    for name in ("skip.weight", "skip.bias", "mlp.2.weight"):
        torch.testing.assert_close(by_rows[name], equal[name])
    assert not torch.allclose(by_rows["mlp.0.weight"], equal["mlp.0.weight"])
    for name, value in nets["uncertainty"].items():  # no loss is known yet
        torch.testing.assert_close(value, equal[name])


def test_early_stopping_and_warm_start():
    clients = iris()
    model = fitted(
        clients, early_stopping=True, validation_fraction=0.2, n_rounds=20, min_count=2
    )
    assert model.history_["valid_loss"].notna().all()
    assert 1 <= model.best_round_ <= model.n_rounds_
    model = fitted(clients, warm_start=True, personalizer=None, n_rounds=20)
    first = model.history_["loss"].iloc[:4].mean()
    model.fit(clients)
    assert model.history_["loss"].iloc[:4].mean() < first


def test_newcomers_say_what_they_predict():
    clients = iris()
    fitted_ones = {c: clients[c] for c in "abc"}
    model = fitted(fitted_ones)
    X, y = clients["d"]
    with pytest.raises(ClientError, match="say what client 'd' predicts"):
        model.add_client("d", X, y)
    model.add_client("d", X, y, target_name="regression")
    assert model.tasks_["d"] == "regression"
    assert model.client_scores({"d": (X, y)})["d"] > 0.3
    model.drop_client("d")
    assert set(model.tasks_) == set(model.target_names_) == set("abc")


def test_absent_labels_may_get_nothing():
    X, y = load_iris(return_X_y=True, as_frame=True)
    clients = iris()
    two = y[2::4] < 2
    kinds = clients["c"][1][two]
    clients["c"] = clients["c"][0][two], kinds
    model = fitted(
        clients,
        absent="zero",
        target_names={"a": "kind", "c": "kind", "b": "width", "d": "width"},
    )
    proba = model.predict_proba({"c": clients["c"][0]})["c"]
    assert proba.shape[1] == 3 and not proba[:, 2].any()
    assert model.target_classes_["kind"].tolist() == sorted(set(clients["a"][1]))


def test_a_quantity_may_be_a_number_here_and_a_class_there():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    high = (y > 140).astype(int)
    clients = {
        "a": (X.iloc[::3], y[::3]),
        "b": (X.iloc[1::3], high[1::3]),
        "c": (X.iloc[2::3], y[2::3]),
    }
    tasks = {"a": "regression", "c": "regression"}
    model = fitted(clients, tasks=tasks, target_names="progress")
    assert set(model.target_names_.values()) == {
        "progress (class)",
        "progress (number)",
    }
    assert model.client_scores(clients).min() > 0.3


def test_nets_must_have_the_same_trunk():
    nets = {
        "classifier_net": default_net("classification").set_params(module__hidden=8),
        "regressor_net": default_net("regression").set_params(module__hidden=16),
    }
    with pytest.raises(ClientError, match=r"before the last layer: \['mlp.0.bias'"):
        fitted(iris(), **nets)
    nets["regressor_net"].set_params(module__hidden=8)
    assert isinstance(fitted(iris(), **nets).nets_["regression"].module_, SkipMLP)


def test_one_table_is_a_single_client():
    X, y = load_iris(return_X_y=True)
    assert fitted_plain(X, y).tasks_ == {0: "multiclass"}
    assert fitted_plain(X, X[:, 0] + 0.05 * y).tasks_ == {0: "regression"}


def fitted_plain(X, y):
    return FederatedMultiTask(n_rounds=2, random_state=0).fit(X, y)


def test_what_cannot_be_is_refused_by_name():
    clients = iris()
    X, y = clients["b"]
    cases = [
        ({"tasks": {"z": "binary"}}, r"tasks= names the clients \['z'\]"),
        ({"tasks": {"a": "ranking"}}, "'a' is 'ranking'; known are"),
        ({"tasks": {"a": "binary"}}, "'a' has 3 labels and cannot be binary"),
        ({"target_names": {"a": "kind"}}, r"says nothing of the clients \['b'"),
        ({"target_names": dict.fromkeys("abcdz", "q")}, r"target_names= names \['z'\]"),
        ({"classes": {"kind": ["x"]}}, r"names the targets \['kind'\]"),
    ]
    for settings, text in cases:
        with pytest.raises(ValueError, match=text):
            fitted(clients, **settings)
    with pytest.raises(ClientError, match="target of client 'b' contains NaN"):
        fitted(clients | {"b": (X, np.where(y > 2, np.nan, y))})
    with pytest.raises(ValueError, match="FedProto"):
        fitted(clients, strategy=FedProto())


def test_whole_numbers_may_be_labels_or_a_quantity():
    X, y = load_diabetes(return_X_y=True)
    clients = {"a": (X[::2], y[::2].astype(int)), "b": (X[1::2], y[1::2] + 0.5)}
    with pytest.warns(AlignmentWarning, match="'a': the target has .* whole numbers"):
        model = fitted(clients, n_rounds=1, personalizer=None)
    assert model.tasks_["a"] == "regression"
    digits = {"a": (X[::2], np.arange(221) % 10), "b": (X[1::2], np.arange(221) % 2)}
    with pytest.warns(AlignmentWarning, match=r"clients \['b'\] have two labels"):
        model = fitted(digits, n_rounds=1, personalizer=None)
    assert model.target_names_ == {"a": "classification", "b": "classification"}


def test_several_numbers_and_several_labels_are_tasks_too():
    X, y = load_iris(return_X_y=True, as_frame=True)
    both = X.iloc[:, 2:].to_numpy()
    tables = [X.iloc[k::4, :3] for k in range(4)]
    marks = np.c_[X.iloc[:, 3] > 1, X.iloc[:, 0] > 5.8, y == 0].astype(int)
    targets = [y[::4], both[1::4], marks[2::4], marks[3::4]]
    clients = dict(zip("abcd", zip(tables, targets, strict=True), strict=True))
    model = fitted(clients, n_rounds=30, absent="zero")
    assert model.tasks_ == {
        "a": "multiclass",
        "b": "multioutput_regression",
        "c": "multilabel",
        "d": "multilabel",
    }
    predicted, proba = (
        model.predict(tables_of(clients)),
        model.predict_proba({c: clients[c][0] for c in "acd"}),
    )
    assert predicted["b"].shape == (len(tables[1]), 2)
    assert predicted["c"].shape == proba["c"].shape == (len(tables[2]), 3)
    assert model.client_scores(clients).min() > 0.5
    empty = model.predict({c: X.iloc[:0] for c, (X, _) in clients.items()})
    assert {c: v.shape for c, v in empty.items()} == {
        "a": (0,),
        "b": (0, 2),
        "c": (0, 3),
        "d": (0, 3),
    }
    with pytest.raises(ClientError, match="give the same targets to all clients"):
        pool(clients)


def test_targets_with_column_names_match_within_a_quantity():
    X, _ = load_iris(return_X_y=True, as_frame=True)
    pair = X.iloc[:, 2:]
    tables = [X.iloc[k::3, :2] for k in range(3)]
    clients = {"a": (tables[0], pair[::3]), "b": (tables[1], pair.iloc[1::3, ::-1])}
    clients["c"] = tables[2], X.iloc[2::3, 3]
    with pytest.raises(ClientError, match="targets match by position"):
        fitted(clients, n_rounds=1)
    names = {"a": "size", "b": "turned", "c": "width"}
    assert fitted(clients, target_names=names, n_rounds=1).target_names_ == names


def test_a_group_whose_clients_fail_is_left_out():
    clients = {c: iris()[c] for c in "abc"}
    X, y = clients["b"]
    clients["b"] = X.assign(broken=np.inf), y
    with pytest.warns(ClientFailureWarning, match="'b' failed in 'align'"):
        model = fitted(clients, min_clients=2)
    assert set(model.nets_) == {"classification"}
    assert set(model.tasks_) == set("ac")
    fair = {c: clients[c] for c in "ac"}
    assert model.client_scores(fair).min() > 0.6
    with pytest.raises(ClientError, match="unknown client 'b'"):
        model.predict({"b": X})


def test_rounds_without_a_client_of_some_group():
    clients = iris()
    model = fitted(
        clients,
        client_fraction=0.25,
        early_stopping=True,
        validation_fraction=0.2,
        n_rounds=8,
        personalizer=None,
    )
    assert model.history_.groupby("round").size().max() == 1
    assert np.isfinite(model.history_["loss"]).all()


def test_a_warm_start_may_add_a_quantity():
    clients = iris()
    model = fitted(
        {c: clients[c] for c in "bd"}, warm_start=True, personalizer=None, n_rounds=30
    )
    trunk = model.nets_["regression"].module_.mlp[0].bias.detach().numpy().copy()
    model.set_params(n_rounds=1).fit(clients)
    now = model.nets_["classification"].module_.mlp[0].bias.detach().numpy()
    assert np.abs(now - trunk).max() < 0.02 < np.abs(trunk).max()
    names = {"a": "kind", "b": "width", "c": "kind", "d": "width"}
    with pytest.warns(AlignmentWarning, match=r"\['classification', 'regression'\]"):
        model.set_params(target_names=names).fit(clients)


def test_a_head_that_never_moves_is_named():
    with pytest.warns(
        StrategyWarning, match=r"heads of targets \['classification', 'regression'\]"
    ):
        fitted(iris(), strategy=TrimmedMean(trim=0.4), n_rounds=2, personalizer=None)


def test_names_that_read_alike_are_one_quantity_in_two_forms():
    clients = iris()
    X, y = clients["c"]
    clients["c"] = X, np.where(y == y[0], "setosa", "virginica")
    names = {"a": "1", "b": 1, "c": "1", "d": 1}
    model = fitted(clients, target_names=names, n_rounds=1, personalizer=None)
    assert sorted(model.nets_) == ["1 (class)", "1 (number)"]
    names = {"a": "s", "b": "s", "c": "s", "d": "s (number)"}
    with pytest.raises(ClientError, match="choose another"):
        fitted(clients, target_names=names)


def test_ranks_match_without_a_personalizer_too():
    clients = iris()
    X, y = clients["a"]
    classes = {"a": (X, (y == "setosa").astype(int)), "b": clients["b"]}
    model = fitted(classes, target_names="s", n_rounds=1, personalizer=None)
    told = model.ledger_[model.ledger_["client"] == "b"]["name"]
    assert {"ranks", "rank_labels"} <= set(told)


def test_a_newcomer_to_a_quantity_that_lost_its_last_client():
    clients = iris()
    model = fitted({c: clients[c] for c in "abd"}, n_rounds=2)
    model.drop_client("a")
    X, y = clients["c"]
    model.add_client("z", X, y.astype(object), target_name="classification")
    assert model.tasks_["z"] == "multiclass"
    assert np.isfinite(model.client_scores({"z": (X, y)})["z"])


def test_a_client_that_is_dropped_is_no_longer_named():
    clients = iris()
    tasks = {"b": "regression", "d": "regression"}
    names = {"a": "kind", "c": "kind", "b": "width", "d": "width"}
    model = fitted(clients, tasks=tasks, target_names=names, n_rounds=1)
    model.drop_client("d", clients)
    assert set(model.target_names) == set(model.tasks_) == set("abc")


def test_unseen_clients_of_the_only_quantity_are_scored():
    clients = iris()
    seen = {c: clients[c] for c in "ac"}
    model = fitted(seen, unseen="align", n_rounds=5, personalizer=None)
    X, y = clients["a"]
    assert model.score({"z": (X, y)}) > 0.5
    assert model.predict({"z": X.iloc[:0]})["z"].shape == (0,)
    with pytest.raises(ClientError, match="score needs rows"):
        model.score({"a": (X.iloc[:0], y[:0])})


def test_callbacks_and_flat_forms_take_targets_of_other_widths():
    X, _ = load_iris(return_X_y=True, as_frame=True)
    clients = iris()
    clients["b"] = clients["b"][0], X.iloc[1::4, 2:].to_numpy()
    data, y = pool(clients, mixed=True)
    model = fitted(clients, n_rounds=2, personalizer=None)
    flat = FederatedMultiTask(n_rounds=2, random_state=0, personalizer=None)
    assert flat.fit(data, y).tasks_ == model.tasks_
    predicted = flat.predict(data)
    own = np.stack(list(predicted[data.client == "b"]))
    np.testing.assert_array_equal(own, model.predict({"b": clients["b"][0]})["b"])
    quick = FederatedMultiTask(n_rounds=2, random_state=0, personalizer=None)
    assert quick.set_callbacks(ProgressBar()).fit(clients).n_rounds_ == 2


class Prelu(torch.nn.Module):
    def __init__(self, n_inputs=1, n_outputs=1):
        super().__init__()
        self.inner = torch.nn.Linear(n_inputs, 6)
        self.bend = torch.nn.PReLU()
        self.out = torch.nn.Linear(6, n_outputs)

    def forward(self, X):
        return self.out(self.bend(self.inner(X)))


def test_a_net_with_other_parameters_of_one_row():
    nets = {
        "classifier_net": default_net("classification").set_params(module=Prelu),
        "regressor_net": default_net("regression").set_params(module=Prelu),
    }
    model = fitted(iris(), **nets, n_rounds=2, personalizer=None)
    bends = [net.module_.bend.weight.item() for net in model.nets_.values()]
    assert bends[0] == bends[1] != 0.25


def test_a_parameter_of_a_net_that_is_not_given():
    with pytest.raises(ValueError, match="give classifier_net=a skorch net"):
        FederatedMultiTask().set_params(classifier_net__lr=0.1)
