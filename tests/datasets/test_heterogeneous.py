"""Every dial does what its docstring says, alone and with the others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression

from skfed.datasets import make_heterogeneous_clients
from skfed.exceptions import ClientError

N_CLIENTS = 4
FAST = settings(max_examples=25, deadline=None)


def make(*args, random_state=0, **dials):
    return make_heterogeneous_clients(*args, random_state=random_state, **dials)


def assert_same_tables(left, right):
    assert left.keys() == right.keys()
    for name, (X, y) in left.items():
        other, target = right[name]
        assert type(X) is type(other)
        if isinstance(X, pd.DataFrame):
            pd.testing.assert_frame_equal(X, other)
        else:
            np.testing.assert_array_equal(X, other)
        np.testing.assert_array_equal(y, target)


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, np.array(["a", "b", "c"], dtype=object)[y]


GENERATED = {
    "quantity_skew": st.sampled_from([0.0, 0.7, 2.0]),
    "feature_map": st.sampled_from(["subset", "disjoint", "linear"]),
    "label_shift": st.sampled_from([0.0, 0.5, 5.0]),
    "covariate_shift": st.sampled_from([0.0, 1.0]),
    "concept_shift": st.sampled_from([0.0, 0.5, 1.0]),
    "label_noise": st.sampled_from([0.0, 0.3]),
    "missing": st.sampled_from([0.0, 0.4]),
    "n_test": st.sampled_from([0, 7]),
    "task": st.sampled_from(["classification", "regression"]),
}


@FAST
@given(dials=st.fixed_dictionaries(GENERATED), seed=st.integers(0, 2**32))
def test_all_dials_together_give_sound_clients(dials, seed):
    n_test = dials["n_test"]
    data = make(N_CLIENTS, 30, random_state=seed, **dials)
    again = make(N_CLIENTS, 30, random_state=seed, **dials)
    assert_same_tables(data.clients, again.clients)
    assert_same_tables(data.test, again.test)
    assert sum(len(y) for _, y in data.clients.values()) == N_CLIENTS * 30
    assert list(data.clients) == [f"client_{k}" for k in range(N_CLIENTS)]
    assert list(data.test) == (list(data.clients) if n_test else [])
    for name, (X, y) in data.clients.items():
        truth = data.truth[name]
        assert len(X) == len(y) >= 10
        assert not pd.isna(y).any()
        width = len(truth.columns) if truth.map is None else truth.map.shape[1]
        assert X.shape[1] == width >= 1
        gaps = round(dials["missing"] * len(X))
        assert (pd.DataFrame(X).isna().sum() == gaps).all()
        assert sum(truth.label_shares.values()) == pytest.approx(1)
        if n_test:
            X_test, y_test = data.test[name]
            assert X_test.shape == (n_test, width)
            assert len(y_test) == n_test
            assert not pd.isna(X_test).any(axis=None)
            if truth.map is None:
                assert list(X_test) == list(X) == truth.columns


@FAST
@given(
    seed=st.integers(0, 2**32),
    skew=st.sampled_from([0.0, 1.0]),
    test_size=st.sampled_from([0.3, 0.5]),
    label_shift=st.sampled_from([0.0, 0.1]),
)
def test_rows_of_a_given_table_are_shared_by_nobody(seed, skew, test_size, label_shift):
    X, y = load_wine(return_X_y=True, as_frame=True)
    data = make(
        3,
        15,
        X=X,
        y=y,
        quantity_skew=skew,
        min_samples=5,
        label_shift=label_shift,
        n_test=12,
        test_size=test_size,
        random_state=seed,
    )
    rows = [data.truth[name].rows for name in data.clients]
    assert len(set(np.concatenate(rows))) == 45
    for name, truth in data.truth.items():
        assert len(set(truth.test_rows)) == 12
        assert not set(truth.test_rows) & set(np.concatenate(rows))
        for part, positions in (
            (data.clients, truth.rows),
            (data.test, truth.test_rows),
        ):
            pd.testing.assert_frame_equal(
                part[name][0], X.iloc[positions].reset_index(drop=True)
            )
            np.testing.assert_array_equal(part[name][1], y[positions])


def test_everything_off_gives_iid_clients_with_all_columns():
    data = make(5, 400, n_test=400)
    assert "none" in data.DESCR
    assert {X.shape for X, _ in data.clients.values()} == {(400, 20)}
    pooled = pd.concat(X for X, _ in data.clients.values())
    labels = np.concatenate([y for _, y in data.clients.values()])
    covariance = pooled.groupby(labels).cov().groupby(level=1).mean()
    covariance = covariance.loc[pooled.columns].to_numpy()
    np.testing.assert_allclose(covariance, data.problem.covariance, atol=0.15)
    means = pooled.groupby(labels).mean().to_numpy()
    np.testing.assert_allclose(means, data.problem.means, atol=0.15)
    assert set(pooled.columns[np.any(data.problem.means != 0, axis=0)]) == set(
        data.problem.informative
    )
    # One model serves all: a client's own test rows or another's, it is the same.
    model = LinearDiscriminantAnalysis().fit(pooled, labels)
    scores = [model.score(*data.test[name]) for name in data.test]
    assert max(scores) - min(scores) < 0.12


def test_everything_off_deals_a_whole_given_table():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    data = make(13, 34, X=X, y=y, task="regression", n_test=0)
    rows = np.concatenate([truth.rows for truth in data.truth.values()])
    assert sorted(rows) == list(range(442))
    assert data.problem is None


def test_a_given_table_keeps_names_types_text_and_gaps():
    X = pd.DataFrame(
        {
            "n": np.arange(60),
            "f": np.where(np.arange(60) % 7 == 0, np.nan, 1.0),
            "t": ["a", None, "b"] * 20,
            "b": [True, False] * 30,
        },
        index=np.arange(60)[::-1],
    )
    y = np.array(["yes", "no"] * 30)
    data = make(3, 10, X=X, y=y, n_test=5)
    for name, (table, target) in data.clients.items():
        assert (table.dtypes == X.dtypes).all()
        assert isinstance(table.index, pd.RangeIndex)
        rows = data.truth[name].rows
        pd.testing.assert_frame_equal(table, X.iloc[rows].reset_index(drop=True))
        np.testing.assert_array_equal(target, y[rows])
    moved = make(3, 10, X=X, y=y, n_test=5, covariate_shift=1.0, missing=0.2)
    table, _ = moved.clients["client_0"]
    assert table["b"].dropna().isin([True, False]).all()
    assert set(table["t"].dropna()) <= {"a", "b"}
    assert table["n"].isna().sum() == 2


def test_an_array_gets_names_and_polars_keeps_them():
    X, y = load_wine(return_X_y=True)
    data = make(2, 10, X=X, y=y, n_test=5)
    assert list(data.clients["client_0"][0]) == [f"x{j}" for j in range(13)]
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=[f"x{j}" for j in range(13)])
    assert_same_tables(make(2, 10, X=frame, y=y, n_test=5).clients, data.clients)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(
    "dial",
    [
        {"label_noise": 0.4},
        {"missing": 0.5},
        {"n_samples": 80},
        {"quantity_skew": 1.5},
        {"n_samples": [10, 20, 30, 40]},
    ],
    ids=lambda dial: "-".join(dial),
)
@pytest.mark.parametrize("given_table", [False, True])
def test_dials_of_the_training_rows_leave_the_test_rows_alone(task, dial, given_table):
    others = dict(feature_overlap=0.5, covariate_shift=0.5, concept_shift=0.5)
    if given_table:
        load = load_digits if task == "classification" else load_diabetes
        others["X"], others["y"] = load(return_X_y=True)
        dial = {"n_samples": 40} if dial == {"n_samples": 80} else dial
    settings = {"n_samples": 30, **others, "task": task, "n_test": 20}
    plain = make(N_CLIENTS, **settings)
    turned = make(N_CLIENTS, **{**settings, **dial})
    assert_same_tables(plain.test, turned.test)
    (X, y), (X_turned, y_turned) = plain.clients["client_1"], turned.clients["client_1"]
    assert not (X.equals(X_turned) and np.array_equal(y, y_turned))


def test_each_dial_leaves_the_draws_of_the_others():
    plain = make(N_CLIENTS, 30)
    turned = make(
        N_CLIENTS, 30, feature_overlap=0.4, concept_shift=0.5, label_noise=0.2
    )
    for name, (X, _) in turned.clients.items():
        pd.testing.assert_frame_equal(X, plain.clients[name][0][list(X)])


def test_sizes_are_equal_or_spread_or_given():
    def sizes(**dials):
        data = make(30, n_test=0, **dials)
        return np.array([len(y) for _, y in data.clients.values()])

    assert set(sizes(n_samples=17)) == {17}
    skewed = sizes(n_samples=200, quantity_skew=1.0)
    assert skewed.sum() == 6000
    assert skewed.min() >= 10
    assert 0.6 < np.log(skewed - 10).std() < 1.4
    wide = sizes(n_samples=200, quantity_skew=2.0)
    assert wide.std() > skewed.std()
    assert sizes(n_samples=5, quantity_skew=2.0).tolist() == [5] * 30
    assert sizes(n_samples=list(range(1, 31))).tolist() == list(range(1, 31))


@pytest.mark.parametrize("overlap, kept", [(0.0, 1), (0.3, 6), (0.5, 10), (1.0, 20)])
def test_a_client_keeps_the_share_of_columns(overlap, kept):
    data = make(6, 10, feature_overlap=overlap, n_test=3)
    for name, (X, _) in data.clients.items():
        assert X.shape[1] == kept
        assert list(X) == data.truth[name].columns == list(data.test[name][0])
        # In the order of the problem, by name.
        assert list(X) == sorted(X, key=lambda column: int(column[1:]))
    if overlap in (0.3, 0.5):
        assert len({tuple(X) for X, _ in data.clients.values()}) > 1
        more = make(6, 10, feature_overlap=overlap + 0.2, n_test=0)
        for name in data.clients:
            assert set(data.truth[name].columns) < set(more.truth[name].columns)


def test_overlap_may_differ_by_client():
    data = make(3, 10, feature_overlap=[0.1, 0.5, 1.0], n_test=0)
    assert [X.shape[1] for X, _ in data.clients.values()] == [2, 10, 20]


def test_disjoint_columns_are_dealt_out():
    data = make(6, 10, feature_map="disjoint", n_test=2)
    columns = [list(X) for X, _ in data.clients.values()]
    assert sorted(sum(columns, [])) == sorted(f"x{j}" for j in range(20))
    assert sorted(map(len, columns)) == [3, 3, 3, 3, 4, 4]


def test_linear_maps_are_known_and_shared_by_train_and_test():
    plain = make(5, 30, covariate_shift=0.5)
    mapped = make(5, 30, covariate_shift=0.5, feature_map="linear", map_width=(3, 9))
    widths = set()
    for name, truth in mapped.truth.items():
        assert 3 <= truth.map.shape[1] <= 9
        widths.add(truth.map.shape[1])
        for part in ("clients", "test"):
            X = getattr(mapped, part)[name][0]
            assert isinstance(X, np.ndarray)
            np.testing.assert_allclose(
                X, getattr(plain, part)[name][0].to_numpy() @ truth.map
            )
    assert len(widths) > 1
    maps = np.concatenate([truth.map.ravel() for truth in mapped.truth.values()])
    assert maps.std() == pytest.approx(1 / np.sqrt(20), rel=0.15)


@FAST
@given(
    seed=st.integers(0, 2**32),
    shift=st.sampled_from([0.01, 0.5, 2.0, 50.0]),
    concept_shift=st.sampled_from([0.0, 1.0]),
    n_labels=st.sampled_from([None, 2]),
)
def test_label_shares_follow_the_drawn_shares(seed, shift, concept_shift, n_labels):
    data = make(
        N_CLIENTS,
        60,
        n_classes=5,
        label_shift=shift,
        concept_shift=concept_shift,
        n_labels_per_client=n_labels,
        n_test=40,
        random_state=seed,
    )
    for name, truth in data.truth.items():
        shares = np.array([truth.label_shares[c] for c in range(5)])
        if n_labels:
            assert (shares > 0).sum() <= n_labels
        for part in (data.clients, data.test):
            y = part[name][1]
            counts = np.bincount(y, minlength=5)
            assert np.abs(counts - len(y) * shares).max() < 1


def test_label_shift_has_the_spread_of_a_dirichlet():
    """Var of a share is p (1 - p) / (a + 1), a = C / label_shift."""
    for shift in (0.1, 1.0, 4.0):
        data = make(400, 1, label_shift=shift, n_classes=4, n_test=0)
        shares = np.array([list(t.label_shares.values()) for t in data.truth.values()])
        np.testing.assert_allclose(shares.mean(axis=0), 0.25, atol=0.06)
        expected = 0.25 * 0.75 / (4 / shift + 1)
        assert shares.var() == pytest.approx(expected, rel=0.15)


def test_shifted_regression_is_the_same_regression():
    """Rows of a bin of y keep the law of X given y, so what y shares is unchanged."""
    data = make(2, 4000, task="regression", label_shift=[0.0, 3.0], n_test=0, noise=1.0)
    coef, covariance = data.problem.coef, data.problem.covariance
    for name, truth in data.truth.items():
        X, y = data.clients[name]
        shares = np.array(list(truth.label_shares.values()))
        edges = np.quantile(data.clients["client_0"][1], np.arange(1, 10) / 10)
        found = np.bincount(np.searchsorted(edges, y), minlength=10) / len(y)
        np.testing.assert_allclose(found, shares, atol=0.03)
        # X = slope y + rest with rest independent of y, whatever the law of y.
        slope = covariance @ coef / 2.0
        fitted = LinearRegression().fit(y[:, None], X).coef_.ravel()
        np.testing.assert_allclose(fitted, slope, atol=0.08)
        rest = (X - np.outer(y, slope)).to_numpy()
        expected = covariance - 2.0 * np.outer(slope, slope)
        np.testing.assert_allclose(np.cov(rest.T), expected, atol=0.12)
    plain = data.truth["client_0"].label_shares
    assert list(plain.values()) == pytest.approx([0.1] * 10)


def test_label_shift_of_a_given_regression_goes_by_bins():
    X, y = load_diabetes(return_X_y=True)
    data = make(2, 20, X=X, y=y, task="regression", label_shift=0.5, n_test=15)
    edges = np.quantile(y, np.arange(1, 10) / 10)
    for name, truth in data.truth.items():
        shares = np.array(list(truth.label_shares.values()))
        target = data.clients[name][1]
        bins = np.searchsorted(edges, target, side="right")
        found = np.bincount(bins, minlength=10)
        assert np.abs(found - 20 * shares).max() < 1


def test_labels_are_dealt_evenly():
    data = make(10, 12, n_classes=6, n_labels_per_client=3, n_test=12)
    seen = [set(y) for _, y in data.clients.values()]
    assert [len(s) for s in seen] == [3] * 10
    counts = [sum(c in s for s in seen) for c in range(6)]
    assert counts == [5] * 6
    assert [set(y) for _, y in data.test.values()] == seen
    assert len(set(map(frozenset, seen))) > 3


def test_covariate_shift_is_affine_and_known(wine):
    X, y = wine
    settings = dict(X=X, y=y, n_test=10)
    plain = make(3, 20, **settings)
    for strength in (0.2, 1.0):
        data = make(3, 20, covariate_shift=strength, **settings)
        for name, truth in data.truth.items():
            scale, shift = pd.Series(truth.scale), pd.Series(truth.shift)
            for part in ("clients", "test"):
                expected = getattr(plain, part)[name][0] * scale + shift
                pd.testing.assert_frame_equal(getattr(data, part)[name][0], expected)
    shifts = pd.DataFrame([truth.shift for truth in data.truth.values()])
    in_sd = shifts / X.std(ddof=0)
    assert in_sd.to_numpy().std() == pytest.approx(1.0, rel=0.35)
    drift = make(60, 10, covariate_shift=0.7, n_test=0)
    log_scale = np.log([list(t.scale.values()) for t in drift.truth.values()])
    shift = np.array([list(t.shift.values()) for t in drift.truth.values()])
    assert [log_scale.mean(), log_scale.std()] == pytest.approx([0, 0.7], abs=0.06)
    assert [shift.mean(), shift.std()] == pytest.approx([0, 0.7], abs=0.06)


@pytest.mark.parametrize("share, n_changed", [(0.0, 0), (0.5, 2), (1.0, 4)])
def test_concept_shift_exchanges_labels_or_mirrors_the_target(wine, share, n_changed):
    X, y = wine
    data = make(N_CLIENTS, 15, X=X, y=y, concept_shift=share, n_test=10)
    concepts = [truth.concept for truth in data.truth.values()]
    changed = [c for c in concepts if c is not None]
    assert len(changed) == n_changed
    for concept in changed:
        assert concept == changed[0]
        assert sorted(concept) == sorted(concept.values()) == ["a", "b", "c"]
        assert all(old != new for old, new in concept.items())
    for name, truth in data.truth.items():
        new = truth.concept or {c: c for c in "abc"}
        for part, rows in ((data.clients, truth.rows), (data.test, truth.test_rows)):
            assert part[name][1].tolist() == [new[c] for c in y[rows]]

    plain = make(N_CLIENTS, 40, task="regression")
    data = make(N_CLIENTS, 40, task="regression", concept_shift=share)
    signs = []
    for name, truth in data.truth.items():
        sign = -1 if truth.concept == "mirrored" else 1
        signs.append(sign)
        for part in ("clients", "test"):
            np.testing.assert_array_equal(
                getattr(data, part)[name][1], sign * getattr(plain, part)[name][1]
            )
    assert signs.count(-1) == n_changed


def test_a_given_target_is_mirrored_at_its_mean():
    X, y = load_diabetes(return_X_y=True)
    data = make(2, 50, X=X, y=y, task="regression", concept_shift=1.0, n_test=50)
    for name, truth in data.truth.items():
        mirrored = data.clients[name][1]
        np.testing.assert_allclose(mirrored + y[truth.rows], 2 * y.mean())


@pytest.mark.parametrize("n_labels", [None, 2])
def test_label_noise_replaces_the_share_of_labels(n_labels):
    settings = dict(n_classes=4, n_labels_per_client=n_labels, concept_shift=0.5)
    plain = make(3, 40, **settings)
    some = make(3, 40, label_noise=[0.0, 0.25, 0.5], **settings)
    more = make(3, 40, label_noise=1.0, **settings)
    for k, name in enumerate(plain.clients):
        y, noisy, noisier = (d.clients[name][1] for d in (plain, some, more))
        changed = noisy != y
        assert changed.sum() == [0, 10, 20][k]
        assert (noisier != y).all()
        np.testing.assert_array_equal(noisy[changed], noisier[changed])
        if n_labels:
            assert set(noisier) == set(y)


def test_noise_on_numbers_is_in_standard_deviations(wine):
    X = wine[0].copy()
    y = X.pop("alcohol") * 100
    plain = make(1, 89, X=X, y=y, task="regression", n_test=50)
    noisy = make(1, 89, X=X, y=y, task="regression", n_test=50, label_noise=2.0)
    added = noisy.clients["client_0"][1] - plain.clients["client_0"][1]
    assert added.std() == pytest.approx(2 * y.std(ddof=0), rel=0.2)


def test_missing_leaves_a_cell_and_the_rest_as_it_was():
    plain = make(2, 30, n_test=0)
    some = make(2, 30, n_test=0, missing=[0.0, 0.5])
    most = make(2, 30, n_test=0, missing=0.99)
    for k, name in enumerate(plain.clients):
        X, part, rest = (d.clients[name][0] for d in (plain, some, most))
        assert (part.isna().sum() == [0, 15][k]).all()
        assert (rest.isna().sum() == 29).all()
        assert (rest.isna() | part.notna()).all(axis=None)
        pd.testing.assert_frame_equal(X.where(part.notna()), part)
    one = make(1, [1], n_test=0, missing=0.9)
    assert one.clients["client_0"][0].notna().all(axis=None)


def test_a_row_may_repeat_only_when_asked_for(wine):
    X, y = wine
    with pytest.raises(ClientError, match="ask for 400 training rows in all.*replace"):
        make(N_CLIENTS, X=X, y=y, n_test=10)
    with pytest.raises(ClientError, match="client_0 asks for 100 test rows, X has 90"):
        make(N_CLIENTS, 10, X=X, y=y, n_test=100)
    with pytest.raises(ClientError, match="training rows of class '.' in all"):
        make(N_CLIENTS, 20, X=X, y=y, label_shift=50.0, n_test=1)
    with pytest.raises(ClientError, match="test rows of class '.', X has"):
        make(N_CLIENTS, 2, X=X, y=y, n_labels_per_client=1, n_test=60)
    for shift in (0.0, 50.0):
        data = make(
            N_CLIENTS, 100, X=X, y=y, n_test=100, replace=True, label_shift=shift
        )
        rows = np.concatenate([t.rows for t in data.truth.values()])
        tests = np.concatenate([t.test_rows for t in data.truth.values()])
        assert (len(rows), len(tests)) == (400, 400)
        assert not set(rows) & set(tests)


def test_held_out_share_is_kept_within_classes(wine):
    X, y = wine
    data = make(1, 10, X=X, y=y, n_test=36, test_size=0.2)
    found = pd.Series(data.test["client_0"][1]).value_counts()
    expected = (0.2 * pd.Series(y).value_counts()).round()
    assert found.to_dict() == expected.to_dict()


@pytest.mark.parametrize(
    "seed", [0, np.int64(7), np.random.RandomState(3), np.random.default_rng(3), None]
)
def test_global_generators_are_not_touched(seed):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make(2, 5, random_state=seed)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_seeds_differ():
    first, second = (make(1, 5, random_state=s).clients["client_0"][0] for s in (0, 1))
    assert not first.equals(second)
    unseeded = [make(1, 5, random_state=None).clients["client_0"][0] for _ in range(2)]
    assert not unseeded[0].equals(unseeded[1])


def test_the_given_table_is_not_changed(wine):
    X, y = wine
    X_before, y_before = X.copy(), y.copy()
    data = make(
        2, 10, X=X, y=y, covariate_shift=1.0, missing=0.3, label_noise=0.5, n_test=5
    )
    data.clients["client_0"][0].iloc[:, :] = 0.0
    pd.testing.assert_frame_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


def test_the_description_lists_the_dials_that_are_turned():
    text = make(2, [3, 8], n_test=0, missing=[0.1, 0.2], feature_map="linear").DESCR
    assert "3 to 8 training rows" in text
    assert "- missing: [0.1, 0.2]" in text
    assert "- feature_map: 'linear'" in text
    assert "label_noise" not in text


WINE = dict(zip("Xy", load_wine(return_X_y=True), strict=True))
BAD = [
    (dict(n_clients=0), "n_clients must be at least 1"),
    (dict(n_samples=0), "n_samples must be at least 1"),
    (dict(n_samples=[5, 5]), "n_samples .* 3 clients, got 2"),
    (dict(n_samples=[5, 5, 5], quantity_skew=1.0), "quantity_skew spreads a mean"),
    (dict(n_test=-1), "n_test must be at least 0"),
    (dict(task="ranking"), "task must be one of .*'ranking'"),
    (dict(feature_map="rotation"), "feature_map must be one of .*'rotation'"),
    (dict(feature_overlap=1.2), r"feature_overlap must be in \[0, 1\], got 1.2"),
    (dict(feature_overlap=[0.5, 0.5]), "feature_overlap .* each of the 3 clients"),
    (dict(feature_map="linear", feature_overlap=0.5), "'subset' only, not 'linear'"),
    (dict(feature_map="linear", map_width=(5, 2)), "map_width must be at least 5"),
    (dict(feature_map="linear", map_width=4), "map_width must be two whole numbers"),
    (dict(feature_map="disjoint", n_features=10, n_clients=11), "cannot deal 10 col"),
    (dict(n_informative=21), "n_features must be at least 21, got 20"),
    (dict(n_classes=1), "n_classes must be at least 2"),
    (dict(class_sep=-1.0), "class_sep must be a finite number >= 0"),
    (dict(label_shift=-0.1), "label_shift must be a finite number >= 0"),
    (dict(label_shift=np.nan), "label_shift must be a finite number >= 0, got nan"),
    (dict(covariate_shift=np.inf), "covariate_shift must be a finite number"),
    (dict(concept_shift=1.1), r"concept_shift must be in \[0, 1\]"),
    (dict(label_noise=1.1), r"label_noise must be in \[0, 1\]"),
    (dict(missing=1.0), "missing must be in"),
    (dict(n_labels_per_client=4), "n_labels_per_client=4 but there are 3 classes"),
    (dict(n_labels_per_client=2, task="regression"), "n_labels_per_client needs cl"),
    (dict(n_labels_per_client=1, label_noise=0.1), r"\['client_0', .*one class only"),
    (dict(X=WINE["X"]), "both X and y"),
    (dict(y=WINE["y"]), "both X and y"),
    (dict(WINE, test_size=1.5), r"test_size must be in \[0, 1\]"),
    (dict(WINE, y=WINE["y"][:-1]), "inconsistent numbers of samples"),
    (dict(WINE, X=WINE["X"][:, 0]), "X must have two dimensions"),
    (dict(WINE, X=pd.DataFrame(WINE["X"])), "column names of X must be text"),
    (dict(WINE, X=pd.DataFrame(WINE["X"], columns=["a"] * 13)), r"\['a'\] occur twice"),
    (dict(WINE, y=np.where(WINE["y"], WINE["y"], np.nan)), "y has missing values"),
    (dict(X=WINE["X"], y=WINE["X"][:, 0]), "Unknown label type: continuous"),
    (dict(X=np.empty((0, 3)), y=np.empty(0)), "X is empty"),
    (dict(random_state=-1), "random_state must be at least 0"),
]


@pytest.mark.parametrize("settings, message", BAD, ids=lambda v: str(v)[:40])
def test_bad_settings_raise_one_clear_error(settings, message):
    with pytest.raises(ValueError, match=message):
        make_heterogeneous_clients(**{"n_clients": 3, **settings})


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(n_clients=2.5), "n_clients must be a whole number, got 2.5"),
        (dict(missing="some"), "missing"),
        (dict(random_state="seed"), "random_state must be a whole number"),
    ],
)
def test_wrong_types_raise(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make_heterogeneous_clients(**settings)


def test_a_linear_map_names_the_columns_it_cannot_map(wine):
    X, y = wine
    settings = dict(y=y, feature_map="linear", n_test=10)
    with pytest.raises(ClientError, match=r"client_0: .*\['colour'\] are not: encode"):
        make(2, 10, X=X.assign(colour="red"), **settings)
    with pytest.raises(ClientError, match=r"client_0: .*\['hue'\] have some: impute"):
        make(2, 10, X=X.assign(hue=np.nan), **settings)
