import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import (
    log_loss,
    make_scorer,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.utils.validation import check_is_fitted

from skfed import (
    ClientData,
    ClientError,
    ClientKFold,
    ClientScorer,
    FederatedClassifier,
    FederatedRegressor,
    pool,
)


class Reader(ClassifierMixin, BaseEstimator):
    """Reads its probabilities from the clients' tables."""

    def __init__(self, classes=(0, 1)):
        self.classes = classes

    def fit(self, X, y=None):
        self.classes_ = np.array(self.classes)
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        out = np.empty((len(X), len(self.classes)))
        for _, where, table in X.items():
            out[where] = table
        return out

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def readable(clients, classes=(0, 1)):
    """Return ``{name: (probabilities, y)}`` pooled, and the model that reads them."""
    X, y = pool({k: (np.array(p, dtype=float), t) for k, (p, t) in clients.items()})
    return Reader(classes).fit(X), X, y


def of_labels(clients):
    """Return the same from ``{name: (predicted, truth)}`` of zeros and ones."""
    return readable({k: (np.eye(2)[list(p)], t) for k, (p, t) in clients.items()})


BY_HAND = {
    "a": ([0, 0, 1, 1], [0, 0, 1, 1]),  # 1
    "b": ([0, 1], [1, 0]),  # 0
    "c": ([0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]),  # 0.5
    "d": ([1, 1, 1, 1], [1, 1, 1, 0]),  # 0.75
}


@pytest.mark.parametrize(
    "average, expected",
    [
        ("micro", (4 + 0 + 3 + 3) / 16),
        ("macro", (1 + 0 + 0.5 + 0.75) / 4),
        ("worst", 0.0),
        ("median", 0.625),
    ],
)
@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_averages_by_hand(average, expected, scoring):
    model, X, y = of_labels(BY_HAND)
    scorer = ClientScorer(scoring, average=average)
    assert scorer(model, X, y) == pytest.approx(expected, abs=1e-15)
    assert scorer.per_client(model, X, y).to_dict() == {
        "a": 1.0, "b": 0.0, "c": 0.5, "d": 0.75,
    }  # fmt: skip


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1),
        min_size=1,
        max_size=5,
    ),
    st.randoms(),
)
def test_micro_accuracy_is_the_models_own_score(rows, random):
    model, X, y = of_labels(
        {k: tuple(zip(*part, strict=True)) for k, part in enumerate(rows)}
    )
    micro = ClientScorer(average="micro")
    assert micro(model, X, y) == pytest.approx(model.score(X, y), abs=1e-12)
    order = random.sample(range(len(X)), len(X))
    for average in ("micro", "macro", "worst", "median"):  # row order does not matter
        scorer = ClientScorer(average=average)
        assert scorer(model, X[order], y[order]) == pytest.approx(scorer(model, X, y))
    worst, median = (ClientScorer(average=a)(model, X, y) for a in ("worst", "median"))
    assert worst <= ClientScorer()(model, X, y) and worst <= median


def test_undefined_scores_are_left_out_of_the_average():
    model, X, y = readable(
        {
            "two": ([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], [0, 1, 0]),
            "one": ([[0.9, 0.1], [0.2, 0.8]], [0, 0]),
        }
    )
    scorer = ClientScorer("roc_auc")
    scores = scorer.per_client(model, X, y)
    assert scores["two"] == 1.0 and np.isnan(scores["one"])
    assert scorer(model, X, y) == 1.0
    for average in ("micro", "worst", "median"):
        assert ClientScorer("roc_auc", average=average)(model, X, y) == 1.0
    one = X.client == "one"
    assert np.isnan(scorer(model, X[one], y[one]))


def test_precision_without_positives_is_the_scorers_decision():
    model, X, y = of_labels({"a": ([0, 0], [1, 0]), "b": ([1, 0], [1, 0])})
    assert ClientScorer("precision", average="worst")(model, X, y) == 1.0
    zero = make_scorer(precision_score, zero_division=0)
    assert ClientScorer(zero, average="worst")(model, X, y) == 0.0


def test_r2_of_one_row_is_undefined():
    X, y = pool({"a": (np.zeros((1, 1)), [1.0]), "b": (np.zeros((3, 1)), [1.0, 2, 3])})

    class Mean(BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.full(len(X), 2.0)

    scores = ClientScorer("r2").per_client(Mean().fit(X, y), X, y)
    assert np.isnan(scores["a"]) and scores["b"] == 0.0


PROBA = {
    "all": ([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]], [0, 1, 2]),
    "two": ([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.2, 0.7, 0.1]], [0, 1, 1]),
    "one": ([[0.3, 0.5, 0.2], [0.2, 0.6, 0.2]], [1, 1]),
}


@pytest.mark.parametrize("classes", [(0, 1, 2), (5, 7, 9), ("u", "v", "w")])
def test_log_loss_is_defined_for_clients_that_lack_classes(classes):
    clients = {k: (p, [classes[i] for i in t]) for k, (p, t) in PROBA.items()}
    model, X, y = readable(clients, classes)
    scores = ClientScorer("neg_log_loss").per_client(model, X, y)
    for name, (proba, truth) in PROBA.items():
        by_hand = np.mean([np.log(proba[i][t]) for i, t in enumerate(truth)])
        assert scores[name] == pytest.approx(by_hand)
        assert scores[name] == pytest.approx(
            -log_loss(clients[name][1], proba, labels=list(classes))
        )


def test_log_loss_of_two_classes_at_a_client_with_one():
    model, X, y = readable({"a": ([[0.9, 0.1], [0.8, 0.2]], [0, 0])})
    found = ClientScorer("neg_log_loss")(model, X, y)
    assert found == pytest.approx(np.log([0.9, 0.8]).mean())


