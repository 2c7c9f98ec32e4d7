import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from skfed.alignment import FederatedPCAAligner
from skfed.exceptions import AlignmentWarning, ClientError
from skfed.testing import check_aligner

from ._federate import federate, statistics_of

COLUMNS = [f"v{j}" for j in range(8)]


def low_rank(n, seed=0, noise=0.1, rank=2):
    """Rows near a plane, the same plane for every seed."""
    loadings = np.random.default_rng(42).normal(size=(rank, len(COLUMNS)))
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, rank))
    X = Z @ loadings + noise * rng.normal(size=(n, len(COLUMNS))) + 3.0
    return pd.DataFrame(X, columns=COLUMNS)


def split(X, sizes):
    """Deal the rows to clients, in order."""
    stops = np.cumsum(sizes)
    return {
        f"client{k}": (X.iloc[stop - size : stop], None)
        for k, (stop, size) in enumerate(zip(stops, sizes, strict=True))
    }


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(9, 40), min_size=1, max_size=4),
    st.sampled_from([1, 3, 8]),
    st.booleans(),
    st.integers(0, 100),
)
def test_same_columns_give_the_pca_of_the_pooled_rows(sizes, q, whiten, seed):
    X = low_rank(sum(sizes), seed, noise=0.5)
    X.iloc[: sizes[0]] += 2.0  # clients with other means
    pca = PCA(q, whiten=whiten, svd_solver="full").fit(X)
    clients = split(X, sizes)
    for name, one in federate(FederatedPCAAligner(q, whiten=whiten), clients).items():
        for attribute in (
            "mean_",
            "components_",
            "explained_variance_",
            "explained_variance_ratio_",
            "noise_variance_",
        ):
            found, expected = getattr(one, attribute), getattr(pca, attribute)
            np.testing.assert_allclose(found, expected, atol=1e-8, err_msg=attribute)
        rows = clients[name][0]
        np.testing.assert_allclose(
            one.transform(rows), pca.transform(rows), rtol=1e-6, atol=1e-6
        )


def test_partial_columns_pool_covariances_pair_by_pair():
    X = low_rank(100, noise=0.1, rank=1)
    clients = split(X, [50, 50])
    clients["client0"] = (clients["client0"][0][COLUMNS[:5]], None)
    clients["client1"] = (clients["client1"][0][COLUMNS[3:]], None)
    (one, _) = federate(FederatedPCAAligner(8), clients).values()
    frame = X.copy()
    frame.iloc[:50, 5:] = np.nan
    frame.iloc[50:, :3] = np.nan
    Z = (frame - frame.mean()).to_numpy()
    seen = ~np.isnan(Z)
    Z = np.where(seen, Z, 0.0)
    n = seen.T.astype(float) @ seen
    covariance = np.where(n > 0, Z.T @ Z / np.maximum(n - 1, 1), 0.0)
    assert (n[:3, 5:] == 0).all()
    values, vectors = np.linalg.eigh(covariance)
    positive = values > 0
    assert not positive.all()  # not a covariance: the projection has work to do
    projected = (vectors[:, positive] * values[positive]) @ vectors[:, positive].T
    rebuilt = (one.components_.T * one.explained_variance_) @ one.components_
    np.testing.assert_allclose(rebuilt, projected, atol=1e-10)
    np.testing.assert_allclose(one.mean_, frame.mean(), atol=1e-12)


@pytest.mark.parametrize("q", [2, 5])
def test_absent_columns_scores_are_the_conditional_mean(q):
    """Closed form E[z | x_O] = V' S_{:O} S_{OO}^-1 (x_O - mu_O)."""
    X = low_rank(90, noise=0.8)
    own = [0, 2, 6, 7]
    clients = split(X, [60, 30])
    clients["client1"] = (clients["client1"][0][[COLUMNS[j] for j in own]], None)
    one = federate(FederatedPCAAligner(q), clients)["client1"]
    V, s2 = one.components_.T, one.noise_variance_
    assert s2 > 0
    S = (V * (one.explained_variance_ - s2)) @ V.T + s2 * np.eye(8)
    rows = clients["client1"][0].to_numpy()
    weights = np.linalg.solve(S[np.ix_(own, own)], S[own] @ V)
    expected = (rows - one.mean_[own]) @ weights
    np.testing.assert_allclose(one.transform(rows_frame(one, rows)), expected)


def rows_frame(one, rows):
    return pd.DataFrame(rows, columns=one.feature_names_in_)


