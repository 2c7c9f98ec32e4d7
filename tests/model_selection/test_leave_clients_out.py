import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from skfed import ClientData, ClientError, FederatedClassifier, LeaveClientsOut, pool


def container(sizes):
    return ClientData({f"c{k}": np.zeros((n, 1)) for k, n in enumerate(sizes)})


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=7),
    st.integers(1, 6),
    st.booleans(),
)
def test_each_client_is_left_out_exactly_once_and_whole(sizes, n_clients, shuffle):
    X = container(sizes)
    splitter = LeaveClientsOut(n_clients, shuffle=shuffle, random_state=0)
    if n_clients >= len(sizes):
        with pytest.raises(ClientError, match="none to train on; lower n_clients"):
            list(splitter.split(X))
        return
    folds = list(splitter.split(X))
    assert len(folds) == splitter.get_n_splits(X) == math.ceil(len(sizes) / n_clients)
    out = []
    for train, test in folds:
        assert not set(X.code[train]) & set(X.code[test])
        assert len(train) + len(test) == len(X)
        assert 1 <= len(set(X.code[test])) <= n_clients
        out += sorted(set(X.client[test]))
    assert sorted(out) == sorted(X.names)


def test_one_at_a_time_is_leave_one_group_out():
    X = container([3, 5, 4])
    ours = list(LeaveClientsOut().split(X))
    theirs = list(LeaveOneGroupOut().split(np.zeros(12), groups=X.code))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_seed_decides_who_leaves_together():
    X = container([2] * 8)

    def groups(seed):
        splitter = LeaveClientsOut(3, shuffle=True, random_state=seed)
        return [sorted(set(X.client[test])) for _, test in splitter.split(X)]

    assert groups(0) == groups(0) != groups(1)
    assert [len(g) for g in groups(0)] == [3, 3, 2]


def test_clients_come_from_groups_or_column():
    X = container([4, 2, 3])
    frame = pd.DataFrame({"site": X.client, "x": 0.0})
    by_column = LeaveClientsOut(client_column="site")
    by_groups = LeaveClientsOut()
    assert (
        by_column.get_n_splits(frame) == by_groups.get_n_splits(X, groups=X.client) == 3
    )
    for a, b in zip(
        by_column.split(frame), by_groups.split(frame, groups=X.client), strict=True
    ):
        np.testing.assert_array_equal(a[1], b[1])
    with pytest.raises(ClientError, match="unknown"):
        next(by_groups.split(frame))
    with pytest.raises(ClientError, match="unknown"):
        by_groups.get_n_splits()


def test_subset_counts_the_clients_that_have_rows():
    X = container([4, 2, 3])
    part = X[X.client != "c1"]
    assert LeaveClientsOut().get_n_splits(part) == 2
    assert len(list(LeaveClientsOut().split(part))) == 2


@pytest.mark.parametrize("n_clients", [0, -1])
def test_at_least_one_client(n_clients):
    with pytest.raises(ValueError, match="n_clients"):
        LeaveClientsOut(n_clients)


def test_federated_estimator_says_that_a_newcomer_is_unknown():
    rng = np.random.default_rng(0)
    X, y = pool({name: (rng.normal(size=(20, 2)), np.arange(20) % 2) for name in "abc"})
    model = FederatedClassifier(personalizer=None, n_rounds=1, random_state=0)
    with pytest.raises(ClientError, match="unknown client 'a'.*not seen in fit"):
        cross_val_score(model, X, y, cv=LeaveClientsOut(), error_score="raise")


class Majority(ClassifierMixin, BaseEstimator):
    """Predicts the most frequent label of training, for any client."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.label_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.label_)


def test_scores_of_newcomers_with_a_model_that_takes_them():
    X, y = pool(
        {
            "a": (np.zeros((5, 1)), [0] * 5),
            "b": (np.zeros((4, 2)), [0] * 4),
            "c": (np.zeros((2, 3)), [1] * 2),
        }
    )
    scores = cross_val_score(
        Majority(), X, y, cv=LeaveClientsOut(), error_score="raise"
    )
    assert scores.tolist() == [1.0, 1.0, 0.0]
