import numpy as np
import pandas as pd
import pytest

from skfed.preprocessing import FederatedStandardScaler
from skfed.testing._data import SCHEMAS, make_clients, shuffled, with_gaps
from skfed.testing._generators import generator_states
from skfed.testing._three_acts import fit_together, send, size_of


@pytest.mark.parametrize("schema", SCHEMAS)
def test_clients_have_the_columns_of_their_schema(schema):
    clients = make_clients(schema)
    assert {name: "".join(X) for name, (X, _) in clients.items()} == SCHEMAS[schema]
    for X, y in clients.values():
        assert len(X) == len(y)
        assert np.bincount(y).min() >= 20
    again = make_clients(schema)
    assert all(X.equals(again[name][0]) for name, (X, _) in clients.items())


def test_schemas_are_what_they_are_called():
    same, partly, disjoint, one = (
        [set(columns) for columns in SCHEMAS[name].values()]
        for name in ("same columns", "partly shared", "disjoint", "one client")
    )
    assert all(columns == same[0] for columns in same)
    assert set.intersection(*partly)
    assert len(set(map(frozenset, partly))) == len(partly)
    assert sum(map(len, disjoint)) == len(set.union(*disjoint))
    assert len(one) == 1


def test_options_of_the_tables():
    X, y = make_clients("one client", None, whole_numbers=True, text=True)["a"]
    assert y is None
    assert set(np.unique(X[["p", "r", "s"]])) == {0.0, 1.0, 2.0, 3.0}
    assert set(X["colour"]) == {"red", "green", "blue"}
    assert make_clients("one client", "regression")["a"][1].dtype == np.float64


def test_shuffled_keeps_rows_and_labels_together():
    clients = make_clients("same columns")
    moved, orders = shuffled(clients)
    for name, (X, y) in clients.items():
        pd.testing.assert_frame_equal(moved[name][0].sort_index(), X)
        np.testing.assert_array_equal(moved[name][1], y[orders[name]])
        assert not (orders[name] == np.arange(len(X))).all()


def test_gaps_are_made_in_copies():
    clients = make_clients("same columns")
    holed = with_gaps(clients)
    for name, (X, _) in clients.items():
        assert not X.isna().any(axis=None)
        assert holed[name][0].iloc[:, 0].isna().sum() == -(-len(X) // 5)


def test_three_acts_give_the_pooled_mean_in_either_order():
    clients = make_clients("same columns")
    sent = []
    fitted = fit_together(FederatedStandardScaler("pooled"), clients, upward=sent)
    pooled = pd.concat([X for X, _ in clients.values()]).mean()
    np.testing.assert_allclose(fitted["b"].mean_, pooled)
    assert [name for name, _ in sent] == list(clients)
    step = FederatedStandardScaler("pooled")
    other = fit_together(step, clients, backwards=True, pickled=True)
    np.testing.assert_allclose(other["b"].mean_, pooled)
    assert not hasattr(step, "mean_")


def test_messages_are_checked_and_copied():
    message = {"sums": np.ones(3), "names": ["a"]}
    received = send(message, "client 'a'")
    np.testing.assert_array_equal(received["sums"], message["sums"])
    assert received["sums"] is not message["sums"]
    with pytest.raises(TypeError, match="client 'a' sent 'table' as DataFrame"):
        send({"table": pd.DataFrame()}, "client 'a'")


def test_sizes_of_entries():
    assert size_of(np.ones((2, 3))) == (2, 3)
    assert size_of("abc") == size_of(b"abc") == 3
    assert size_of(["ab", "c"]) == [2, 1]
    assert size_of([1, 2]) == [(), ()]
    assert size_of(7) == ()


def test_generator_states_notice_every_generator():
    import random

    import torch

    before = generator_states()
    assert generator_states() == before
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    for draw in (random.random, np.random.random, lambda: torch.rand(1)):  # noqa: NPY002
        last = generator_states()
        draw()
        assert generator_states() != last
    random.setstate(kept[0])
    np.random.set_state(kept[1])  # noqa: NPY002
    torch.set_rng_state(kept[2])
    assert generator_states() == before
