import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skfed import FederatedClassifier, FederatedRegressor
from skfed.alignment import ScoreAligner
from skfed.alignment._score_client import class_scores, numeric_scores
from skfed.exceptions import ClientError
from skfed.preprocessing import FederatedComposite

from ._federate import federate, statistics_of


def draw(labels, seed, noise=1.0, prefix=None):
    """Rows about a mean for each label, in columns of the client's own."""
    rng = np.random.default_rng(seed)
    means = 2 * np.eye(4) @ rng.normal(size=(4, 3 + seed))
    X = means[labels] + noise * rng.normal(size=(len(labels), 3 + seed))
    return pd.DataFrame(X).add_prefix(prefix or f"s{seed}v")


class Memory(ClassifierMixin, BaseEstimator):
    """Is certain of the rows it knows, and knows nothing of others."""

    def fit(self, X, y):
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.known_ = {tuple(x): c for x, c in zip(X, codes, strict=True)}
        self.shares_ = np.bincount(codes) / len(codes)
        return self

    def predict_proba(self, X):
        P = np.tile(self.shares_, (len(X), 1))
        for i, x in enumerate(X):
            if tuple(x) in self.known_:
                P[i] = np.arange(len(self.classes_)) == self.known_[tuple(x)]
        return P


class MemoryRegressor(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.known_ = {tuple(x): v for x, v in zip(X, y, strict=True)}
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.array([self.known_.get(tuple(x), self.mean_) for x in X])


def rows_of_fit(aligner, X, y):
    return aligner.fit_transform(X, y)


def test_rows_of_fit_are_scored_by_models_that_have_not_seen_them():
    y = np.arange(40) % 2
    X = draw(y, 0)
    aligner = ScoreAligner(Memory())
    Z = rows_of_fit(aligner, X, y)
    assert np.abs(Z).max() < 0.3  # the folds' shares are about the client's
    known = aligner.transform(X)
    assert (known.argmax(axis=1) == y).all()
    assert np.abs(known).max() < 0.2  # out of fold, its certainty is worth nothing
    assert aligner.calibration_ < 0.1
    numeric = ScoreAligner(MemoryRegressor())
    np.testing.assert_allclose(rows_of_fit(numeric, X, X.iloc[:, 0] + 0.0), 0)


@pytest.mark.parametrize(
    "encoder",
    [
        "passthrough",
        FederatedComposite(make_pipeline(ScoreAligner(Memory()))),
        make_column_transformer(
            (ScoreAligner(Memory()), ["s0v0", "s0v1"]), verbose_feature_names_out=False
        ),
    ],
    ids=["aligner", "composite", "columns"],
)
def test_a_federated_net_does_not_see_scores_in_fold(encoder):
    """A net that saw the memory's scores of its own rows would learn to trust them."""
    y = np.random.default_rng(0).integers(0, 2, 60)
    X = pd.DataFrame(
        np.random.default_rng(1).normal(size=(60, 2)), columns=["s0v0", "s0v1"]
    )
    model = FederatedClassifier(
        personalizer=None,
        encoder=encoder,
        aligner=ScoreAligner(Memory()) if encoder == "passthrough" else "passthrough",
        n_rounds=5,
        random_state=0,
    ).fit({"a": (X, y), "b": (X[::-1], y[::-1])})
    for table, target in ((X, y), (X[::-1], y[::-1])):
        step = model.pipelines_["a" if table is X else "b"]
        proba = step.predict_proba(table)
        loss = -np.log(proba[np.arange(60), target]).mean()
        assert loss > 0.5  # in-fold scores give nearly 0


def test_scores_are_the_models_evidence_beyond_the_shares():
    y = np.repeat([0, 1, 2], [30, 20, 10])
    X = draw(y, 0)
    model = LogisticRegression(max_iter=1000)
    aligner = ScoreAligner(model).fit(X, y)
    P = (
        LogisticRegression(max_iter=1000)
        .fit(X.to_numpy(), y)
        .predict_proba(X.to_numpy())
    )
    shares = np.array([0.5, 1 / 3, 1 / 6])
    raw = aligner.calibration_ * np.log((60 * P + shares) / 61) - np.log(shares)
    expected = raw - raw.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(aligner.transform(X), expected, atol=1e-3)
    assert aligner.labels_ == [0, 1, 2]


def test_calibration_minimises_the_loss_out_of_fold():
    y = np.arange(90) % 3
    X = draw(y, 0, noise=4.0).to_numpy()
    surer = class_scores([DecisionTreeClassifier(random_state=0)], X, y, 3, 5)
    calm = class_scores([LogisticRegression()], X, y, 3, 5)
    assert surer.calibration < 0.6 * calm.calibration

    def loss(local, factor):
        log = log_softmax(factor * local.out_of_fold, axis=1)  # shares are equal
        return -log[np.arange(90), y].mean()

    for local in (surer, calm):
        assert local.loss == pytest.approx(loss(local, 1.0))
        assert local.loss < min(loss(local, 0.7), loss(local, 1.4))


def test_numeric_scores_are_shrunk_predictions_in_units_of_the_target():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = 50 + 10 * X[:, 0] + 10 * rng.normal(size=300)
    local = numeric_scores([LinearRegression()], X, y, 5)
    assert local.calibration == pytest.approx(1, abs=0.1)
    assert local.loss == pytest.approx(0.5, abs=0.1)
    z = (y - y.mean()) / y.std()
    slope = np.polyfit(local.out_of_fold[:, 0], z, 1)[0]
    assert slope == pytest.approx(1, abs=0.01)
    useless = numeric_scores([LinearRegression()], X, rng.normal(size=300), 5)
    assert np.abs(useless.scores(X)).max() < 0.5


def test_labels_that_a_client_lacks_score_zero():
    clients = {}
    for name, labels, seed in [("a", [0, 1], 0), ("b", [1, 3], 1), ("c", [2], 2)]:
        y = np.array(labels)[np.arange(30) % len(labels)]
        clients[name] = (draw(y, seed), np.array(["p", "q", "r", "s"])[y])
    fitted = federate(ScoreAligner(), clients)
    for name, lacking in (("a", [2, 3]), ("b", [0, 2]), ("c", [0, 1, 2, 3])):
        X, y = clients[name]
        Z = fitted[name].transform(X)
        assert (Z[:, lacking] == 0).all()
        np.testing.assert_allclose(Z.sum(axis=1), 0, atol=1e-12)
        if name != "c":
            labels = np.array(fitted[name].labels_)
            assert np.mean(labels[Z.argmax(axis=1)] == y) > 0.8
    assert fitted["c"].estimator_ is None
    assert list(fitted["a"].get_feature_names_out()) == [f"score={v}" for v in "pqrs"]


def test_passthrough_appends_the_union():
    y = np.arange(30) % 2
    clients = {"a": (draw(y, 0), y), "b": (draw(y, 1), y)}
    plain = federate(ScoreAligner(), clients)
    both = federate(ScoreAligner(passthrough=True), clients)
    X = clients["b"][0]
    Z = both["b"].set_output(transform="pandas").transform(X)
    assert list(Z.columns[:2]) == ["score=0", "score=1"]
    np.testing.assert_array_equal(Z.iloc[:, :2], plain["b"].transform(X))
    np.testing.assert_array_equal(Z[X.columns], X)
    assert (Z[[c for c in Z if c.startswith("s0")]] == 0).all(axis=None)
    sent = statistics_of(ScoreAligner(), clients)["a"]
    assert sent == {"is_numeric": False, "labels": [0, 1]}
    sent = statistics_of(ScoreAligner(passthrough=True), clients)["a"]
    assert sent["names"] == ["s0v0", "s0v1", "s0v2"]


def test_a_fitted_aligner_holds_no_rows():
    y = np.arange(30) % 2
    X = draw(y, 0)
    one = ScoreAligner()
    Z = one.fit_transform(X, y)
    assert one._local.out_of_fold.shape == (0, 2)
    assert np.abs(Z - one.transform(X)).max() > 1e-3
    order = np.random.default_rng(0).permutation(30)
    again = ScoreAligner().fit_transform(X.iloc[order, ::-1], y[order])
    np.testing.assert_array_equal(again, Z[order])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("numeric", [False, True])
def test_few_rows_are_scored_all_the_same(n, numeric):
    y = np.array([0, 1, 1, 2])[:n] + (0.5 if numeric else 0)
    Z = ScoreAligner().fit_transform(np.arange(n)[:, None] ** 2.0, y)
    assert np.isfinite(Z).all()
    assert len(Z) == n


def test_missing_values_are_the_models_business():
    y = np.arange(40) % 2
    X = draw(y, 0)
    X.iloc[::4, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        ScoreAligner().fit(X, y)
    trees = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    Z = ScoreAligner(trees, passthrough=True).fit(X, y).transform(X)
    assert np.isfinite(Z).all()


def test_bad_targets_and_models_are_named():
    y = np.arange(40) % 2
    X = draw(y, 0)
    with pytest.raises(ValueError, match="requires y"):
        ScoreAligner().fit(X)
    with pytest.raises(ClientError, match="'b' is numeric and that of client 'a'"):
        federate(ScoreAligner(), {"a": (X, y), "b": (X, y.astype(float))})
    with pytest.raises(ClientError, match="labels are of different types"):
        federate(ScoreAligner(), {"a": (X, y), "b": (X, y.astype(str))})
    with pytest.raises(ClientError, match="has no predict_proba.*CalibratedClass"):
        ScoreAligner(SVC()).fit(X, y)
    with pytest.raises(ValueError, match="has no fit"):
        ScoreAligner("logistic").fit(X, y)
    with pytest.raises(ValueError, match="cv == 1"):
        ScoreAligner(cv=1).fit(X, y)


def test_models_of_the_second_level_predict():
    clients, tests = {}, {}
    for seed, name in enumerate("ab"):
        y = np.arange(200) % 4
        X = draw(y, seed, noise=0.5)
        clients[name], tests[name] = (X[:80], y[:80]), (X[80:], y[80:])
    model = FederatedClassifier(
        personalizer=None, aligner=ScoreAligner(), random_state=0
    ).fit(clients)
    assert model.score(tests) > 0.9
    numeric = {k: (X, X.iloc[:, 0].to_numpy() * 5 + 2) for k, (X, _) in clients.items()}
    model = FederatedRegressor(
        personalizer=None, aligner=ScoreAligner(), random_state=0
    ).fit(numeric)
    assert model.score(numeric) > 0.9
