import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer

from skfed import FederatedClassifier
from skfed.exceptions import ClientError
from skfed.inspection import AlignmentDisplay


def test_aligned_rows_are_those_of_the_pipelines(classifier, clients):
    found = AlignmentDisplay.from_estimator(classifier, clients)
    rows = np.concatenate(
        [classifier.pipelines_[c][:-1].transform(X) for c, (X, _) in clients.items()]
    )
    assert np.abs(found.after) == pytest.approx(
        np.abs(PCA(2).fit_transform(np.asarray(rows, float))), abs=1e-5
    )
    assert found.clients.tolist() == [
        c for c, (X, _) in clients.items() for _ in X.index
    ]
    assert found.target.tolist() == [v for _, y in clients.values() for v in y]
    assert sorted(found.points_) == ["class", "client"]
    assert found.axes_.shape == (2, 2)


def test_every_row_is_drawn_once_a_panel(classifier, clients):
    found = AlignmentDisplay.from_estimator(classifier, clients)
    for kind in ("class", "client"):
        n = sum(len(points.get_offsets()) for points in found.points_[kind])
        assert n == 2 * len(found.clients)


def test_numbers_are_shades(regressor, houses):
    found = AlignmentDisplay.from_estimator(regressor, houses)
    assert sorted(found.points_) == ["client", "number"]
    (before, after) = found.points_["number"]
    assert after.get_array().tolist() == found.target.tolist()


def test_mixed_tasks_have_both(multi_task, both):
    found = AlignmentDisplay.from_estimator(multi_task, both)
    assert sorted(found.points_) == ["class", "client", "number"]
    assert found.axes_.shape == (3, 2)
    labels = sum(len(p.get_offsets()) for p in found.points_["class"])
    assert labels == 2 * len(both["c"][1])


def test_without_targets_only_the_clients_are_shown(classifier, clients):
    tables = {name: X for name, (X, _) in clients.items()}
    found = AlignmentDisplay.from_estimator(classifier, tables)
    assert sorted(found.points_) == ["client"]


def test_rows_are_thinned_by_share(classifier, clients):
    first = AlignmentDisplay.from_estimator(classifier, clients, max_rows=33)
    again = AlignmentDisplay.from_estimator(classifier, clients, max_rows=33)
    assert len(first.clients) == 33
    assert [(first.clients == c).sum() for c in "abc"] == [8, 11, 14]
    assert (first.after == again.after).all()


def test_projection_of_ones_own(classifier, clients):
    first_two = FunctionTransformer(lambda X: X[:, :2])
    found = AlignmentDisplay.from_estimator(classifier, clients, projection=first_two)
    a = classifier.pipelines_["a"][:-1].transform(clients["a"][0])
    assert found.after[:40] == pytest.approx(np.asarray(a)[:, :2])
    with pytest.raises(ValueError, match="has to give two columns"):
        AlignmentDisplay.from_estimator(classifier, clients, projection=PCA(1))


def test_sites_that_keep_their_pipelines_are_named(classifier, clients):
    remote = FederatedClassifier()
    vars(remote).update(vars(classifier))
    del remote.pipelines_
    with pytest.raises(ClientError, match="stayed at their sites"):
        AlignmentDisplay.from_estimator(remote, clients)


def test_two_hundred_clients_are_means():
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(800, 2))
    found = AlignmentDisplay(xy, xy, np.repeat(np.arange(200), 4)).plot()
    rows, means = found.points_["client"][2:]
    assert len(rows.get_offsets()) == 800
    assert len(means.get_offsets()) == 200


def test_lengths_have_to_fit():
    with pytest.raises(ValueError, match=r"before has shape \(3, 2\); 2 rows"):
        AlignmentDisplay(np.zeros((3, 2)), np.zeros((2, 2)), ["a", "b"]).plot()