def test_planted_plane_is_recovered_from_partial_columns():
    """A client with 4 of 8 columns gets nearly the scores of its complete rows."""
    X = low_rank(400, noise=0.05)
    clients = split(X, [100] * 4)
    for k, start in enumerate([0, 2, 4]):
        name = f"client{k}"
        clients[name] = (clients[name][0][COLUMNS[start : start + 4]], None)
    fitted = federate(FederatedPCAAligner(2), clients)
    complete = fitted["client3"]
    for k in range(3):
        scores = fitted[f"client{k}"].transform(clients[f"client{k}"][0])
        truth = complete.transform(X.iloc[100 * k : 100 * (k + 1)])
        for j in range(2):
            assert np.corrcoef(scores[:, j], truth[:, j])[0, 1] > 0.98


@pytest.mark.filterwarnings("ignore:FederatedPCAAligner. client .client1. withholds")
def test_cells_that_are_missing_count_as_columns_that_are_absent():
    X = low_rank(80)
    clients = split(X, [40, 40])
    holed = X.iloc[40:].copy()
    holed[COLUMNS[4:]] = np.nan
    clients["client1"] = (holed, None)
    cells = federate(FederatedPCAAligner(3), clients)["client1"].transform(holed)
    dropped = holed[COLUMNS[:4]]
    clients["client1"] = (dropped, None)
    columns = federate(FederatedPCAAligner(3), clients)["client1"].transform(dropped)
    np.testing.assert_allclose(cells, columns, atol=1e-10)


def test_components_stop_at_the_rank():
    X = low_rank(50, noise=0.0)
    one = FederatedPCAAligner().fit(X)
    assert one.n_components_ == 2
    np.testing.assert_allclose(one.explained_variance_ratio_.sum(), 1.0)
    constant = FederatedPCAAligner(min_count=1).fit(np.ones((10, 3)))
    np.testing.assert_array_equal(constant.transform(np.ones((10, 3))), 0.0)


def test_target_is_not_used():
    X = low_rank(30)
    sent = FederatedPCAAligner().client_statistics(X, np.arange(30) % 2)
    plain = FederatedPCAAligner().client_statistics(X)
    assert sent.keys() == plain.keys()
    for key, value in sent.items():
        np.testing.assert_array_equal(value, plain[key])
    assert sent["labels"] == [] and sent["class_means"].size == 0


def test_small_client_sends_single_columns_only():
    clients = split(low_rank(58), [50, 8])
    with pytest.warns(AlignmentWarning, match="'client1' has 8 rows for 8 columns"):
        fitted = federate(FederatedPCAAligner(2), clients)
    sent = statistics_of(FederatedPCAAligner(), clients)["client1"]
    assert (sent["block_sizes"] == 1).all()
    assert np.isfinite(fitted["client1"].transform(clients["client1"][0])).all()
    everything = FederatedPCAAligner(2, small_clients="send")
    sent = statistics_of(everything, clients)["client1"]
    assert sent["block_sizes"].tolist() == [8]
    federate(everything, clients)  # and warns of nothing


def test_rare_columns_are_withheld_by_name():
    X = low_rank(60)
    X["rare"] = (np.arange(60) < 3).astype(float)
    with pytest.warns(AlignmentWarning, match=r"withholds columns \['rare'\]") as told:
        one = FederatedPCAAligner(2).fit(X)
    assert "no client tells of columns ['rare']" in str(told[0].message)
    np.testing.assert_array_equal(
        one.components_[:, one.columns_.index("rare")], [0.0, 0.0]
    )
    expected = FederatedPCAAligner(2).fit_transform(X.drop(columns="rare"))
    np.testing.assert_allclose(one.transform(X), expected, atol=1e-10)


def test_nothing_may_leave():
    clients = split(low_rank(7), [4, 3])
    with pytest.raises(ClientError, match="'client0' with n_samples=4"):
        federate(FederatedPCAAligner(), clients)


def test_columns_of_another_federation_are_refused():
    aligner = FederatedPCAAligner()
    X = low_rank(30)
    shared = aligner.merge({"one": aligner.client_statistics(X[COLUMNS[:4]])})
    with pytest.raises(ClientError, match=r"columns \['v4', .* not in the model"):
        aligner.fit_shared(X, None, shared)


@pytest.mark.parametrize(
    "options, text",
    [
        ({"n_components": 0}, "n_components"),
        ({"whiten": "yes"}, "whiten"),
        ({"min_count": 0}, "min_count"),
        ({"small_clients": "drop"}, "small_clients must be one of"),
    ],
)
def test_bad_parameters_are_refused(options, text):
    with pytest.raises((ValueError, TypeError), match=text):
        FederatedPCAAligner(**options).fit(low_rank(20))


def test_contract():
    check_aligner(FederatedPCAAligner(n_components=2))
