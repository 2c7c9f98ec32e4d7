import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state

from skfed import (
    ClientError,
    ClientKFold,
    FederatedClassifier,
    FederatedRegressor,
    LeaveClientsOut,
    TableEncoder,
    compare,
    pool,
)
from skfed.exceptions import AlignmentWarning
from skfed.metrics._compare import BASELINES

MODEL = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0)
REGRESSOR = FederatedRegressor(personalizer=None, n_rounds=2, random_state=0)


def make_clients(sizes=(40, 50), regression=False, seed=0):
    rng = np.random.default_rng(seed)
    clients = {}
    for k, n in enumerate(sizes):
        names = ["x", "z", f"own{k}"]
        table = pd.DataFrame(rng.normal(size=(n, 3)), columns=names)
        y = table["x"] + 0.5 * table[f"own{k}"] + 0.5 * rng.normal(size=n)
        clients[f"c{k}"] = (table, y.to_numpy() if regression else (y > 0).to_numpy())
    return clients


SEED = check_random_state(0).randint(2**31 - 1)  # of the folds, for random_state=0
CLIENTS, NUMBERS = make_clients(), make_clients(regression=True)


def quick(estimator=MODEL, clients=CLIENTS, **kwargs):
    settings = {"cv": 3, "n_bootstrap": 5, "baselines": ["local"]}
    return compare(estimator, clients, **{**settings, **kwargs})


@pytest.mark.parametrize(
    "estimator, clients", [(MODEL, CLIENTS), (REGRESSOR, NUMBERS)], ids=["class", "reg"]
)
def test_columns_and_differences(estimator, clients):
    table = quick(estimator, clients, baselines=BASELINES)
    differences = [f"vs_{m}{e}" for m in BASELINES for e in ("", "_se")]
    assert table.columns.tolist() == ["n_rows", *BASELINES, "federated", *differences]
    assert table.index.tolist() == ["c0", "c1"] and table.index.name == "client"
    assert table["n_rows"].tolist() == [40, 50]
    assert np.isfinite(table.to_numpy()).all()
    for method in BASELINES:
        gain = table["federated"] - table[method]
        np.testing.assert_array_equal(table[f"vs_{method}"], gain)
        assert (table[f"vs_{method}_se"] >= 0).all()


def test_without_bootstrap_and_with_some_baselines():
    table = quick(n_bootstrap=0, baselines=["pooled", "local_linear"])
    assert table.columns.tolist() == [
        "n_rows", "local_linear", "pooled", "federated", "vs_local_linear", "vs_pooled",
    ]  # fmt: skip
    assert quick(baselines=[]).columns.tolist() == ["n_rows", "federated"]


def folds_of(clients, cv=3, seed=None):
    """Return each client's (train, test) row numbers, fold by fold."""
    X, y = pool(clients)
    for train, test in ClientKFold(cv, random_state=seed).split(X, y):
        yield {
            name: (X.row[train[X.code[train] == k]], X.row[test[X.code[test] == k]])
            for k, name in enumerate(X.names)
        }


def by_hand(clients, learn, method="predict", repeat=0):
    """Return each client's truth and out-of-fold predictions of local models."""
    seed = SEED + repeat
    found = {name: ([], []) for name in clients}
    for fold in folds_of(clients, seed=seed):
        for name, (train, test) in fold.items():
            table, y = clients[name]
            model = learn().fit(table.iloc[train], y[train])
            found[name][0].append(y[test])
            found[name][1].append(getattr(model, method)(table.iloc[test]))
    return {n: [np.concatenate(part) for part in parts] for n, parts in found.items()}


def logistic():
    grid = GridSearchCV(
        LogisticRegression(max_iter=2000),
        {"C": [0.01, 0.1, 1.0, 10.0, 100.0]},
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        scoring="neg_log_loss",
    )
    return make_pipeline(TableEncoder(scaling="client", indicator=True), grid)


def ridge():
    return make_pipeline(
        TableEncoder(scaling="client", indicator=True),
        RidgeCV(np.logspace(-2, 5, 15)),
    )


