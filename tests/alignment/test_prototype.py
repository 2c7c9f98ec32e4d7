import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group

from skfed import FederatedClassifier
from skfed.alignment import PrototypeAligner
from skfed.alignment._prototype_server import (
    classical_scaling,
    configuration,
    joined_groups,
    mean_distances,
    procrustes_map,
)
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, send, statistics_of

MEANS = 3 * np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [1, 1, 2.0]])


def draw(labels, seed):
    """Draw rows about MEANS[label], as seen through a client's own columns."""
    rng = np.random.default_rng(seed)
    mixing = ortho_group.rvs(3, random_state=rng) * [0.5, 1, 2]
    latent = MEANS[labels] + rng.normal(size=(len(labels), 3))
    return pd.DataFrame(latent @ mixing).add_prefix(f"s{seed}v")


def planted(n=400):
    """Three clients, no common column, one without class 3."""
    y = np.arange(n) % 4
    few = np.arange(n) % 3
    labels = {"a": y, "b": y, "c": few}
    return {k: (draw(v, seed), v) for seed, (k, v) in enumerate(labels.items())}


def test_planted_distances_are_recovered():
    clients = planted()
    fitted = federate(PrototypeAligner(), clients)
    prototypes = fitted["a"].prototypes_
    assert prototypes.shape == (4, 3)
    np.testing.assert_allclose(pdist(prototypes), pdist(MEANS), rtol=0.06)
    assert fitted["a"].stress_ < 0.01
    for name, one in fitted.items():
        X, y = clients[name]
        Z = one.transform(X)
        for c in np.unique(y):
            np.testing.assert_allclose(Z[y == c].mean(axis=0), prototypes[c], atol=0.5)
            within = np.cov(Z[y == c].T)
            rank = 3 if name != "c" else 2
            np.testing.assert_allclose(np.trace(within), rank, rtol=0.25)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_turned_moved_and_stretched_columns_change_nothing(seed, scale, shift):
    clients = planted(60)
    plain = federate(PrototypeAligner(), clients)
    X, y = clients["b"]
    turn = scale * ortho_group.rvs(3, random_state=np.random.default_rng(seed))
    turned = clients | {"b": ((X @ turn + shift).add_prefix("w"), y)}
    again = federate(PrototypeAligner(), turned)
    for name in clients:
        np.testing.assert_allclose(
            again[name].transform(turned[name][0]),
            plain[name].transform(clients[name][0]),
            atol=1e-6,
        )


def test_the_same_rows_in_other_columns_get_the_same_image():
    X, y = draw(np.arange(80) % 4, 0), np.arange(80) % 4
    turn = ortho_group.rvs(3, random_state=np.random.default_rng(1))
    other = (X @ turn).add_prefix("w")
    fitted = federate(PrototypeAligner(), {"a": (X, y), "b": (other, y)})
    np.testing.assert_allclose(
        fitted["a"].transform(X), fitted["b"].transform(other), atol=1e-8
    )
    assert fitted["a"].stress_ < 1e-12
    means = pd.DataFrame(fitted["a"].transform(X)).groupby(y).mean()
    np.testing.assert_allclose(means, fitted["a"].prototypes_, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_any_points_with_the_gram_have_the_same_image(C, q, d, seed):
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(C))
    M, P = rng.normal(size=(C, d)), rng.normal(size=(C, q))
    M -= w @ M
    R, t = procrustes_map(M, P, w)
    E = configuration(M @ M.T)
    S, _ = procrustes_map(E, P, w)
    np.testing.assert_allclose(E @ S + t, M @ R + t, atol=1e-5)
    rank = np.linalg.matrix_rank(R)
    assert rank <= min(C - 1, d, q)
    np.testing.assert_allclose(R @ R.T @ R, R, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(1, 4), st.integers(0, 10**6))
def test_classical_scaling_gives_points_their_distances_back(C, d, seed):
    points = np.random.default_rng(seed).normal(size=(C, d))
    found = classical_scaling(squareform(pdist(points, "sqeuclidean")), None)
    assert found.shape[1] == min(C - 1, d)
    np.testing.assert_allclose(pdist(found), pdist(points), atol=1e-6)


def test_distances_are_free_of_the_noise_of_the_means():
    rng = np.random.default_rng(0)
    truth, counts = MEANS[:3], np.array([4, 7, 10])
    messages = []
    for _ in range(3000):
        means = truth + rng.normal(size=(3, 3)) / np.sqrt(counts)[:, None]
        messages.append(
            {
                "classes": np.arange(3),
                "counts": counts,
                "gram": means @ means.T,
                "n_directions": 3,
            }
        )
    found = mean_distances(messages, 3)
    np.testing.assert_allclose(found, squareform(pdist(truth)) ** 2, rtol=0.02)


