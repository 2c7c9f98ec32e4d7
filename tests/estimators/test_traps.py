"""Traps of a federated fit, each of which gave a wrong answer without a word."""

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skfed import (
    ClientError,
    ClientKFold,
    FedAvg,
    FederatedClassifier,
    FederatedRegressor,
    InProcessFederation,
    pool,
)
from skfed.alignment import FactorAligner, SharedPrivateAligner, UnionAligner
from skfed.exceptions import AlignmentWarning, ClientFailureWarning
from skfed.metrics import ClientScorer
from skfed.preprocessing import FederatedStandardScaler
from skfed.training._early_stopping import Best
from tests.clients import make_clients, same_weights

quiet = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


class WithDropout(nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Dropout(0.3), nn.Linear(n_inputs, n_outputs))

    def forward(self, X):
        return self.net(X)


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_federations_inside_workers_and_threads_give_the_same_bits(backend):
    X, y = pool(make_clients())
    net = NeuralNetClassifier(WithDropout, criterion=nn.CrossEntropyLoss, lr=0.1)
    model = FederatedClassifier(
        personalizer=None,
        net=net,
        federation=InProcessFederation(n_jobs=2),
        n_rounds=4,
        random_state=0,
    )
    settings = {"cv": ClientKFold(3, random_state=0), "return_estimator": True}
    alone = cross_validate(model, X, y, error_score="raise", **settings)
    with parallel_config(backend=backend):
        nested = cross_validate(model, X, y, n_jobs=2, error_score="raise", **settings)
    for first, second in zip(alone["estimator"], nested["estimator"], strict=True):
        assert same_weights(first, second)


def test_integer_columns_of_a_slice_keep_their_meaning():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(80, 4)))
    y = (wide[1] > 0).astype(int).to_numpy()
    clients = {"a": (wide[[0, 1]], y), "b": (wide[[1, 2]], y)}
    model = FederatedClassifier(personalizer=None, n_rounds=20, random_state=0).fit(
        clients
    )
    assert model.aligned_names_ == ["x0", "x1", "x2"]
    assert model.client_features_ == {"a": ["x0", "x1"], "b": ["x1", "x2"]}
    assert model.score(clients) > 0.9
    whole = FederatedClassifier(personalizer=None, n_rounds=20, random_state=0).fit(
        {"a": (wide, y)}
    )
    turned = wide[[3, 2, 1, 0]]
    np.testing.assert_array_equal(
        whole.predict({"a": turned})["a"], whole.predict({"a": wide})["a"]
    )
    with pytest.raises(ValueError, match="have to come in that order"):
        whole.pipelines_["a"].predict(turned)


def heavy_clients():
    rng = np.random.default_rng(0)
    clients = {}
    for name in "ab":
        X = pd.DataFrame(rng.normal(size=(320, 4)), columns=list("uvwx"))
        X.iloc[0] *= 1000
        clients[name] = (X, X["u"].clip(-3, 3).to_numpy() + rng.normal(size=320))
    return clients


@pytest.mark.parametrize("aligner", [UnionAligner(), SharedPrivateAligner()], ids=repr)
def test_a_heavy_row_halves_the_default_step_until_it_holds(aligner):
    clients = heavy_clients()
    model = FederatedRegressor(
        personalizer=None,
        encoder=StandardScaler(),
        aligner=aligner,
        n_rounds=30,
        random_state=0,
    ).fit(clients)
    losses = model.history_.groupby("round")["loss"].mean()
    assert losses.iloc[-1] < 2 and np.isfinite(losses).all()
    assert len(losses) == model.n_rounds_ == 30
    assert model.score(clients) > -0.5


def test_a_diverged_training_says_so():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    net = NeuralNetRegressor(WithDropout, lr=1.2, batch_size=-1)
    with pytest.warns(ConvergenceWarning, match="loss rose from .* lower net__lr"):
        FederatedRegressor(personalizer=None, net=net, n_rounds=60, random_state=0).fit(
            X, y
        )