def test_area_of_several_classes_is_undefined_where_one_lacks():
    model, X, y = readable(PROBA, (0, 1, 2))
    scores = ClientScorer("roc_auc_ovr").per_client(model, X, y)
    assert scores["all"] == roc_auc_score(
        PROBA["all"][1], PROBA["all"][0], multi_class="ovr"
    )
    assert np.isnan(scores["two"]) and np.isnan(scores["one"])


@pytest.mark.parametrize(
    "scoring",
    [
        "recall",
        make_scorer(recall_score),
        lambda model, X, y: recall_score(y, model.predict(X)),
    ],
    ids=["string", "scorer", "function"],
)
def test_kinds_of_scoring(scoring):
    model, X, y = of_labels({"a": ([1, 0, 1], [1, 1, 0]), "b": ([1, 1], [1, 1])})
    scores = ClientScorer(scoring).per_client(model, X, y)
    assert scores.to_dict() == {"a": 0.5, "b": 1.0}


def test_errors_of_the_model_are_not_taken_for_undefined_scores():
    rng = np.random.default_rng(0)
    X, y = pool({k: (rng.normal(size=(20, 2)), np.arange(20) % 2) for k in "ab"})
    model = FederatedClassifier(personalizer=None, n_rounds=1, random_state=0).fit(X, y)
    new = ClientData({"c": rng.normal(size=(4, 2))})
    for scoring in (None, "accuracy", "roc_auc", lambda m, X, y: m.score(X, y)):
        with pytest.raises(ClientError, match="unknown client 'c'"):
            ClientScorer(scoring)(model, new, np.zeros(4))


@pytest.mark.parametrize(
    "error", [ValueError("negative number of sheep"), ClientError("unknown class 3")]
)
def test_errors_of_a_scorer_are_raised(error):
    def broken(model, X, y):
        raise error

    model, X, y = of_labels(BY_HAND)
    with pytest.raises(type(error), match=str(error)):
        ClientScorer(broken)(model, X[:1], y[:1])


def test_unknown_average_and_unknown_clients():
    with pytest.raises(ValueError, match="average='best'.*micro"):
        ClientScorer(average="best")
    model, _, _ = of_labels(BY_HAND)
    with pytest.raises(ClientError, match="clients of the rows are unknown"):
        ClientScorer()(model, np.zeros((3, 2)), [0, 1, 0])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    clients = {}
    for k in range(3):
        table = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", f"b{k}"])
        clients[f"c{k}"] = (table, np.where(table["a"] > 0, "yes", "no"))
    return pool(clients)


def test_as_scoring_of_cross_validation(data):
    X, y = data
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0)
    cv = ClientKFold(3, random_state=0)
    found = cross_validate(
        model,
        X,
        y,
        cv=cv,
        scoring={
            "micro": ClientScorer(average="micro"),
            "worst": ClientScorer("roc_auc", average="worst"),
            "accuracy": "accuracy",
        },
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    np.testing.assert_allclose(found["test_micro"], found["test_accuracy"])
    for k, test in enumerate(found["indices"]["test"]):
        fitted = found["estimator"][k]
        proba = fitted.predict_proba(X[test])[:, 1]
        by_hand = [
            roc_auc_score(y[test][mine], proba[mine])
            for mine in (X.code[test] == code for code in range(3))
        ]
        assert found["test_worst"][k] == min(by_hand)


def test_as_scoring_of_a_search_in_workers_and_clones(data):
    X, y = data
    search = GridSearchCV(
        FederatedClassifier(personalizer=None, n_rounds=1, random_state=0),
        {"local_epochs": [1, 2]},
        scoring=ClientScorer("neg_log_loss", average="worst"),
        cv=ClientKFold(3, random_state=0),
        error_score="raise",
    )
    found = clone(search).fit(X, y)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    assert found.score(X, y) == ClientScorer("neg_log_loss", "worst")(
        found.best_estimator_, X, y
    )


def test_frame_groups_and_container_agree(data):
    X, y = data
    model = FederatedClassifier(
        personalizer=None, n_rounds=1, random_state=0, client_column="site"
    )
    parts = [t.assign(site=name) for name, t in X.tables.items()]
    frame = pd.concat(parts, ignore_index=True)
    target = np.concatenate([y[X.code == k] for k in range(3)])
    model.fit(frame, target)
    expected = ClientScorer("roc_auc").per_client(model, X, y)
    by_column = ClientScorer("roc_auc", client_column="site")
    pd.testing.assert_series_equal(by_column.per_client(model, frame, target), expected)
    pd.testing.assert_series_equal(
        ClientScorer("roc_auc").per_client(model, frame, target, groups=frame["site"]),
        expected,
    )
    scores = cross_val_score(
        model,
        frame,
        target,
        cv=ClientKFold(2, random_state=0, client_column="site"),
        scoring=by_column,
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_regression():
    rng = np.random.default_rng(0)
    X, y = pool({k: (t := rng.normal(size=(30, 2)), t[:, 0]) for k in "ab"})
    model = FederatedRegressor(personalizer=None, n_rounds=3, random_state=0).fit(X, y)
    scores = ClientScorer("neg_mean_squared_error").per_client(model, X, y)
    error = (model.predict(X) - y) ** 2
    for k, name in enumerate("ab"):
        assert scores[name] == pytest.approx(-error[X.code == k].mean())


def test_pickle_and_representation():
    scorer = ClientScorer("roc_auc", average="worst")
    copy = pickle.loads(pickle.dumps(scorer))
    assert repr(copy) == repr(scorer)
    assert repr(scorer) == "ClientScorer(scoring='roc_auc', average='worst')"
