"""What the estimators do beyond scikit-learn's contract."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from skfed import FedAvg, FederatedClassifier, FederatedRegressor, TableEncoder
from skfed.alignment import FactorAligner, SharedPrivateAligner, UnionAligner
from skfed.preprocessing import FederatedStandardScaler
from tests.clients import NAMES, make_clients, same_weights

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def test_early_stopping_keeps_the_best_rounds_weights():
    clients = make_clients(n=(60, 60, 60))
    params = {"early_stopping": True, "validation_fraction": 0.3, "random_state": 0}
    model = FederatedClassifier(
        personalizer=None, n_rounds=200, n_iter_no_change=3, **params
    ).fit(clients)
    assert model.best_round_ <= model.n_rounds_ < 200
    losses = model.history_.assign(
        total=model.history_["valid_loss"]
    ).groupby("round")["valid_loss"].mean()  # fmt: skip
    assert losses.idxmin() == model.best_round_
    short = FederatedClassifier(
        personalizer=None, n_rounds=model.best_round_, n_iter_no_change=999, **params
    ).fit(clients)
    assert same_weights(model, short)


def test_validation_rows_are_not_trained_on():
    clients = make_clients(n=(40, 50, 60))
    model = FederatedClassifier(
        personalizer=None,
        n_rounds=1,
        early_stopping=True,
        validation_fraction=0.2,
        random_state=0,
    ).fit(clients)
    assert model.history_.set_index("client")["n_rows"].to_dict() == {
        "a": 32,
        "b": 40,
        "c": 48,
    }


@pytest.mark.parametrize("early_stopping", [False, True])
def test_private_columns_stay_at_the_client(early_stopping):
    clients = make_clients()
    aligner = SharedPrivateAligner()
    model = FederatedClassifier(personalizer=None,
        aligner=aligner, n_rounds=6, early_stopping=early_stopping,
        validation_fraction=0.3, n_iter_no_change=2, random_state=0,
    ).fit(clients)  # fmt: skip
    private = model.pipelines_["a"]["align"].private_columns_
    q = len(private)
    ledger = model.ledger_
    inputs = ledger[ledger["name"].isin(["w/skip.weight", "w/mlp.0.weight"])]
    assert {shape[1] for shape in inputs["shape"]} == {q - private.sum()}
    assert not model.net_.module_.skip.weight[:, private].any()
    own = [model.pipelines_[n]["predict"].model.net.module_.skip.weight for n in NAMES]
    for weight in own:
        assert torch.equal(
            weight[:, ~private], model.net_.module_.skip.weight[:, ~private]
        )
        assert weight[:, private].any()
    assert not torch.equal(own[0][:, private], own[1][:, private])


def test_targets_on_other_levels_are_predicted_in_the_clients_own_unit():
    clients = make_clients("regression", n=(80, 80, 80))
    model = FederatedRegressor(personalizer=None, n_rounds=30, random_state=0).fit(
        clients
    )
    for name, predicted in model.predict({n: clients[n][0] for n in NAMES}).items():
        y = clients[name][1]
        assert abs(predicted.mean() - y.mean()) < y.std() / 2
    scores = {}
    for scaling in ("client", "pooled", None):
        model = FederatedRegressor(
            personalizer=None,
            target_scaling=scaling,
            n_rounds=30,
            random_state=0,
        ).fit(clients)
        scores[scaling] = model.score(clients)
    assert scores["client"] > 0.9 > scores[None]
    model = FederatedRegressor(personalizer=None, n_rounds=1, random_state=0)
    ledger = model.fit(clients).ledger_
    assert not ledger["name"].str.startswith("target_").any()


def test_classes_known_before_widen_the_output():
    clients = make_clients()
    model = FederatedClassifier(
        personalizer=None, classes=[0, 1, 2, 7], n_rounds=2, random_state=0
    )
    model.fit(clients)
    assert model.classes_.tolist() == [0, 1, 2, 7]
    assert model.predict_proba({"a": clients["a"][0]})["a"].shape == (40, 4)


def test_label_sets_may_differ():
    clients = make_clients(text_labels=True)
    X, y = clients["a"]
    clients["a"] = (X[y != "mid"], y[y != "mid"])
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0).fit(
        clients
    )
    assert model.classes_.tolist() == ["high", "low", "mid"]
    assert model.client_classes_["a"].tolist() == ["high", "low"]


@pytest.mark.parametrize("fraction, n", [(0.3, 1), (0.5, 2), (1.0, 3)])
def test_client_fraction(fraction, n):
    model = FederatedClassifier(
        personalizer=None, client_fraction=fraction, n_rounds=8, random_state=0
    ).fit(make_clients())
    counts = model.history_.groupby("round").size()
    assert (counts == n).all() and len(counts) == 8
    assert model.history_["client"].nunique() > min(n, 2) - 1


def test_ownership_speeds_up_columns_that_few_clients_have():
    clients = make_clients()
    for name, (X, _) in clients.items():
        if name != "b":
            clients[name] = (X.drop(columns="s"), clients[name][1])
    norms = {}
    for ownership in (True, False):
        model = FederatedClassifier(personalizer=None,
            aligner=UnionAligner(), strategy=FedAvg(ownership=ownership),
            n_rounds=1, random_state=0,
        ).fit(clients)  # fmt: skip
        column = model.aligned_names_.index("s")
        norms[ownership] = model.net_.module_.skip.weight[:, column].norm().item()
    share = 55 / (40 + 55 + 70)
    assert norms[False] == pytest.approx(share * norms[True], rel=1e-4)


def test_federated_steps_may_stand_anywhere_in_a_pipeline():
    clients = make_clients()
    aligner = make_pipeline(UnionAligner(), FederatedStandardScaler(), FactorAligner())
    model = FederatedClassifier(
        personalizer=None,
        encoder=make_pipeline(TableEncoder(scaling=None), FederatedStandardScaler()),
        aligner=aligner,
        n_rounds=2,
        random_state=0,
    ).fit(clients)
    pipeline = model.pipelines_["a"]
    assert [name for name, _ in pipeline.steps] == [
        "read",
        "encode",
        "align",
        "predict",
    ]
    assert list(pipeline["align"].named_steps) == list(aligner.named_steps)
    scaler = {n: p["encode"][-1].mean_ for n, p in model.pipelines_.items()}
    columns = {n: list(p["encode"][0].get_feature_names_out())
               for n, p in model.pipelines_.items()}  # fmt: skip
    for name in set(columns["a"]) & set(columns["b"]):  # one fit for all clients
        a, b = columns["a"].index(name), columns["b"].index(name)
        assert scaler["a"][a] == scaler["b"][b]


class WithBatchNorm(nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_inputs)
        self.layer = nn.Linear(n_inputs, n_outputs)

    def forward(self, X):
        return self.layer(self.norm(X))


def test_buffers_are_averaged_and_counters_stay_integers():
    net = NeuralNetClassifier(WithBatchNorm, criterion=nn.CrossEntropyLoss, lr=0.1)
    model = FederatedClassifier(
        personalizer=None, net=net, n_rounds=3, random_state=0
    ).fit(make_clients())
    norm = model.net_.module_.norm
    assert norm.num_batches_tracked.dtype == torch.int64
    assert norm.num_batches_tracked > 0 and norm.running_mean.any()


class OneLogit(nn.Module):
    def __init__(self, n_inputs):
        super().__init__()
        self.layer = nn.Linear(n_inputs, 1)

    def forward(self, X):
        return self.layer(X)


def test_binary_nets_with_one_output():
    clients = {n: (X, (y > 0).astype(int)) for n, (X, y) in make_clients().items()}
    net = NeuralNetBinaryClassifier(OneLogit, lr=0.1)
    model = FederatedClassifier(
        personalizer=None, net=net, n_rounds=10, random_state=0
    ).fit(clients)
    proba = model.predict_proba({"a": clients["a"][0]})["a"]
    assert proba.shape == (40, 2) and np.allclose(proba.sum(axis=1), 1)
    assert model.score(clients) > 0.6


class Softmax(WithBatchNorm):
    def forward(self, X):
        return torch.softmax(super().forward(X), dim=-1)


def test_softmax_modules_under_nll_loss_work_as_in_skorch():
    net = NeuralNetClassifier(Softmax, lr=0.1)
    model = FederatedClassifier(personalizer=None, net=net, n_rounds=10, random_state=0)
    model.fit(make_clients())
    assert model.score(make_clients()) > 0.5


def test_verbose_prints_rounds(capsys):
    clients = make_clients()
    FederatedClassifier(personalizer=None, n_rounds=20, verbose=1, random_state=0).fit(
        clients
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[FederatedClassifier] 3 clients,") and len(lines) == 11
    FederatedClassifier(personalizer=None, n_rounds=3, verbose=2, random_state=0).fit(
        clients
    )
    assert len(capsys.readouterr().out.splitlines()) == 4
    FederatedClassifier(personalizer=None, n_rounds=3, random_state=0).fit(clients)
    assert not capsys.readouterr().out


def test_history_and_attributes():
    clients = make_clients()
    model = FederatedClassifier(personalizer=None, n_rounds=3, random_state=0).fit(
        clients
    )
    assert list(model.history_) == [
        "round", "client", "n_rows", "loss", "valid_loss", "seconds", "bytes_down",
        "bytes_up",
    ]  # fmt: skip
    assert len(model.history_) == 9 and (model.history_["bytes_up"] > 0).all()
    assert model.n_rounds_ == model.best_round_ == 3
    assert model.columns_ == "named"
    assert model.client_features_["a"] == list(clients["a"][0].columns)
    assert not hasattr(model, "n_features_in_")
    X, y = clients["a"]
    model.fit(X, y)
    assert model.n_features_in_ == X.shape[1]
    assert model.feature_names_in_.tolist() == list(X.columns)
    model.fit(clients)
    assert not hasattr(model, "n_features_in_")
