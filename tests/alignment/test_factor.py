import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skfed.alignment import FactorAligner
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate


def latent_table(seed, n, d=6, m=2, noise=0.4, labels=False):
    """Draw a table of a factor model; labels shift the factors and are balanced."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    y = np.arange(n) % 2
    z = rng.normal(size=(n, m)) + (3.0 * y[:, None] - 1.5 if labels else 0.0)
    X = z @ fixed.normal(size=(m, d)) + noise * rng.normal(size=(n, d))
    return pd.DataFrame(X, columns=list("abcdefghijkl")[:d]), y


def two_clients(labels):
    """Clients that own "abcd" and "cdef" of one model, with equal class shares."""
    one, y_one = latent_table(1, 40, labels=labels)
    two, y_two = latent_table(2, 60, labels=labels)
    if not labels:
        y_one = y_two = None
    return {"one": (one[list("abcd")], y_one), "two": (two[list("fedc")], y_two)}


def assert_same_model(left, right, atol=1e-8):
    assert left.columns_ == right.columns_
    for name in ["loadings_", "noise_variance_", "mean_", "scale_"]:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), atol=atol)
    assert left.log_likelihood_ == pytest.approx(right.log_likelihood_, rel=1e-9)


@pytest.mark.parametrize("labels", [False, True])
def test_clients_together_equal_one_table_with_nan(labels):
    clients = two_clients(labels)
    table = pd.concat([X for X, _ in clients.values()], ignore_index=True)
    assert table.isna().any().any()
    y = np.concatenate([y for _, y in clients.values()]) if labels else None
    aligner = FactorAligner(n_components=2)
    pooled = aligner.fit(table, y)
    for name, one in federate(aligner, clients).items():
        assert_same_model(one, pooled)
        X = clients[name][0]
        wide = X.reindex(columns=table.columns)
        Z = pd.DataFrame(pooled.transform(wide), columns=pooled.columns_)
        np.testing.assert_allclose(one.transform(X), Z[one.columns_], atol=1e-8)


def test_regression_target_equals_one_table_with_nan():
    clients = {
        name: (X, X.iloc[:, 0].to_numpy() + k)
        for k, (name, (X, _)) in enumerate(two_clients(False).items())
    }
    table = pd.concat([X for X, _ in clients.values()], ignore_index=True)
    y = np.concatenate([y for _, y in clients.values()])
    pooled = FactorAligner(n_components=2).fit(table, y)
    assert_same_model(federate(FactorAligner(n_components=2), clients)["two"], pooled)


def test_several_targets_are_as_many_columns():
    plain = two_clients(False)
    wide = {
        name: (X, np.column_stack([X.iloc[:, 0] + k, 2.0 * X.iloc[:, 1]]))
        for k, (name, (X, _)) in enumerate(plain.items())
    }
    table = pd.concat([X for X, _ in wide.values()], ignore_index=True)
    pooled = FactorAligner(n_components=2).fit(
        table, np.concatenate([Y for _, Y in wide.values()])
    )
    found = federate(FactorAligner(n_components=2), wide)
    assert_same_model(found["two"], pooled)
    turned = {name: (X, Y[:, ::-1]) for name, (X, Y) in wide.items()}
    other = federate(FactorAligner(n_components=2), turned)["two"]
    assert_same_model(found["two"], other)
    assert other.log_likelihood_ == pytest.approx(found["two"].log_likelihood_)
    one = {**wide, "two": (wide["two"][0], wide["two"][1][:, 0])}
    with pytest.raises(ClientError, match="'two' in 1; give the same"):
        federate(FactorAligner(), one)


def test_a_target_of_which_few_rows_differ_is_withheld():
    wide = {n: (X, np.zeros((len(X), 2))) for n, (X, _) in two_clients(False).items()}
    for X, Y in wide.values():
        Y[:, 0] = X.iloc[:, 0]
    wide["one"][1][:2, 1] = 1.0
    with pytest.warns(AlignmentWarning, match=r"'one' withholds its targets \[1\]"):
        federate(FactorAligner(), wide)


def test_order_of_rows_columns_and_clients_does_not_matter():
    clients = two_clients(True)
    rng = np.random.default_rng(5)
    shuffled = {}
    for name, (X, y) in clients.items():
        rows = rng.permutation(len(X))
        shuffled["z" if name == "one" else "a"] = (X.iloc[rows, ::-1], y[rows])
    left = federate(FactorAligner(n_components=2), clients)["one"]
    assert_same_model(left, federate(FactorAligner(n_components=2), shuffled)["z"])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_imputation_is_the_conditional_mean(seed):
    clients = two_clients(True)
    one = federate(FactorAligner(n_components=2), clients)["one"]
    rng = np.random.default_rng(seed)
    X = clients["one"][0].to_numpy().copy()
    X[rng.random(X.shape) < 0.3] = np.nan
    Z = one.transform(pd.DataFrame(X, columns=list("abcd")))
    cov = one.loadings_ @ one.loadings_.T + np.diag(one.noise_variance_)
    cov = cov * np.outer(one.scale_, one.scale_)
    for row, z in zip(X, Z, strict=True):
        wide = np.append(row, [np.nan, np.nan])
        o, m = ~np.isnan(wide), np.isnan(wide)
        lent = np.linalg.solve(cov[np.ix_(o, o)], wide[o] - one.mean_[o])
        expected = one.mean_[m] + cov[np.ix_(m, o)] @ lent
        np.testing.assert_allclose(z[m], expected, atol=1e-9)
        np.testing.assert_array_equal(z[o], wide[o])


def disjoint_clients(y_of):
    """Clients without a common column; y is made of the shared factor."""
    clients, truth = {}, {}
    for seed, columns in [(3, "abc"), (4, "def")]:
        rng, labels = np.random.default_rng(seed), np.arange(200) % 2
        z = rng.normal(size=200) + 3.0 * labels - 1.5
        signs = np.array([1, -1, 1, 1, 1, -1])
        X = z[:, None] * signs + 0.5 * rng.normal(size=(200, 6))
        truth[columns] = pd.DataFrame(X, columns=list("abcdef"))
        clients[columns] = (truth[columns][list(columns)], y_of(z, labels))
    return clients, truth


def test_labels_join_clients_without_a_common_column():
    clients, truth = disjoint_clients(lambda z, labels: labels)
    joined = federate(FactorAligner(n_components=1), clients)
    for columns, one in joined.items():
        Z = pd.DataFrame(one.transform(clients[columns][0]), columns=one.columns_)
        for lacking in set("abcdef") - set(columns):
            assert np.corrcoef(Z[lacking], truth[columns][lacking])[0, 1] > 0.8
    apart = federate(FactorAligner(n_components=2, anchor_labels=False), clients)
    for columns, one in apart.items():
        lacking = [j for j, name in enumerate(one.columns_) if name not in columns]
        Z = one.transform(clients[columns][0])[:, lacking]
        np.testing.assert_allclose(Z, np.broadcast_to(Z[0], Z.shape), atol=1e-6)


def test_numeric_target_joins_clients_without_a_common_column():
    clients, truth = disjoint_clients(lambda z, labels: z)
    for columns, one in federate(FactorAligner(n_components=1), clients).items():
        Z = pd.DataFrame(one.transform(clients[columns][0]), columns=one.columns_)
        for lacking in set("abcdef") - set(columns):
            assert np.corrcoef(Z[lacking], truth[columns][lacking])[0, 1] > 0.8


def test_anchor_strength_zero_is_no_anchor_and_strength_matters():
    clients = two_clients(True)
    without = {name: (X, None) for name, (X, _) in clients.items()}
    off = federate(FactorAligner(n_components=2, anchor_labels=0.0), clients)["one"]
    assert_same_model(
        off, federate(FactorAligner(n_components=2), without)["one"], atol=0
    )
    weak = federate(FactorAligner(n_components=2, anchor_labels=0.5), clients)["one"]
    true = federate(FactorAligner(n_components=2, anchor_labels=True), clients)["one"]
    one = federate(FactorAligner(n_components=2, anchor_labels=1.0), clients)["one"]
    assert_same_model(true, one, atol=0)
    assert not np.allclose(weak.loadings_, true.loadings_, atol=1e-3)


def test_labels_of_a_client_do_not_enter_its_transform():
    clients = two_clients(True)
    aligner = FactorAligner(n_components=2)
    fitted = federate(aligner, clients)["one"]
    X, y = clients["one"]
    shared = aligner.merge(
        {name: aligner.client_statistics(*client) for name, client in clients.items()}
    )
    for target in [None, 1 - y, np.zeros(len(y))]:
        other = FactorAligner(n_components=2).fit_shared(X, target, shared)
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))


def test_labels_may_be_of_any_one_type():
    clients = two_clients(True)
    codes = federate(FactorAligner(n_components=2), clients)["one"]
    for rename in [lambda y: np.where(y, "yes", "no"), lambda y: y.astype(bool)]:
        renamed = {name: (X, rename(y)) for name, (X, y) in clients.items()}
        other = federate(FactorAligner(n_components=2), renamed)["one"]
        assert_same_model(codes, other)


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e4, 1e4))
def test_units_do_not_matter(factor, shift):
    clients = two_clients(True)
    plain = federate(FactorAligner(n_components=2), clients)
    moved = {name: (X * factor + shift, y) for name, (X, y) in clients.items()}
    for name, one in federate(FactorAligner(n_components=2), moved).items():
        expected = plain[name].transform(clients[name][0]) * factor + shift
        Z = one.transform(moved[name][0])
        assert np.abs(Z - expected).max() < 1e-5 * factor


def test_columns_far_from_zero_lose_no_digits():
    clients = two_clients(True)
    plain = federate(FactorAligner(n_components=2), clients)["one"]
    far = {name: (X + 1e7, y) for name, (X, y) in clients.items()}
    one = federate(FactorAligner(n_components=2), far)["one"]
    np.testing.assert_allclose(one.loadings_, plain.loadings_, atol=1e-5)


def test_outputs():
    clients = two_clients(True)
    impute, scores, both = (
        federate(FactorAligner(n_components=3, output=output), clients)["two"]
        for output in ["impute", "scores", "both"]
    )
    X = clients["two"][0]
    assert list(impute.get_feature_names_out()) == list("abcdef")
    factors = ["factor0", "factor1", "factor2"]
    assert list(scores.get_feature_names_out()) == factors
    assert list(both.get_feature_names_out()) == list("abcdef") + factors
    expected = np.hstack([impute.transform(X), scores.transform(X)])
    np.testing.assert_array_equal(both.transform(X), expected)


def test_more_components_than_columns_are_capped():
    clients = two_clients(True)
    one = federate(FactorAligner(n_components=50), clients)["one"]
    assert (
        one.n_components_
        == 6
        == FactorAligner().fit(latent_table(0, 40)[0]).n_components_
    )
    assert one.loadings_.shape == (6, 6)


def test_constant_columns_pass_and_are_imputed_as_their_value():
    clients = two_clients(False)
    X, _ = clients["one"]
    clients["one"] = (X.assign(a=0.1), None)
    fitted = federate(FactorAligner(n_components=2), clients)
    Z = pd.DataFrame(
        fitted["two"].transform(clients["two"][0]), columns=fitted["two"].columns_
    )
    np.testing.assert_allclose(Z["a"], 0.1)
    assert fitted["one"].scale_[0] == 1.0
    changed = fitted["one"].transform(X.assign(a=7.0))
    np.testing.assert_allclose(
        changed[:, 1:], fitted["one"].transform(X.assign(a=0.1))[:, 1:], atol=1e-8
    )


def test_rows_without_any_cell_get_the_means():
    one = federate(FactorAligner(n_components=2), two_clients(False))["one"]
    empty = pd.DataFrame(np.full((2, 4), np.nan), columns=list("abcd"))
    np.testing.assert_allclose(one.transform(empty), [one.mean_, one.mean_])


def test_scattered_nan_cells_hardly_change_the_model():
    X, _ = latent_table(8, 2000)
    full = FactorAligner(n_components=2).fit(X)
    holes = X.mask(np.random.default_rng(0).random(X.shape) < 0.2)
    fitted = FactorAligner(n_components=2).fit(holes)
    left = full.loadings_ @ full.loadings_.T
    right = fitted.loadings_ @ fitted.loadings_.T
    assert np.abs(left - right).max() < 0.05
    error = (fitted.transform(holes) - X).to_numpy()[holes.isna()]
    worse = (X.mean() - X).to_numpy()[holes.isna()]
    assert (error**2).mean() < 0.3 * (worse**2).mean()


def test_mixed_label_types_are_refused():
    clients = two_clients(True)
    X, y = clients["one"]
    clients["one"] = (X, np.where(y, "yes", "no"))
    with pytest.raises(ClientError, match="'str': .'one'.*'int': .'two'"):
        federate(FactorAligner(), clients)
    mixed = np.array([1, "a"] * 20, dtype=object)
    for bad in [mixed, np.array([None, 1] * 20, dtype=object)]:
        with pytest.raises(ClientError, match="labels must be all int"):
            FactorAligner().fit(X, bad)
    with pytest.raises(ClientError, match="target holds NaN"):
        FactorAligner().fit(X, np.full(40, np.nan))
    FactorAligner(anchor_labels=False).fit(X, mixed)


def test_tasks_of_two_kinds_can_share_the_model():
    clients = two_clients(True)
    X, y = clients["two"]
    clients["two"] = (X, y + 0.5 * X["c"].to_numpy())
    fitted = federate(FactorAligner(n_components=2), clients)
    assert np.isfinite(fitted["one"].transform(clients["one"][0])).all()


def test_unknown_columns_are_refused_when_finishing():
    clients = two_clients(False)
    aligner = FactorAligner()
    X = clients["one"][0]
    shared = aligner.merge({"one": aligner.client_statistics(X)})
    with pytest.raises(ClientError, match=r"\['new'\] are not in the model"):
        aligner.fit_shared(X.assign(new=1.0), None, shared)


def test_a_client_that_sends_nothing_takes_part():
    clients = two_clients(False)
    X = pd.DataFrame({"a": [1.0, 2.0], "new": [3.0, 4.0]})
    clients["few"] = (X, None)
    with pytest.warns(AlignmentWarning, match="'few' .2 rows. sends nothing.*'new'"):
        fitted = federate(FactorAligner(n_components=2), clients)
    Z = pd.DataFrame(fitted["few"].transform(X), columns=fitted["few"].columns_)
    pd.testing.assert_frame_equal(Z[["a", "new"]], X)
    Z = fitted["one"].transform(clients["one"][0])
    np.testing.assert_array_equal(Z[:, fitted["one"].columns_.index("new")], 0.0)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_components": 0},
        {"n_components": "all"},
        {"output": "z"},
        {"small_clients": "drop"},
        {"min_count": 0},
        {"max_iter": 0},
        {"ridge": -1.0},
        {"anchor_labels": -1.0},
        {"anchor_labels": "strong"},
        {"tol": np.nan},
    ],
    ids=str,
)
def test_bad_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises((ValueError, TypeError), match=name):
        FactorAligner(**parameters).fit(np.eye(10))
