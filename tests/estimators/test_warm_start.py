"""A fit that goes on from the one before."""

import numpy as np
import pytest
import torch

from skfed import FederatedClassifier, FederatedRegressor
from skfed.alignment import UnionAligner
from skfed.testing._data import make_clients

quiet = pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")


def settings(**given):
    plain = {"personalizer": None, "aligner": UnionAligner(), "random_state": 0}
    return {**plain, **given}


def input_weights(model):
    weight = model.net_.module_.mlp[0].weight.detach()
    return dict(zip(model.aligned_names_, weight.T, strict=True))


@pytest.mark.parametrize("estimator", [FederatedClassifier, FederatedRegressor])
def test_a_warm_fit_goes_on_where_the_first_ended(estimator):
    task = "classification" if estimator is FederatedClassifier else "regression"
    clients = make_clients("partly shared", task)
    model = estimator(warm_start=True, n_rounds=20, **settings()).fit(clients)
    first = model.history_.groupby("round")["loss"].mean()
    again = model.fit(clients).history_.groupby("round")["loss"].mean()
    assert again.iloc[0] < first.iloc[5]
    assert again.iloc[-1] < first.iloc[-1]
    cold = model.set_params(warm_start=False).fit(clients).history_
    np.testing.assert_array_equal(cold.groupby("round")["loss"].mean(), first)


@quiet
def test_weights_follow_the_names_of_columns_and_labels():
    clients = make_clients({"a": "qr", "b": "rs"})
    more = {**clients, **make_clients({"a": "pqr", "c": "prz"})}
    X, y = more["c"]
    more["c"] = (X, np.where(y == 1, 5, y - 1))  # labels -1 and 5
    # a step so small that the weights show where they came from
    model = FederatedClassifier(warm_start=True, n_rounds=30, **settings())
    model.fit(clients)
    before, head = input_weights(model), model.net_.module_.skip.bias.detach().clone()
    model.set_params(n_rounds=1, client_fraction=0.01, heads="shared").fit(more)
    after = input_weights(model)
    assert model.classes_.tolist() == [-1, 0, 1, 5]
    for name in before:
        near = torch.cosine_similarity(before[name], after[name], dim=0)
        assert near > 0.95, name
    new = model.net_.module_.skip.bias.detach()
    assert torch.linalg.norm(new[1:3] - head) < 0.3 * torch.linalg.norm(head) + 0.2


@quiet
def test_a_warm_fit_with_a_newcomer_beats_a_cold_one_of_few_rounds():
    clients = make_clients({"a": "pqr", "b": "rst", "c": "rpu"}, n_rows=120)
    more = {**clients, **make_clients({"d": "pqs"}, n_rows=120)}
    warm = FederatedClassifier(warm_start=True, n_rounds=60, **settings()).fit(clients)
    warm.set_params(n_rounds=2).fit(more)
    cold = FederatedClassifier(n_rounds=2, **settings()).fit(more)
    losses = [m.history_.query("round == 2")["loss"].mean() for m in (warm, cold)]
    assert losses[0] < losses[1]


def test_another_net_starts_anew_where_shapes_differ():
    from skorch import NeuralNetClassifier

    from skfed.nets import SkipMLP

    clients = make_clients("partly shared")
    model = FederatedClassifier(warm_start=True, n_rounds=3, **settings()).fit(clients)
    net = NeuralNetClassifier(
        SkipMLP,
        module__hidden=(7, 5),
        criterion=torch.nn.CrossEntropyLoss,
        lr=0.1,
        train_split=None,
    )
    assert np.isfinite(model.set_params(net=net).fit(clients).score(clients))
