"""Every bad input gets one clear exception that names client, column and remedy."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from skorch import NeuralNetClassifier
from torch import nn

from skfed import (
    ClientError,
    FederatedClassifier,
    FederatedRegressor,
    TooFewClientsError,
)
from skfed.alignment import IntersectionAligner, PCAAligner
from skfed.exceptions import (
    AlignmentWarning,
    ClientFailureWarning,
    NegativeControlWarning,
)
from skfed.nets._prototype import default_net
from tests.clients import make_clients

QUICK = {"n_rounds": 2, "random_state": 0}
quiet = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def numbers(n=30, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, d)), columns=[f"v{j}" for j in range(d)])


def two(**changed):
    y = np.arange(30) % 2
    return {"a": (numbers(), y), "b": (numbers(seed=1), y), **changed}


class Empty(nn.Module):
    def forward(self, X):
        return X[:, :2]


class Fails(TransformerMixin, BaseEstimator):
    """A local step that one client cannot do."""

    def __init__(self, n=30):
        self.n = n

    def fit(self, X, y=None):
        if len(X) != self.n:
            raise KeyError("no such thing")
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


Y = np.arange(30) % 2

FIT_ERRORS = {
    "no shared width": (
        {"aligner": "passthrough"},
        two(b=(numbers(d=4), Y)),
        "no shared width: client 'a' has 3 columns .* client 'b' has 4; use an ",
    ),
    "same width, other columns": (
        {"aligner": "passthrough"},
        two(b=(numbers().rename(columns={"v1": "w"}), Y)),
        "column 1 after alignment is 'v1' at client 'a' and 'w' at client 'b'",
    ),
    "no column in common": (
        {"aligner": IntersectionAligner()},
        two(b=(numbers().add_prefix("w"), Y)),
        "'b'",
    ),
    "a client with no rows": (
        {},
        two(b=(numbers(0), Y[:0])),
        "client 'b' has no rows; leave it out",
    ),
    "one class": (
        {},
        two(a=(numbers(), Y * 0), b=(numbers(), Y * 0)),
        "one class only",
    ),
    "no numeric column": (
        {"encoder": "passthrough"},
        two(b=(numbers().assign(v1="text"), Y)),
        "'v1'|numeric|convert",
    ),
    "only text that cannot be encoded": (
        {},
        two(b=(pd.DataFrame({"id": [f"row {i}" for i in range(30)]}), Y)),
        "client 'b'.*'id'",
    ),
    "mixed labels between clients": (
        {},
        two(b=(numbers(), np.where(Y, "yes", "no"))),
        "labels of client 'a' are numbers and those of client 'b' are text",
    ),
    "mixed labels at one client": (
        {},
        two(b=(numbers(), np.array([1, "x"] * 15, dtype=object))),
        "client 'b'",
    ),
    "labels outside classes=": (
        {"classes": [0]},
        two(),
        r"client 'a' has labels \[1\] that are not in classes=\[0\]",
    ),
    "NaN where the Pipeline cannot take it": (
        {"encoder": "passthrough", "aligner": Fails()},
        two(b=(numbers().mask(numbers() > 1), Y)),
        "client 'b' has NaN or infinity in column 'v0' .*impute in `encoder`",
    ),
    "infinite values": (
        {},
        two(b=(numbers().replace(numbers().iloc[0, 1], np.inf), Y)),
        "client 'b'.*column 'v1' contains infinity",
    ),
    "NaN in the target": (
        {},
        two(b=(numbers(), np.where(Y, 1.0, np.nan))),
        "target of client 'b' contains NaN or None in 15 rows; drop them",
    ),
    "lengths differ": (
        {},
        two(b=(numbers(), Y[:7])),
        "client 'b' has 30 rows but 7 targets",
    ),
    "doubled column": (
        {},
        two(b=(numbers().set_axis(["v0", "v0", "v2"], axis=1), Y)),
        "client 'b'.*column 'v0' occurs twice",
    ),
    "numeric here, text there": (
        {},
        two(b=(numbers().assign(v1=np.where(Y, "x", "z")), Y)),
        "'v1'.*'a'.*'b'",
    ),
    "a net without parameters": (
        {"net": NeuralNetClassifier(Empty)},
        two(),
        "no parameters to average",
    ),
    "more clients needed than there are": (
        {"min_clients": 3},
        two(),
        "min_clients=3 but there are 2 clients",
    ),
    "an aligner that is none": ({"aligner": 3}, two(), "aligner=3 is no transformer"),
}  # fmt: skip


@quiet
@pytest.mark.parametrize("case", FIT_ERRORS)
def test_fit_names_client_column_and_remedy(case):
    params, clients, text = FIT_ERRORS[case]
    with pytest.raises(ValueError, match=text):
        FederatedClassifier(**QUICK, **params).fit(clients)


@pytest.mark.parametrize(
    "key, text",
    [
        ("modul__hidden", "'net__modul__hidden'.*did you mean 'module'"),
        ("module__hiden", "'net__module__hiden'.*did you mean 'hidden'"),
    ],
)
def test_a_parameter_that_does_not_exist_fails_before_any_client_works(key, text):
    class Untouched(Fails):
        def fit(self, X, y=None):
            raise AssertionError("a client has worked")

    net = default_net("classification").set_params(**{key: 3})
    model = FederatedClassifier(encoder=Untouched(), net=net, **QUICK)
    with pytest.raises(ValueError, match=text):
        model.fit(two())
    with pytest.raises(ValueError, match="Invalid parameter 'n_round'"):
        model.set_params(n_round=3)


@pytest.mark.parametrize(
    "params",
    [
        {"n_rounds": 0},
        {"client_fraction": 0.0},
        {"columns": "names"},
        {"strategy": "fedavg"},
        {"validation_fraction": 1.0},
    ],
)
def test_parameters_out_of_range(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        FederatedClassifier(**{**QUICK, **params}).fit(two())


@quiet
def test_prediction_names_what_is_unknown():
    model = FederatedClassifier(**QUICK).fit(two())
    X = numbers(4)
    with pytest.raises(ClientError, match="unknown client 'z'.*fitted clients are"):
        model.predict({"z": X})
    with pytest.raises(ClientError, match="client 'a' has unknown columns.*'extra'"):
        model.predict({"a": X.assign(extra=1.0)})
    with pytest.raises(ClientError, match="client 'a' lacks the columns.*'v1'"):
        model.predict({"a": X.drop(columns="v1")})
    with pytest.raises(ClientError, match="client 'a' gave a table without column"):
        model.predict({"a": X.to_numpy()})
    with pytest.raises(ClientError, match="fitted on 2 clients"):
        model.predict(X)
    with pytest.raises(ClientError, match="give a dict"):
        model.predict([X, X])
    with pytest.raises(ClientError, match="score needs the targets"):
        model.score({"a": X})


def test_no_target():
    with pytest.raises(ClientError, match="requires y to be passed.*pairs"):
        FederatedClassifier().fit({"a": numbers(), "b": numbers()})


def test_unnamed_columns_of_different_number_are_said_to_be_each_clients_own():
    clients = [(np.random.default_rng(k).normal(size=(20, 2 + k)), np.arange(20) % 2)
               for k in range(2)]  # fmt: skip
    with pytest.warns(AlignmentWarning, match="each client's own.*columns='position'"):
        model = FederatedClassifier(**QUICK).fit(clients)
    assert model.columns_ == "own"
    assert model.aligned_names_ == ["0.x0", "0.x1", "1.x0", "1.x1", "1.x2"]
    model = FederatedClassifier(columns="position", **QUICK).fit(clients)
    assert model.columns_ == "position"
    assert model.aligned_names_ == ["x0", "x1", "x2"]
    model = FederatedClassifier(columns="own", **QUICK).fit(clients)
    assert model.columns_ == "own"
    same = [(X[:, :2], y) for X, y in clients]
    assert FederatedClassifier(**QUICK).fit(same).columns_ == "position"


def test_an_empty_column_is_left_out_by_name():
    clients = two(b=(numbers().assign(v1=np.nan), Y))
    with pytest.warns(AlignmentWarning, match="client 'b': columns.*'v1'.*no value"):
        FederatedClassifier(**QUICK).fit(clients)


def test_a_negative_control_warns_unless_alone():
    clients = two()
    with pytest.warns(NegativeControlWarning, match="comparisons only"):
        FederatedClassifier(aligner=PCAAligner(), **QUICK).fit(clients)
    FederatedClassifier(aligner=PCAAligner(), **QUICK).fit(*clients["a"])


@quiet
def test_the_fit_goes_on_without_a_failed_client_if_enough_remain():
    y = np.arange(20) % 2
    clients = two(c=(numbers(20), y))
    model = FederatedClassifier(encoder=Fails(), min_clients=2, **QUICK)
    with pytest.warns(ClientFailureWarning, match="client 'c' failed in 'align'.*KeyE"):
        model.fit(clients)
    assert model.client_names_ == ["a", "b"] and list(model.pipelines_) == ["a", "b"]
    with pytest.raises(ClientError, match="unknown client 'c'"):
        model.predict({"c": numbers(3)})
    with pytest.raises(TooFewClientsError, match="(?s)client 'c' failed.*Traceback"):
        model.set_params(min_clients=None).fit(clients)


class Explodes(nn.Module):
    """Overflows at a client whose rows are large."""

    def __init__(self, n_inputs=1, n_outputs=2):
        super().__init__()
        self.layer = nn.Linear(n_inputs, n_outputs)

    def forward(self, X):
        return self.layer(X) * (torch.inf if X.abs().max() > 50 else 1)


def test_weights_that_are_not_finite_are_left_out_or_end_the_fit_by_name():
    clients = two(c=(numbers() * 100, Y))
    net = NeuralNetClassifier(Explodes, criterion=nn.CrossEntropyLoss, lr=0.1)
    model = FederatedClassifier(encoder="passthrough", net=net, **QUICK)
    with pytest.raises(ClientError, match="client 'c' sent weights.*not finite"):
        model.fit(clients)
    with pytest.warns(ClientFailureWarning, match=r"round \d leaves out \['c'\]"):
        model.set_params(min_clients=2).fit(clients)
    assert torch.isfinite(model.net_.module_.layer.weight).all()


@quiet
def test_regression_targets():
    X = numbers()
    with pytest.raises(ClientError, match="target of client 'b' is not numeric"):
        FederatedRegressor(**QUICK).fit(two(b=(X, np.where(Y, "x", "z"))))
    with pytest.raises(ClientError, match="target of client 'b' contains infinity"):
        FederatedRegressor(**QUICK).fit(two(b=(X, np.where(Y, 1.0, np.inf))))
    with pytest.raises(ClientError, match="client 'b' has 2 targets a row and client"):
        FederatedRegressor(**QUICK).fit(two(b=(X, np.ones((30, 2)))))
    constant = FederatedRegressor(**QUICK).fit(two(b=(X, np.full(30, 7.0))))
    assert np.isfinite(constant.predict({"b": X})["b"]).all()


@quiet
def test_local_steps_of_unequal_width_are_told_apart():
    clients = make_clients()
    model = FederatedClassifier(aligner=PCA(0.9), **QUICK)
    with (
        pytest.warns(NegativeControlWarning, match="PCA is fitted at each client"),
        pytest.raises(ClientError, match="no shared width"),
    ):
        model.fit(clients)
