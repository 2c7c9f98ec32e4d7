import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)
from sklearn.utils import check_random_state

from skfed import (
    ClientData,
    ClientError,
    ClientKFold,
    FederatedClassifier,
    pool,
)

SIZES = st.lists(st.integers(1, 17), min_size=1, max_size=6)


def container(sizes):
    return ClientData({f"c{k}": np.zeros((n, 1)) for k, n in enumerate(sizes)})


def count(X, rows):
    return np.bincount(X.code[rows], minlength=len(X.names))


@given(SIZES, st.integers(2, 6), st.integers(0, 99), st.booleans())
def test_each_row_is_tested_once_and_each_client_trained_always(
    sizes, n_splits, seed, shuffle
):
    X = container(sizes)
    splitter = ClientKFold(n_splits, random_state=seed, shuffle=shuffle)
    folds = list(splitter.split(X))
    assert len(folds) == splitter.get_n_splits(X) == n_splits
    times = np.zeros(len(X), dtype=int)
    for train, test in folds:
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(X)))
        assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
        assert (count(X, train) > 0).all()
        times[test] += 1
    alone = np.isin(X.code, np.flatnonzero(np.array(sizes) == 1))
    assert (times[alone] == 0).all() and (times[~alone] == 1).all()


@given(SIZES, st.integers(2, 6), st.integers(0, 99))
def test_folds_of_a_client_differ_by_one_row(sizes, n_splits, seed):
    X = container(sizes)
    parts = [
        count(X, test) for _, test in ClientKFold(n_splits, random_state=seed).split(X)
    ]
    for k, n in enumerate(sizes):
        mine = [part[k] for part in parts]
        assert max(mine) - min(mine) <= 1
        assert sum(mine) == (n if n > 1 else 0)


@given(st.integers(2, 5), st.lists(st.integers(2, 9), min_size=2, max_size=8))
def test_odd_rows_go_to_the_small_folds(n_splits, sizes):
    X = container(sizes)
    sizes_of_folds = [
        len(test) for _, test in ClientKFold(n_splits, random_state=0).split(X)
    ]
    assert max(sizes_of_folds) - min(sizes_of_folds) <= 1