def test_labels_never_together_take_the_median_distance():
    def message(classes, distance):
        gram = np.array([[distance, 0], [0, 0.0]])
        counts = np.full(2, 10**9)
        return {
            "classes": np.array(classes),
            "counts": counts,
            "gram": gram,
            "n_directions": 1,
        }

    found = mean_distances([message([0, 1], 4.0), message([1, 2], 4.0)], 3)
    np.testing.assert_allclose(found, 4 * (1 - np.eye(3)), atol=1e-6)


def test_clients_are_joined_by_chains_of_pairs():
    sets = {"a": {1, 2, 3}, "b": {3, 5}, "c": {1, 2, 5}, "d": {5, 9}, "e": {7, 8}}
    groups = joined_groups(sets)
    assert [(sorted(c), sorted(v)) for c, v in groups] == [
        (["a", "b", "c"], [1, 2, 3, 5]),
        (["d"], [5, 9]),
        (["e"], [7, 8]),
    ]


def test_clients_that_nothing_joins_are_named():
    y = np.arange(40) % 2
    clients = {"a": (draw(y, 0), y), "b": (draw(y, 1), y + 1)}
    message = r"\['a'\] with labels \[0, 1\]; clients \['b'\] with labels \[1, 2\]"
    with pytest.raises(ClientError, match=message):
        federate(PrototypeAligner(), clients)
    with pytest.raises(ClientError, match=r"'b'.*1 class.*withheld are \[\]"):
        federate(PrototypeAligner(), clients | {"b": (clients["b"][0], 0 * y)})


def test_small_classes_do_not_leave_and_are_named():
    y = np.repeat(["p", "q", "r", "s"], [30, 20, 6, 2])
    X = draw(np.repeat(range(4), [30, 20, 6, 2]), 0)
    aligner = PrototypeAligner()
    with pytest.warns(AlignmentWarning, match=r"'x' withholds labels \['r', 's'\]"):
        fitted = federate(aligner, {"x": (X, y)})["x"]
    assert fitted.withheld_labels_ == ["r", "s"]  # 2 rows alone would be a difference
    first = statistics_of(aligner, {"x": (X, y)})
    assert first["x"]["classes"] == ["p", "q"]
    second = send(aligner.client_statistics(X, y, aligner.merge(first)), "x")
    assert second["labels"] == ["p", "q"]
    assert second["counts"].tolist() == [30, 20]
    assert second["gram"].shape == (2, 2)
    assert fitted.transform(X).shape == (58, 1)


def test_other_bad_targets_are_named():
    y = np.arange(40) % 4
    X = draw(y, 0)
    with pytest.raises(ValueError, match="requires y"):
        PrototypeAligner().fit(X)
    with pytest.raises(ClientError, match="'b' is numeric and that of client 'a'"):
        federate(PrototypeAligner(), {"a": (X, y), "b": (X, y.astype(float))})
    with pytest.raises(ClientError, match="'b' are text and those of client 'a'"):
        federate(PrototypeAligner(), {"a": (X, y), "b": (X, y.astype(str))})
    with pytest.raises(ClientError, match="min_count=5"):
        PrototypeAligner().fit(X[:3], np.arange(3.0))
    with pytest.raises(ClientError, match="none of the 3 columns varies"):
        PrototypeAligner().fit(0 * X, y)


def test_numeric_targets_are_aligned_in_their_order():
    rng = np.random.default_rng(0)
    clients, targets = {}, {}
    for name in "ab":
        y = rng.normal(size=300)
        latent = np.column_stack([3 * y, rng.normal(size=300)])
        latent[:, 0] += rng.normal(size=300)
        X = pd.DataFrame(latent @ rng.normal(size=(2, 2))).add_prefix(name)
        clients[name], targets[name] = (X, y), y
    fitted = federate(PrototypeAligner(n_components=1), clients)
    slopes = [
        np.polyfit(one.transform(clients[name][0])[:, 0], targets[name], 1)[0]
        for name, one in fitted.items()
    ]
    assert slopes[0] / slopes[1] == pytest.approx(1, abs=0.15)
    assert fitted["a"].labels_ == [0, 1, 2, 3, 4]
    assert (np.diff(fitted["a"].prototypes_[:, 0] * np.sign(slopes[0])) > 0).all()


def test_a_net_is_shared_over_tables_without_a_common_column():
    clients = planted()
    few = np.arange(44)  # eleven rows a class
    train = clients | {"b": (clients["b"][0].iloc[few], clients["b"][1][few])}
    model = FederatedClassifier(
        personalizer=None, aligner=PrototypeAligner(), random_state=0
    ).fit(train)
    X, y = clients["b"]
    assert np.mean(model.predict({"b": X.iloc[44:]})["b"] == y[44:]) > 0.85