def test_local_steps_see_their_training_rows_as_in_a_pipeline():
    rng = np.random.default_rng(0)
    n = 300
    X = pd.DataFrame(
        {"id": rng.integers(150, size=n).astype(str), "u": rng.normal(size=n)}
    )
    y = X["u"].to_numpy() + rng.normal(size=n)

    def encoder(number):
        return make_column_transformer(
            (TargetEncoder(cv=KFold(5, shuffle=True, random_state=0)), ["id"]),
            (number, ["u"]),
            verbose_feature_names_out=False,
        )

    expected = make_pipeline(encoder(StandardScaler()), Ridge()).fit(X[:200], y[:200])
    for number in (StandardScaler(), FederatedStandardScaler()):  # local, composite
        model = FederatedRegressor(
            personalizer=None,
            encoder=make_pipeline(encoder(number), StandardScaler()),
            n_rounds=50,
            random_state=0,
        ).fit(X[:200], y[:200])
        held_out = model.score(X[200:], y[200:])
        assert held_out > expected.score(X[200:], y[200:]) - 0.1


class Flat(WithDropout):
    def forward(self, X):
        return super().forward(X).squeeze(-1)


def test_outputs_without_a_column_are_refused():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20.0)
    with pytest.raises(ValueError, match=r"returns shape \(2,\).*here \(2, 1\)"):
        FederatedRegressor(personalizer=None, net=NeuralNetRegressor(Flat)).fit(X, y)


@quiet
def test_binary_nets_want_two_classes_and_keep_their_threshold():
    clients = make_clients()
    net = NeuralNetBinaryClassifier(Flat, lr=0.1)
    with pytest.raises(ClientError, match=r"3 classes, \[0, 1, 2\]; use skorch's"):
        FederatedClassifier(personalizer=None, net=net).fit(clients)
    two = {name: (X, (y > 0).astype(int)) for name, (X, y) in clients.items()}
    shares = []
    for threshold in (0.01, 0.99):
        model = FederatedClassifier(
            personalizer=None,
            net=net.set_params(threshold=threshold),
            n_rounds=3,
            random_state=0,
        ).fit(two)
        shares.append(model.predict({"a": two["a"][0]})["a"].mean())
    assert shares[0] == 1.0 > shares[1]


class Plan:
    n_iter_no_change, tol = 5, 0.0


def test_early_stopping_compares_the_same_clients():
    best = Best(Plan)
    both = {"a": {"loss": 10.0, "n": 2}, "b": {"loss": 2.0, "n": 2}}
    best.update(1, both, {}, [])
    best.update(2, {"b": both["b"]}, {}, [])  # the hard client is missing
    assert best.round == 1
    never = Best(Plan)
    never.update(1, {"a": {"loss": np.nan, "n": 2}}, {}, [])
    with pytest.raises(ClientError, match="never finite.*lower net__lr"):
        never.kept()


@pytest.mark.parametrize("unit", [1e-100, 1e-13, 1.0, 1e13])
def test_targets_in_any_unit(unit):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = X[:, 0] * unit
    model = FederatedRegressor(personalizer=None, n_rounds=30, random_state=0).fit(X, y)
    assert np.corrcoef(model.predict(X) / unit, X[:, 0])[0, 1] > 0.95
    assert np.std(model.predict(X)) < 2 * np.std(y)


@quiet
def test_the_default_falls_back_where_nothing_may_leave():
    clients = {
        name: (
            pd.DataFrame(np.arange(30)[:, None] < [[3, 2]], columns=[name, "both"]),
            np.arange(30) % 2,
        )
        for name in "uv"
    }
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0).fit(
        clients
    )
    aligner = model.pipelines_["u"]["align"]
    assert aligner.choice_ == "union" and "no client may send" in aligner.reason_


def numeric_clients():
    return {n: (X[["s", "t"]].fillna(0.0), y) for n, (X, y) in make_clients().items()}


class FailsIn(TransformerMixin, BaseEstimator):
    """Fails with an exception that cannot be rebuilt from a pickle."""

    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(f"{a} {b}")

    def fit(self, X, y=None):
        if len(X) == 40:
            raise self.Odd("odd", "error")
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_workers_keep_warnings_and_survive_odd_exceptions(n_jobs):
    federation = InProcessFederation(n_jobs=n_jobs)
    clients = make_clients()
    X, y = clients["b"]
    clients["b"] = (X.assign(empty=np.nan), y)
    params = {"federation": federation, "n_rounds": 1, "random_state": 0}
    with pytest.warns(AlignmentWarning, match=r"client 'b': columns \['empty'\]"):
        FederatedClassifier(personalizer=None, **params).fit(clients)
    encoder = make_pipeline("passthrough", FailsIn())
    clients = numeric_clients()
    with pytest.warns(ClientFailureWarning, match="client 'a' failed.*odd error"):
        model = FederatedClassifier(encoder, min_clients=2, **params).fit(clients)
    assert model.client_names_ == ["b", "c"]


