"""What scikit-learn's helpers and splitters do with the container."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import _safe_indexing, check_array, indexable, resample, shuffle
from sklearn.utils.validation import _num_samples, validate_data

from skfed import ClientData, ClientKFold
from tests.sklearn_oracle import (
    SIZES,
    Oracle,
    is_aligned,
    pairs,
    pooled,
    small_classifier,
)

X, Y = pooled()
ROWS = pairs(X)
CLIENTS = X.client


def test_container_answers_what_scikit_learn_asks():
    assert _num_samples(X) == 300
    a, b = indexable(X, Y)
    assert a is X and b is Y
    assert not hasattr(X, "iloc") and not hasattr(X, "fit")


@pytest.mark.parametrize(
    "key, expected",
    [
        (np.array([0, 70, 5]), [ROWS[0], ROWS[70], ROWS[5]]),
        (Y == 1, [row for row, one in zip(ROWS, Y == 1, strict=True) if one]),
        (slice(0, 10), ROWS[:10]),
        ([0, 3], [ROWS[0], ROWS[3]]),
    ],
    ids=["int array", "mask", "slice", "list"],
)
def test_safe_indexing_keeps_class_and_rows(key, expected):
    found = _safe_indexing(X, key)
    assert type(found) is ClientData
    assert pairs(found) == expected


def test_train_test_split_by_label():
    parts = train_test_split(X, Y, stratify=Y, random_state=0)
    train, test, y_train, y_test = parts
    assert (len(train), len(test)) == (225, 75)
    assert is_aligned(train, y_train) and is_aligned(test, y_test)
    assert sorted(pairs(train) + pairs(test)) == sorted(ROWS)


def test_train_test_split_by_client():
    train, test, y_train, y_test = train_test_split(
        X, Y, stratify=CLIENTS, random_state=0
    )
    assert is_aligned(train, y_train) and is_aligned(test, y_test)
    counts = np.bincount(test.code, minlength=4)
    assert np.abs(counts - np.array(SIZES) / 4).max() <= 1


def test_shuffle_and_resample():
    X_s, y_s = shuffle(X, Y, random_state=0)
    assert is_aligned(X_s, y_s)
    assert sorted(pairs(X_s)) == sorted(ROWS) and pairs(X_s) != ROWS
    X_r, y_r = resample(X, Y, random_state=0)
    assert is_aligned(X_r, y_r)
    assert len(X_r) == 300 and len(set(pairs(X_r))) < 300


WITHIN = {
    "KFold": (KFold(3, shuffle=True, random_state=0), 3),
    "unshuffled KFold": (KFold(3), 3),
    "StratifiedKFold": (StratifiedKFold(3), 3),
    "ShuffleSplit": (ShuffleSplit(3, random_state=0), 3),
    "RepeatedStratifiedKFold": (
        RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
        4,
    ),
    "PredefinedSplit": (PredefinedSplit(np.arange(300) // 100), 3),
    "ClientKFold": (ClientKFold(3, random_state=0), 3),
}
ACROSS = {
    "GroupKFold": (GroupKFold(3), 3),
    "LeaveOneGroupOut": (LeaveOneGroupOut(), 4),
    "StratifiedGroupKFold": (StratifiedGroupKFold(3), 3),
}


@pytest.mark.parametrize("name", [*WITHIN, *ACROSS])
def test_splitters(name):
    splitter, n_splits = {**WITHIN, **ACROSS}[name]
    groups = CLIENTS if name in ACROSS else None
    folds = list(splitter.split(X, Y, groups))
    assert len(folds) == n_splits
    for train, test in folds:
        assert not set(train) & set(test)
        assert is_aligned(X[train], Y[train]) and is_aligned(X[test], Y[test])
        sides = set(X[train].client), set(X[test].client)
        if name in ACROSS:
            assert not sides[0] & sides[1]
        else:
            assert sides[0] == set(X.names)


def test_contiguous_folds_hold_each_clients_share():
    for _, test in KFold(5).split(X):
        counts = np.bincount(X.code[test], minlength=4)
        assert np.abs(counts - np.array(SIZES) / 5).max() <= 1


def test_strided_folds_of_equal_clients_are_single_clients():
    even = ClientData([np.zeros((10, 1)), np.ones((10, 1))])
    split = PredefinedSplit(np.arange(20) % 2)
    assert [set(even[test].client) for _, test in split.split()] == [{0}, {1}]


@pytest.mark.parametrize("view", [X, X[::-1], X[np.argsort(Y)]], ids="abc")
def test_items_come_in_table_order(view):
    assert [name for name, _, _ in view.items()] == ["c0", "c1", "c2", "c3"]


def test_list_predictions_come_in_input_order():
    model = small_classifier(n_rounds=1).fit([X.tables[n] for n in X.names], _targets())
    reversed_names = list(reversed(range(4)))
    by_name = model.predict({k: X.tables[X.names[k]] for k in reversed_names})
    assert list(by_name) == reversed_names
    found = model.predict([X.tables[name] for name in X.names])
    assert [len(part) for part in found] == list(SIZES)
    for k in range(4):
        np.testing.assert_array_equal(found[k], by_name[k])


def _targets():
    return [Y[np.flatnonzero(X.code == k)] for k in range(4)]


def test_single_rows_and_what_is_no_row():
    assert pairs(X[3]) == [ROWS[3]] and pairs(X[-1]) == [ROWS[-1]]
    with pytest.raises(IndexError):
        X[999]
    with pytest.raises(IndexError, match="rows only"):
        X[0, 1]
    with pytest.raises(TypeError):
        list(X)


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        lambda data: np.array([data, data]),
        check_array,
        lambda data: validate_data(Oracle(), data),
    ],
    ids=["asarray", "array of two", "check_array", "validate_data"],
)
def test_container_does_not_become_an_array(convert):
    with pytest.raises(TypeError, match="aligner"):
        convert(X)


@pytest.mark.parametrize(
    "tool",
    [
        lambda: train_test_split(X, Y, random_state=0),
        lambda: cross_val_score(Oracle(), X, Y, cv=3, error_score="raise"),
    ],
    ids=["train_test_split", "cross_val_score"],
)
def test_array_api_dispatch_refuses_the_container(monkeypatch, tool):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    with (
        sklearn.config_context(array_api_dispatch=True),
        pytest.raises(TypeError, match="not a supported array type"),
    ):
        tool()


def test_copies_keep_rows_and_subsets_share_tables():
    for copy in (pickle.loads(pickle.dumps(X)), deepcopy(X)):
        assert pairs(copy) == ROWS and is_aligned(copy, Y)
    assert all(X[:3].tables[name] is X.tables[name] for name in X.names)


def test_hash_names_the_rows():
    assert joblib.hash(X) == joblib.hash(X[np.arange(300)])
    assert joblib.hash(X) != joblib.hash(X[::-1])


def test_pipeline_memory(tmp_path):
    steps = FunctionTransformer(), Oracle()
    for _ in range(2):  # the second fit reads the cache
        model = make_pipeline(*steps, memory=str(tmp_path))
        assert model.fit(X, Y).score(X, Y) == 1.0


def test_clone_of_a_search():
    search = GridSearchCV(Oracle(), {"flip": [True, False]})
    copy = clone(search)
    assert copy is not search
    assert repr(copy.get_params()) == repr(search.get_params())


@pytest.mark.parametrize(
    "code, row, text",
    [
        ([0], [0, 1], "code has shape"),
        ([0, 2], [0, 0], "code has values from 0 to 2; with 2 tables"),
        ([0, -1], [0, 0], "code has values from -1"),
        ([0, 1], [0, 5], "row 5 does not exist in the table of client 'b'.*3 rows"),
        ([0, 1], [-1, 0], "row -1 does not exist in the table of client 'a'"),
        ([0.0, 1.0], [0, 0], "give integers"),
        ([0, 1], None, "give both or neither"),
    ],
)
def test_places_that_do_not_exist(code, row, text):
    tables = {"a": np.zeros((2, 1)), "b": np.zeros((3, 1))}
    with pytest.raises(ValueError, match=text):
        ClientData(tables, code, row)


def test_no_rows_at_all():
    for none in (X[[]], ClientData(X.tables, [], [])):
        assert none.shape == (0,) and list(none.items()) == []
        assert pairs(none[np.array([], dtype=bool)]) == []