def test_local_linear_is_the_same_model_fitted_by_hand():
    table = quick(baselines=["local_linear"])
    for name, (truth, predicted) in by_hand(CLIENTS, logistic).items():
        assert table.loc[name, "local_linear"] == accuracy_score(truth, predicted)
    table = quick(REGRESSOR, NUMBERS, baselines=["local_linear"])
    for name, (truth, predicted) in by_hand(NUMBERS, ridge).items():
        assert table.loc[name, "local_linear"] == pytest.approx(
            r2_score(truth, predicted), abs=1e-12
        )


@pytest.mark.parametrize(
    "scoring, metric",
    [
        ("neg_log_loss", lambda y, p: -log_loss(y, p)),
        ("roc_auc", lambda y, p: roc_auc_score(y, p[:, 1])),
    ],
)
def test_scores_of_probabilities(scoring, metric):
    table = quick(scoring=scoring, baselines=["local_linear"])
    for name, (truth, proba) in by_hand(CLIENTS, logistic, "predict_proba").items():
        expected = metric(truth, proba)
        assert table.loc[name, "local_linear"] == pytest.approx(expected, abs=1e-12)


def test_local_is_the_estimator_on_one_table():
    table = quick(baselines=["local"])
    for name, (truth, predicted) in by_hand(CLIENTS, lambda: clone(MODEL)).items():
        assert table.loc[name, "local"] == accuracy_score(truth, predicted)


def test_federated_and_pooled_by_hand():
    table = quick(baselines=["pooled"])
    right = {(m, name): [] for m in ("federated", "pooled") for name in CLIENTS}
    columns = ["own0", "own1", "x", "z"]
    for fold in folds_of(CLIENTS, seed=SEED):
        parts = {
            name: (table.iloc[fold[name][0]], y[fold[name][0]])
            for name, (table, y) in CLIENTS.items()
        }
        federated = clone(MODEL).fit(parts)
        union = pd.concat([t.reindex(columns=columns) for t, _ in parts.values()])
        pooled = clone(MODEL).fit(union, np.concatenate([y for _, y in parts.values()]))
        for name, (_, test) in fold.items():
            new, y = CLIENTS[name][0].iloc[test], CLIENTS[name][1][test]
            right["federated", name] += (federated.predict({name: new})[name] == y,)
            right["pooled", name] += (
                pooled.predict(new.reindex(columns=columns)) == y,
            )
    for (method, name), parts in right.items():
        assert table.loc[name, method] == np.concatenate(parts).mean()


def test_same_seed_same_table():
    table = quick()
    pd.testing.assert_frame_equal(quick(), table)
    assert not quick(random_state=1).equals(table)


@pytest.mark.slow
def test_two_workers_give_the_same_table():
    pd.testing.assert_frame_equal(
        quick(baselines=BASELINES, n_jobs=2), quick(baselines=BASELINES)
    )


def test_client_order_and_form_do_not_matter_to_the_scores():
    table = quick(cv=KFold(2), n_bootstrap=0)
    as_list = quick(clients=list(CLIENTS.values()), cv=KFold(2), n_bootstrap=0)
    np.testing.assert_array_equal(as_list.to_numpy(), table.to_numpy())
    assert as_list.index.tolist() == [0, 1]


def test_arrays_match_by_position_or_are_each_clients_own():
    arrays = {k: (t.to_numpy(), y) for k, (t, y) in CLIENTS.items()}
    table = quick(clients=arrays, baselines=["pooled", "local"])
    assert np.isfinite(table.to_numpy()).all()
    unequal = {"a": arrays["c0"], "b": (arrays["c1"][0][:, :2], arrays["c1"][1])}
    table = quick(clients=unequal, baselines=["pooled_linear"])
    assert np.isfinite(table.to_numpy()).all()


@pytest.mark.parametrize("labels", [("no", "yes"), (3, 7), (False, True)])
def test_labels_of_any_kind_give_the_same_scores(labels):
    named = {k: (t, np.array(labels)[y.astype(int)]) for k, (t, y) in CLIENTS.items()}
    pd.testing.assert_frame_equal(
        quick(clients=named, scoring="neg_log_loss"), quick(scoring="neg_log_loss")
    )


