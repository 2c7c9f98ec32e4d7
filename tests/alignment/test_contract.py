import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skfed.alignment import (
    Aligner,
    FactorAligner,
    IntersectionAligner,
    PadAligner,
    PCAAligner,
    RandomProjectionAligner,
    SharedPrivateAligner,
    UnionAligner,
)
from skfed.exceptions import ClientError

from ._federate import federate

ALIGNERS = [
    UnionAligner(),
    UnionAligner(indicator="both"),
    IntersectionAligner(),
    SharedPrivateAligner(),
    FactorAligner(),
    FactorAligner(output="both"),
    PadAligner(),
    PCAAligner(),
    RandomProjectionAligner(random_state=0),
]
each = pytest.mark.parametrize("aligner", ALIGNERS, ids=repr)


def three_clients():
    """Three tables of other columns, rows and NaN; labels at all of them."""
    rng = np.random.default_rng(0)
    clients = {}
    for name, columns, n in [("a", "pqr", 30), ("b", "rst", 40), ("c", "pr", 25)]:
        X = pd.DataFrame(rng.normal(size=(n, len(columns))), columns=list(columns))
        clients[name] = (X, np.arange(n) % 2)
    clients["b"][0].iloc[:10, 1] = np.nan
    return clients


@each
@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
def test_all_clients_get_the_same_columns(aligner):
    clients = three_clients()
    fitted = federate(aligner, clients)
    names = {tuple(one.get_feature_names_out()) for one in fitted.values()}
    assert len(names) == 1
    for name, one in fitted.items():
        X = clients[name][0]
        Z = one.transform(X)
        assert Z.shape == (len(X), len(names.copy().pop()))
        assert Z.dtype == np.float64
        assert np.isfinite(Z).all()
        one.set_output(transform="pandas")
        assert list(one.transform(X).columns) == list(one.get_feature_names_out())


@each
@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
def test_fit_twice_and_pickle_give_the_same(aligner):
    clients = three_clients()
    first, second = federate(aligner, clients), federate(aligner, clients)
    for name, (X, _) in clients.items():
        Z = first[name].transform(X)
        np.testing.assert_array_equal(Z, second[name].transform(X))
        again = pickle.loads(pickle.dumps(first[name]))
        np.testing.assert_array_equal(Z, again.transform(X))


@each
@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
def test_global_generator_is_untouched(aligner):
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - what is watched
    federate(aligner, three_clients())
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002 - what is watched


@each
def test_sending_statistics_is_not_a_fit(aligner):
    X = three_clients()["a"][0]
    aligner = type(aligner)(**aligner.get_params())
    aligner.client_statistics(X)
    with pytest.raises(NotFittedError):
        aligner.transform(X)


@each
def test_repeated_and_unnamed_columns_are_refused(aligner):
    table = np.arange(20.0).reshape(10, 2)
    with pytest.raises(ClientError, match=r"\['a'\] occur more than once"):
        aligner.fit(pd.DataFrame(table, columns=["a", "a"]))
    with pytest.raises(ClientError, match=r"\[0, 1\] are not strings"):
        aligner.fit(pd.DataFrame(table))


@each
def test_input_features_are_checked(aligner):
    aligner = aligner.fit(three_clients()["a"][0])
    with pytest.raises(ValueError, match="feature_names_in_"):
        aligner.get_feature_names_out(["x", "y", "z"])
    with pytest.raises(ValueError, match="number of features"):
        aligner.get_feature_names_out(["x"])


class _Mean(Aligner):
    """The least a third party has to write."""

    def _client_statistics(self, X, names, y, shared):
        return {}

    def _merge(self, statistics, shared):
        return {"names": ["mean", "mean"]}

    def _fit_shared(self, X, names, y, shared):
        self.feature_names_out_ = shared["names"]

    def _transform(self, X):
        return np.repeat(X.mean(axis=1, keepdims=True), 2, axis=1)


def test_equal_output_names_are_refused():
    with pytest.raises(ClientError, match=r"_Mean would return .*\['mean'\] twice"):
        _Mean().fit([[1.0], [2.0]])


def test_nan_is_refused_unless_accepted():
    with pytest.raises(ValueError, match="NaN"):
        _Mean().fit([[np.nan], [2.0]])