@quiet
def test_a_failed_fit_leaves_nothing_fitted():
    clients = make_clients()
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0).fit(
        clients
    )
    bad = {**clients, "b": (clients["b"][0].assign(s="text"), clients["b"][1])}
    with pytest.raises(ClientError, match="'s'"):
        model.fit(bad)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    with pytest.raises(NotFittedError):
        model.predict({"a": clients["a"][0]})


class Momentum(FedAvg):
    def _aggregate(self, weights, updates, server):
        new = super()._aggregate(weights, updates, server)
        self.seen_ = getattr(self, "seen_", 0) + 1
        return {name: value * (1 + 0.01 * self.seen_) for name, value in new.items()}


@quiet
def test_a_strategy_with_memory_forgets_between_fits():
    model = FederatedClassifier(
        personalizer=None, strategy=Momentum(), n_rounds=3, random_state=0
    )
    first = model.fit(make_clients()).net_.module_.skip.weight.clone()
    assert torch.equal(first, model.fit(make_clients()).net_.module_.skip.weight)
    assert not hasattr(model.strategy, "seen_")


def test_failures_are_in_the_ledger():
    clients = numeric_clients()
    model = FederatedClassifier(FailsIn(), min_clients=2, n_rounds=1, random_state=0)
    with pytest.warns(ClientFailureWarning):
        model.fit(clients)
    failure = model.ledger_.query("name == 'failure'")
    assert failure["client"].tolist() == ["a"] and failure["bytes"].item() > 20


@quiet
def test_a_client_with_few_rows_is_named_and_says_little():
    clients = make_clients()
    X, y = clients["a"]
    clients["a"] = (X.head(3), y[:3])
    model = FederatedClassifier(
        personalizer=None,
        early_stopping=True,
        validation_fraction=0.3,
        n_rounds=2,
        random_state=0,
    )
    with pytest.warns(AlignmentWarning, match=r"min_count=5 training rows.*'a': 3"):
        model.fit(clients)
    assert model.history_.set_index("client").loc["a", "n_rows"].tolist() == [3, 3]
    assert np.isnan(model.history_.set_index("client").loc["a", "valid_loss"]).all()


@quiet
def test_scikit_learns_own_encoders_work():
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        remainder=StandardScaler(),
        verbose_feature_names_out=False,
    )
    clients = {n: (X.fillna(0.0), y) for n, (X, y) in make_clients().items()}
    model = FederatedClassifier(encoder, n_rounds=2, random_state=0).fit(clients)
    assert "kind_tall" in model.aligned_names_


class Float(WithDropout):
    def forward(self, X):
        return super().forward(X.float())


def test_a_module_bound_to_its_type_predicts():
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    net = NeuralNetClassifier(Float, criterion=nn.CrossEntropyLoss, lr=0.1)
    model = FederatedClassifier(
        personalizer=None, net=net, n_rounds=2, random_state=0
    ).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_summed_criterion_reports_the_loss_per_row():
    X, y = np.random.default_rng(0).normal(size=(64, 2)), np.arange(64) % 2
    losses = []
    for reduction in ("mean", "sum"):
        net = NeuralNetClassifier(
            WithDropout, criterion=nn.CrossEntropyLoss, lr=1e-9,
            criterion__reduction=reduction,
        )  # fmt: skip
        model = FederatedClassifier(
            personalizer=None, net=net, n_rounds=1, early_stopping=True, random_state=0
        ).fit(X, y)
        losses.append(model.history_[["loss", "valid_loss"]].to_numpy())
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_scores_per_client_of_one_array():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y, groups = (X[:, 0] > 0).astype(int), np.array(["a", "b", "c"] * 20)
    model = FederatedClassifier(personalizer=None, n_rounds=10, random_state=0).fit(
        X, y, clients=groups
    )
    scores = ClientScorer("accuracy").per_client(model, X, y, groups=groups)
    assert list(scores.index) == ["a", "b", "c"]
    assert scores.mean() == pytest.approx(model.score(X, y, clients=groups))


def test_client_names_that_read_the_same():
    rng = np.random.default_rng(0)
    clients = {
        1: (rng.normal(size=(20, 2)), np.arange(20) % 2),
        "1": (rng.normal(size=(20, 3)), np.arange(20) % 2),
    }
    with pytest.raises(ClientError, match="names that read the same; rename"):
        FederatedClassifier(personalizer=None, n_rounds=1).fit(clients)