def three_classes():
    """Return clients with labels {0, 1, 2}, {0, 1} and {2}."""
    rng = np.random.default_rng(0)
    tables = [
        pd.DataFrame(rng.normal(size=(n, 2)), columns=["x", "z"]) for n in (45, 40, 12)
    ]
    targets = [np.arange(45) % 3, np.arange(40) % 2, np.full(12, 2)]
    return dict(zip("abc", zip(tables, targets, strict=True), strict=True))


def test_clients_that_lack_classes():
    table = quick(clients=three_classes(), scoring="neg_log_loss", baselines=BASELINES)
    assert np.isfinite(table.to_numpy()).all()
    assert table.loc["c", "local"] == pytest.approx(0.0, abs=1e-12)  # knows one class
    assert table.loc["c", "local_linear"] == pytest.approx(0.0, abs=1e-12)
    area = quick(clients=three_classes(), scoring="roc_auc_ovr")
    assert np.isfinite(area.loc["a"]).all()
    assert area.loc[["b", "c"]].drop(columns="n_rows").isna().all(axis=None)


def test_a_class_missing_in_a_fold_is_a_wrong_answer_not_an_error():
    clients = make_clients((30, 40))
    rare = clients["c0"][1].astype(int)
    rare[7] = 2  # one row of this class in all
    clients["c0"] = (clients["c0"][0], rare)
    clients["c1"] = (clients["c1"][0], clients["c1"][1].astype(int))
    table = quick(clients=clients, scoring="neg_log_loss", baselines=BASELINES)
    assert np.isfinite(table.to_numpy()).all()
    assert (table.loc["c0", [*BASELINES, "federated"]] < -np.log(1e10) / 30).all()


def test_classes_known_beforehand_keep_their_columns():
    known = clone(MODEL).set_params(classes=[-1, 0, 1, 2])
    clients = {k: (t, y.astype(int)) for k, (t, y) in CLIENTS.items()}
    table = quick(known, clients, scoring="roc_auc_ovr", baselines=["local"])
    assert table.drop(columns="n_rows").isna().all(axis=None)  # -1 and 2 never occur
    table = quick(known, clients, scoring="neg_log_loss", baselines=["local"])
    assert (table["federated"].between(-2, 0)).all()


def test_parameters_about_other_clients_do_not_reach_the_local_model():
    needs_two = clone(MODEL).set_params(min_clients=2, client_column="site")
    pd.testing.assert_frame_equal(
        quick(needs_two, baselines=["local", "pooled"]),
        quick(baselines=["local", "pooled"]),
    )


def test_tiny_clients_get_a_row():
    clients = {**make_clients(), "three": make_clients((3,))["c0"]}
    clients["single"] = make_clients((1,))["c0"]
    clients["zero"] = (CLIENTS["c0"][0].iloc[:0], CLIENTS["c0"][1][:0])
    table = quick(clients=clients, cv=2, baselines=BASELINES)
    assert table["n_rows"].tolist() == [40, 50, 1, 3, 0]
    unknown = table.loc[["single", "zero"]]  # never held out
    assert unknown.drop(columns="n_rows").isna().all(axis=None)
    assert np.isfinite(table.drop(index=["single", "zero"]).to_numpy()).all()


def test_baselines_that_cannot_be_fitted_are_named_and_constant():
    y = np.arange(40) % 2
    many = pd.DataFrame({"kind": np.array(["u", "v"])[y]}), y
    few = pd.DataFrame({"kind": ["u", "v"] * 3}), np.array([0, 1] * 3)
    with pytest.warns(AlignmentWarning) as caught:
        table = quick(clients={"many": many, "few": few}, baselines=["local_linear"])
    (text,) = [str(w.message) for w in caught]
    assert "'local_linear' model of client 'few'" in text and "min_count=5" in text
    assert table.loc["few", "local_linear"] == 0.5


