import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.model_selection import KFold
from sklearn.utils import _safe_indexing, indexable, shuffle
from sklearn.utils.validation import _num_samples

from skfed import ClientData, ClientError, pool


def tables(sizes=(3, 5, 4)):
    return {
        "a": np.arange(sizes[0] * 2.0).reshape(-1, 2),
        "b": pd.DataFrame({"u": np.arange(sizes[1]), "v": list("xyzuvw")[: sizes[1]]}),
        "c": pl.DataFrame({"w": np.arange(float(sizes[2]))}),
    }


def pairs(X):
    return list(zip(X.client.tolist(), X.row.tolist(), strict=True))


def test_interleaving_keeps_each_clients_order_and_shares():
    X = ClientData({k: np.zeros((n, 1)) for k, n in enumerate([60, 70, 80, 90])})
    for k in range(4):
        assert X.row[X.code == k].tolist() == sorted(X.row[X.code == k])
    for _, test in KFold(5).split(X):
        counts = np.bincount(X.code[test], minlength=4)
        assert np.all(np.abs(counts - np.array([60, 70, 80, 90]) / 5) <= 1)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.randoms())
def test_indexing_agrees_with_a_list_of_rows(sizes, random):
    X = ClientData([np.zeros((n, 2)) for n in sizes])
    rows = pairs(X)
    key = [random.randrange(len(rows)) for _ in range(random.randrange(7))]
    assert pairs(X[np.array(key, dtype=int)]) == [rows[i] for i in key]
    mask = np.array([random.random() < 0.5 for _ in rows])
    assert pairs(X[mask]) == [r for r, m in zip(rows, mask, strict=True) if m]
    assert pairs(X[1:4]) == rows[1:4]
    assert pairs(X[::-1]) == rows[::-1]
    assert pairs(X[-1]) == rows[-1:]
    assert pairs(X[key, ...]) == [rows[i] for i in key]


def test_items_come_in_table_order_also_when_reversed():
    X = ClientData(tables())
    for view in (X, X[::-1]):
        assert [name for name, _, _ in view.items()] == ["a", "b", "c"]
    for name, where, table in X[::-1].items():
        assert type(table) is type(X.tables[name])
        assert (X[::-1].client[where] == name).all()


def test_what_scikit_learn_asks():
    X = ClientData(tables())
    assert _num_samples(X) == 12 and X.shape == (12,)
    assert indexable(X, np.zeros(12))[0] is X
    assert isinstance(_safe_indexing(X, [0, 3]), ClientData)
    assert sorted(pairs(shuffle(X, random_state=0))) == sorted(pairs(X))


def test_errors_help():
    X = ClientData(tables())
    with pytest.raises(TypeError, match="aligner"):
        np.asarray(X)
    with pytest.raises(TypeError, match="aligner"):
        np.array([X, X])
    with pytest.raises(TypeError):
        list(X)
    with pytest.raises(IndexError):
        X[99]
    with pytest.raises(IndexError, match="rows only"):
        X[0, 1]
    with pytest.raises(ClientError, match="'a'.*not two-dimensional"):
        ClientData({"a": np.zeros(3)})
    with pytest.raises(ClientError, match="at least one"):
        ClientData({})
    with pytest.raises(ValueError, match="cannot name a client"):
        ClientData({None: np.zeros((2, 2))})


def test_copies_keep_rows_and_subsets_share_tables():
    X = ClientData(tables())
    assert X[:3].tables["a"] is X.tables["a"]
    for copy in (pickle.loads(pickle.dumps(X)), deepcopy(X)):
        assert pairs(copy) == pairs(X)


def test_from_frame_keeps_row_order_and_drops_absent_columns():
    frame = pd.DataFrame(
        {
            "site": ["b", "a", "b", "a"],
            "x": [1.0, np.nan, 2.0, np.nan],
            "y": [1.0, 2.0, np.nan, 4.0],
        }
    )
    X = ClientData.from_frame(frame, "site")
    assert X.client.tolist() == ["b", "a", "b", "a"]
    assert X.tables["a"].columns.tolist() == ["y"]
    assert X.tables["b"].columns.tolist() == ["x", "y"]
    whole = ClientData.from_frame(frame, "site", drop_absent=False)
    assert whole.tables["a"].columns.tolist() == ["x", "y"]
    with pytest.raises(ClientError, match="no client column 'town'"):
        ClientData.from_frame(frame, "town")
    frame.loc[1, "site"] = None
    with pytest.raises(ClientError, match="row 1 has no client name"):
        ClientData.from_frame(frame, "site")


def test_pool_keeps_rows_and_targets_together():
    clients = {
        "a": (np.array([[1.0], [2.0]]), [1, 2]),
        "b": (sparse.csr_array([[3.0], [4.0], [5.0]]), [3, 4, 5]),
    }
    X, y = pool(clients)
    for _, where, table in X.items():
        dense = table.toarray() if sparse.issparse(table) else table
        np.testing.assert_array_equal(dense[:, 0], y[where])


@pytest.mark.parametrize(
    "clients, text",
    [
        ([(np.zeros((2, 1)), [0])], "client 0 has 2 rows but 1 targets"),
        ([np.zeros((2, 1))], "not as a pair"),
        (
            {"a": (np.zeros((1, 1)), [0]), "b": (np.zeros((1, 1)), ["x"])},
            "'a' are numbers and those of client 'b' are text",
        ),
    ],
)
def test_pool_refuses(clients, text):
    with pytest.raises(ClientError, match=text):
        pool(clients)
