"""What leaves a client: never its rows, never a statistic about too few of them."""

import numpy as np
import pandas as pd
import pytest

from skfed import FederatedClassifier, FederatedRegressor, TableEncoder
from skfed.alignment import (
    AutoAligner,
    FactorAligner,
    SharedPrivateAligner,
    UnionAligner,
)
from tests.clients import make_clients

pytestmark = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")

ALIGNERS = [
    AutoAligner(),
    FactorAligner(output="both"),
    UnionAligner(indicator="both"),
    SharedPrivateAligner(),
]


def shapes(ledger):
    """Return the shapes of everything that went up, by client, task, name, place."""
    up = ledger[ledger["direction"] == "up"].copy()
    key = ["scope", "round", "client", "task", "name"]
    up["place"] = up.groupby(key).cumcount()
    return up.set_index([*key, "place"])["shape"]


@pytest.mark.parametrize("aligner", ALIGNERS, ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("scaling", ["client", "pooled", "balanced"])
def test_no_message_has_a_dimension_tied_to_a_clients_rows(task, aligner, scaling):
    estimator = FederatedClassifier if task == "classification" else FederatedRegressor
    extra = {} if task == "classification" else {"target_scaling": "pooled"}
    ledgers = []
    for n in ((101, 113, 127), (131, 137, 139)):
        model = estimator(
            encoder=TableEncoder(scaling=scaling),
            aligner=aligner,
            n_rounds=2,
            early_stopping=True,
            random_state=0,
            **extra,
        ).fit(make_clients(task, n=n))
        ledgers.append(model.ledger_)
        fit = {int(rows) for rows in model.history_["n_rows"]}
        dimensions = {size for shape in model.ledger_["shape"] for size in shape}
        assert not dimensions & ({*n} | fit)
    # with other numbers of rows, the messages have the very same shapes
    first, second = map(shapes, ledgers)
    common = first.index.intersection(second.index)
    assert len(common) > 0.9 * len(first)
    pd.testing.assert_series_equal(first[common], second[common])
    own = {"split", "hold_out", "own_models", "finish", "weigh"}
    own |= {"moments"} if task == "regression" else set()
    plain = {"describe", "align", "train", "evaluate"}
    plain |= {"restore"} if isinstance(aligner, SharedPrivateAligner) else set()
    assert set(ledgers[0]["task"]) == plain | own


def test_every_message_is_in_the_ledger():
    sent = []

    class Watched(FactorAligner):
        def client_statistics(self, X, y=None, shared=None):
            message = super().client_statistics(X, y, shared)
            sent.append(sum(np.asarray(v).size for v in message.values()))
            return message

    model = FederatedClassifier(
        aligner=Watched(), personalizer=None, n_rounds=3, random_state=0
    )
    ledger = model.fit(make_clients()).ledger_
    up = ledger[(ledger["direction"] == "up") & ledger["name"].str.startswith("s/")]
    factor = up[up["name"].isin([f"s/{k}" for k in ("scatters", "class_means")])]
    assert len(sent) == 3 and len(factor) == 6
    trained = ledger[(ledger["task"] == "train") & (ledger["direction"] == "up")]
    assert trained.groupby(["round", "client"]).ngroups == 9
    weights = trained[trained["name"].str.startswith("w/")]
    n_parameters = len(model.net_.module_.state_dict())
    assert (weights.groupby(["round", "client"]).size() == n_parameters).all()
    history = model.history_
    total = trained.groupby(["round", "client"])["bytes"].sum()
    assert history["bytes_up"].tolist() == total.tolist()


@pytest.mark.parametrize("small", [1, 3, 4])
def test_a_label_group_smaller_than_min_count_is_refused(small):
    """Nothing that depends on the small group's rows beyond its sum with others."""
    clients = make_clients(n=(80, 80, 80))
    X, _ = clients["a"]
    rows = np.arange(80)
    y = np.where(rows < small, 2, rows % 2)  # label 2 has few rows at client "a"
    clients["a"] = (X, y)
    encoder = TableEncoder(scaling="client", min_count=5)
    messages = {}

    class Watched(FactorAligner):
        def client_statistics(self, X, y=None, shared=None):
            message = super().client_statistics(X, y, shared)
            messages[len(messages)] = message
            return message

    aligner = Watched(min_count=5)
    FederatedClassifier(encoder, aligner, n_rounds=1, random_state=0).fit(clients)
    counts, known = messages[0]["class_counts"][0], messages[0]["class_known"][0]
    assert not known[2] and counts[2] == 0
    withheld = len(y) - counts[known].sum()
    assert withheld >= 5  # so that total minus the rest is no small group either
    # the messages do not change when rows trade places between withheld labels
    hidden = np.flatnonzero(~known)
    swapped = y.copy()
    mine = np.flatnonzero(np.isin(y, hidden))
    swapped[mine] = np.roll(y[mine], 1)
    before, messages = messages[0], {}
    clients["a"] = (X, swapped)
    FederatedClassifier(encoder, aligner, n_rounds=1, random_state=0).fit(clients)
    for key, value in messages[0].items():
        np.testing.assert_array_equal(value, before[key])


def test_rare_categories_do_not_leave():
    clients = make_clients()
    for name, (X, _) in clients.items():
        X["city"] = np.where(np.arange(len(X)) < 3, f"hamlet of {name}", "town")
    model = FederatedClassifier(n_rounds=1, random_state=0).fit(clients)
    assert "city=town" in model.aligned_names_
    assert not any("hamlet" in name for name in model.aligned_names_)


def test_a_target_mean_of_few_rows_does_not_leave():
    clients = make_clients("regression", n=(4, 60, 60))
    model = FederatedRegressor(target_scaling="pooled", n_rounds=1, random_state=0)
    ledger = model.fit(clients).ledger_
    said = ledger[ledger["name"] == "target_mean"].query("direction == 'up'")
    assert set(said["client"]) == {"b", "c"}