@given(
    st.lists(st.tuples(st.integers(3, 20), st.integers(3, 20)), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_classes_are_spread_within_each_client(counts, seed):
    X, y = pool(
        {
            f"c{k}": (np.zeros((a + b, 1)), np.repeat(["no", "yes"], [a, b]))
            for k, (a, b) in enumerate(counts)
        }
    )
    for _, test in ClientKFold(3, random_state=seed).split(X, y):
        for code, (a, b) in enumerate(counts):
            mine = y[test][X.code[test] == code]
            assert abs((mine == "no").sum() - a / 3) <= 1
            assert abs((mine == "yes").sum() - b / 3) <= 1


def test_a_rare_class_is_dealt_out_unstratified():
    X, y = pool(
        {"a": (np.zeros((11, 1)), [1] + [0] * 10), "b": (np.ones((9, 1)), [0] * 9)}
    )
    folds = list(ClientKFold(3, random_state=0).split(X, y))
    assert sorted(y[test].sum() for _, test in folds) == [0, 0, 1]


def test_numeric_targets_are_not_stratified():
    X = container([20, 30])
    y = np.linspace(0.5, 1.7, 50)
    for with_y, without in zip(
        ClientKFold(4, random_state=1).split(X, y),
        ClientKFold(4, random_state=1).split(X),
        strict=True,
    ):
        np.testing.assert_array_equal(with_y[1], without[1])


def test_one_client_is_plain_k_fold():
    X, y = container([30]), np.arange(30) % 2
    for labels, plain in ((None, KFold(3)), (y, StratifiedKFold(3))):
        ours = ClientKFold(3, shuffle=False).split(X, labels)
        for (train, test), (train_1, test_1) in zip(
            ours, plain.split(np.zeros(30), y), strict=True
        ):
            np.testing.assert_array_equal(train, train_1)
            np.testing.assert_array_equal(test, test_1)


def test_a_client_of_one_row_is_trained_on_and_never_tested():
    X = container([1, 6])
    for train, test in ClientKFold(3, random_state=0).split(X):
        assert count(X, train)[0] == 1 and count(X, test)[0] == 0


def test_seed_decides_the_folds():
    X = container([20, 30])

    def tests(seed):
        return [t.tolist() for _, t in ClientKFold(3, random_state=seed).split(X)]

    assert tests(0) == tests(0) != tests(1)
    fixed = ClientKFold(3, shuffle=False)
    assert [t.tolist() for _, t in fixed.split(X)] == [
        t.tolist() for _, t in fixed.split(X)
    ]


def test_a_generator_as_seed_gives_new_folds_at_each_split():
    X, splitter = container([20]), ClientKFold(2, random_state=check_random_state(5))
    first, second = ([t.tolist() for _, t in splitter.split(X)] for _ in range(2))
    again = ClientKFold(2, random_state=check_random_state(5))
    assert first != second
    assert first == [t.tolist() for _, t in again.split(X)]


def test_clients_come_from_container_groups_or_column():
    X = container([7, 8, 9])
    frame = pd.DataFrame({"site": X.client, "x": 0.0})

    def tests(splitter, *args):
        return [test.tolist() for _, test in splitter.split(*args)]

    expected = tests(ClientKFold(3, random_state=0), X)
    by_groups = tests(ClientKFold(3, random_state=0), np.zeros((24, 2)), None, X.client)
    by_column = tests(ClientKFold(3, random_state=0, client_column="site"), frame)
    assert sorted(sum(by_groups, [])) == list(range(24))
    assert by_groups == by_column
    codes = pd.factorize(X.client)[0]  # clients by first appearance
    for test in by_groups:
        assert np.ptp(np.bincount(codes[test], minlength=3)) <= 1
    assert len(expected) == 3


@pytest.mark.parametrize(
    "args, text",
    [
        ((np.zeros((5, 2)),), "clients of the rows are unknown.*pool.*groups="),
        ((pd.DataFrame({"x": np.zeros(5)}),), "clients of the rows are unknown"),
        ((np.zeros((5, 2)), None, ["a"] * 4), "4 groups for 5 rows"),
        ((np.zeros((3, 2)), None, ["a", None, "b"]), "no client name"),
    ],
)
def test_unknown_clients_are_an_error(args, text):
    with pytest.raises(ClientError, match=text):
        next(ClientKFold(2).split(*args))


@pytest.mark.parametrize("n_splits", [1, 0, -3])
def test_too_few_folds(n_splits):
    with pytest.raises(ValueError, match="n_splits"):
        ClientKFold(n_splits)


def test_as_cv_of_a_grid_search():
    rng = np.random.default_rng(0)
    X, y = pool(
        {k: (rng.normal(size=(30, 2 + k)), np.arange(30) % 2) for k in range(3)}
    )
    model = FederatedClassifier(
        personalizer=None, n_rounds=1, random_state=0, columns="own"
    )
    search = GridSearchCV(
        model,
        {"local_epochs": [1, 2]},
        cv=ClientKFold(3, random_state=0),
        error_score="raise",
    ).fit(X, y)
    assert search.n_splits_ == 3
    assert clone(search).cv.n_splits == 3
    assert check_cv(search.cv) is search.cv


def test_as_cv_of_tools_with_groups():
    scores = cross_val_score(
        DummyClassifier(),
        np.zeros((12, 1)),
        np.arange(12) % 2,
        groups=np.repeat(["a", "b"], 6),
        cv=ClientKFold(3, random_state=0),
        error_score="raise",
    )
    np.testing.assert_allclose(scores, 0.5)


def test_representation_shows_the_parameters():
    assert "n_splits=4" in repr(ClientKFold(4))