@pytest.mark.parametrize(
    "y", [np.array(["1", "2"] * 10), pd.date_range("2020", periods=20).to_numpy()]
)
def test_targets_that_are_no_numbers(y):
    X = np.random.default_rng(0).normal(size=(20, 2))
    clients = {"a": (X, np.arange(20.0)), "b": (X, y)}
    with pytest.raises(ClientError, match="client 'b' is not numeric"):
        FederatedRegressor(personalizer=None).fit(clients)


def spread_clients(n_clients=40):
    rng = np.random.default_rng(0)
    return {
        f"c{k}": (pd.DataFrame({"x": rng.normal(size=20), "e": np.nan}), Y20)
        for k in range(n_clients)
    }


Y20 = np.arange(20) % 2


def test_warnings_of_many_clients_are_one_at_the_users_line():
    with pytest.warns(AlignmentWarning) as caught:
        model = FederatedClassifier(personalizer=None, n_rounds=1, random_state=0).fit(
            spread_clients()
        )
    assert len(caught) == 1
    assert str(caught[0].message).startswith(
        "clients 'c0', 'c1', 'c10', 'c11', 'c12' and 35 more: columns ['e'] have no"
    )
    assert caught[0].filename == __file__
    assert model.notices_ == [str(caught[0].message)]


def test_an_error_is_not_hidden_by_warnings_made_errors():
    clients = spread_clients(3)
    clients["c1"] = (clients["c1"][0].assign(x="text"), Y20)
    with pytest.raises(ClientError, match="'x'"):
        FederatedClassifier(personalizer=None, n_rounds=1).fit(clients)


@quiet
def test_equal_failures_are_one_line():
    model = FederatedClassifier(
        personalizer=None, aligner=FactorAligner(output="factors"), n_rounds=1
    )
    with pytest.raises(ClientError, match="output must be one of") as error:
        model.fit(spread_clients())
    assert str(error.value).count("failed in task") == 1
    assert "and 35 more" in str(error.value)


@pytest.mark.parametrize("name", ["encoder", "aligner", "net", "strategy"])
def test_parameters_nested_in_a_default_say_what_to_give(name):
    with pytest.raises(ValueError, match=f"cannot be set while {name} is .* first"):
        FederatedClassifier(personalizer=None).set_params(**{f"{name}__x": 1})


def test_a_constant_target_is_predicted_exactly():
    rng = np.random.default_rng(0)
    clients = {"a": (rng.normal(size=(30, 2)), np.full(30, 7.0))}
    clients["b"] = (rng.normal(size=(30, 2)), rng.normal(size=30))
    model = FederatedRegressor(personalizer=None, n_rounds=3, random_state=0).fit(
        clients
    )
    assert (model.predict({"a": clients["a"][0]})["a"] == 7.0).all()


@quiet
def test_labels_of_nobody_else_are_named():
    X = np.random.default_rng(0).normal(size=(20, 2))
    clients = {"a": (X, ["f", "m"] * 10), "b": (X, ["f", "m"] * 10)}
    clients["c"] = (X, ["Female", "Male"] * 10)
    with pytest.warns(
        AlignmentWarning, match="client 'c': its labels.*no other client"
    ):
        FederatedClassifier(personalizer=None, n_rounds=1, random_state=0).fit(clients)


def test_frames_beside_arrays_are_named():
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(20, 2)), columns=["u", "v"]
    )
    clients = {"a": (frame, Y20), "b": (frame.to_numpy(), Y20)}
    with pytest.warns(AlignmentWarning, match=r"\['b'\] have no column names"):
        FederatedClassifier(personalizer=None, n_rounds=1, random_state=0).fit(clients)


class Normed(nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.net = nn.Sequential(
            nn.BatchNorm1d(n_inputs), nn.Linear(n_inputs, n_outputs)
        )

    def forward(self, X):
        return self.net(X)


def test_batch_normalisation_gets_no_batch_of_one_row():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(97, 2)), np.arange(97) % 2
    net = NeuralNetClassifier(Normed, criterion=nn.CrossEntropyLoss, batch_size=32)
    model = FederatedClassifier(
        personalizer=None, net=net, n_rounds=2, random_state=0
    ).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


@quiet
def test_errors_at_prediction_name_the_client():
    clients = make_clients()
    model = FederatedClassifier(personalizer=None, n_rounds=1, random_state=0).fit(
        clients
    )
    X = clients["b"][0]
    with pytest.raises(ClientError, match="client 'b': column 's' contains infinity"):
        model.predict({"b": X.assign(s=np.inf)})