def test_repeats_use_other_folds_and_are_averaged():
    table = quick(n_repeats=2, n_bootstrap=0)
    found = [by_hand(CLIENTS, lambda: clone(MODEL), repeat=r) for r in (0, 1)]
    for name in CLIENTS:
        scores = [accuracy_score(*repeat[name]) for repeat in found]
        assert table.loc[name, "local"] == pytest.approx(np.mean(scores), abs=1e-15)
    assert found[0]["c0"][0].tolist() != found[1]["c0"][0].tolist()
    with pytest.raises(ValueError, match="n_repeats=2 needs a number of folds"):
        quick(cv=KFold(3), n_repeats=2)


def test_standard_errors_shrink_with_the_rows():
    errors = {
        n: quick(clients=make_clients((n, n)), n_bootstrap=60)["vs_local_se"]
        for n in (40, 640)
    }
    assert (errors[640] < 0.6 * errors[40]).all()


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3),
        ShuffleSplit(2, random_state=0),
        RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    ],
    ids=["KFold", "ShuffleSplit", "RepeatedKFold"],
)
def test_custom_splitters(cv):
    table = quick(cv=cv, baselines=["local", "local_linear"])
    assert np.isfinite(table.to_numpy()).all()


def test_whole_clients_left_out_have_no_score():
    clients = {**CLIENTS, "third": make_clients((30,), seed=1)["c0"]}
    table = quick(clients=clients, cv=LeaveClientsOut())
    assert table.drop(columns="n_rows").isna().all(axis=None)


def test_scorer_functions_get_recorded_predictions():
    def share_of_yes(model, X, y):
        assert len(X) == len(y)
        return model.predict(X).mean()

    table = quick(scoring=share_of_yes, n_bootstrap=2)
    assert table["federated"].between(0.2, 0.8).all()


@pytest.mark.parametrize(
    "kwargs, error, text",
    [
        (
            {"baselines": ["local", "best"]},
            ClientError,
            r"unknown baselines \['best'\]",
        ),
        ({"n_repeats": 0}, ValueError, "n_repeats"),
        ({"n_bootstrap": -1}, ValueError, "n_bootstrap"),
        ({"scoring": "speed"}, ValueError, "speed"),
        ({"clients": CLIENTS["c0"]}, ClientError, "pair|list or dict|clients"),
        ({"clients": [t for t, _ in CLIENTS.values()]}, ClientError, "targets"),
        ({"clients": CLIENTS["c0"][0]}, ClientError, "targets|pairs"),
    ],
)
def test_bad_requests(kwargs, error, text):
    with pytest.raises(error, match=text):
        quick(**kwargs)


def test_estimator_and_tables_stay_as_they_were():
    before = {k: (t.copy(), y.copy()) for k, (t, y) in CLIENTS.items()}
    model = clone(MODEL)
    quick(model, baselines=BASELINES)
    assert not hasattr(model, "pipelines_")
    for name, (table, y) in before.items():
        pd.testing.assert_frame_equal(CLIENTS[name][0], table)
        np.testing.assert_array_equal(CLIENTS[name][1], y)


def test_pooled_models_see_targets_in_each_clients_units():
    rng = np.random.default_rng(0)
    clients = {}
    for k, name in enumerate("abc"):
        X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["u", "v"])
        clients[name] = (X, 100.0 * k + (k + 1) * (X["u"] + 0.1 * X["v"]).to_numpy())
    model = FederatedRegressor(personalizer=None, n_rounds=20, random_state=0)
    settings = {"cv": 3, "n_bootstrap": 0, "baselines": ["pooled_linear"]}
    own = compare(model, clients, **settings)
    assert (own["pooled_linear"] > 0.95).all()
    raw = compare(model.set_params(target_scaling=None), clients, **settings)
    assert (raw["pooled_linear"] < 0).any()


def test_folds_have_no_checkpoint(tmp_path):
    clients = make_clients(regression=True)
    model = FederatedRegressor(
        personalizer=None, n_rounds=2, random_state=0, checkpoint=tmp_path / "fit"
    )
    table = compare(model, clients, cv=2, baselines=["local", "local_linear"])
    assert np.isfinite(table["federated"]).all()
    assert not (tmp_path / "fit").exists()
