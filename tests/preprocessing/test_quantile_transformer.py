import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer
from three_acts import run

from skfed.exceptions import AlignmentWarning
from skfed.preprocessing import FederatedQuantileTransformer
from skfed.preprocessing._quantile_transformer import client_levels


@pytest.mark.parametrize("output", ["uniform", "normal"])
@pytest.mark.parametrize("n_quantiles", [1, 2, 17, 100])
def test_one_client_equals_scikit_learn(output, n_quantiles):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [rng.exponential(size=60), rng.integers(0, 4, 60), np.full(60, 7.0)]
    )
    X[rng.random(X.shape) < 0.1] = np.nan
    how = {"n_quantiles": n_quantiles, "output_distribution": output}
    step = FederatedQuantileTransformer(**how, min_count=1).fit(X)
    how["n_quantiles"] = min(n_quantiles, 60)
    own = QuantileTransformer(**how, subsample=None).fit(X)
    np.testing.assert_allclose(step.quantiles_, own.quantiles_, rtol=1e-12)
    new = np.r_[X, X - 1, X + 1]
    np.testing.assert_allclose(step.transform(new), own.transform(new), atol=1e-9)
    Z = step.transform(X)
    np.testing.assert_allclose(step.inverse_transform(Z), own.inverse_transform(Z))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(14, 120), min_size=1, max_size=4),
    st.integers(1, 5),
    st.integers(5, 100),
    st.integers(0, 10**6),
)
def test_error_bound_against_the_pooled_transform(sizes, min_count, n_quantiles, seed):
    rng = np.random.default_rng(seed)
    X = {
        f"c{k}": rng.normal(k, 1 + k, size=(n, 1)) ** rng.integers(1, 4)
        for k, n in enumerate(sizes)
    }
    rows, n = np.vstack(list(X.values())), sum(sizes)
    n_pooled = min(n_quantiles, n)
    pooled = QuantileTransformer(n_quantiles=n_pooled, subsample=None).fit(rows)
    step = FederatedQuantileTransformer(n_quantiles=n_quantiles, min_count=min_count)
    fitted = run(step, X)["c0"]
    error = 0.0
    for m in sizes:
        levels = client_levels(m, n_quantiles, min_count)
        error += m * max(np.diff(levels).max(), levels[0], 1 / m) / n
    bound = error + 2 / (n_pooled - 1) + 1 / n
    assert np.abs(fitted.transform(rows) - pooled.transform(rows)).max() <= bound


def test_merged_distribution_is_the_mixture(federate):
    rng = np.random.default_rng(1)
    X = {"a": rng.normal(-9, 1, (1000, 1)), "b": rng.normal(9, 1, (3000, 1))}
    fitted = federate(FederatedQuantileTransformer(), X)
    assert abs(fitted["a"].transform([[0.0]])[0, 0] - 0.25) < 0.01
    np.testing.assert_array_equal(fitted["a"].quantiles_, fitted["b"].quantiles_)
    Z = np.vstack([fitted[c].transform(X[c]) for c in X])
    np.testing.assert_allclose(
        np.quantile(Z, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02
    )


@given(st.integers(2, 300), st.integers(1, 9), st.integers(1, 200))
@settings(max_examples=60)
def test_every_sent_quantile_has_min_count_rows_around_it(n, min_count, n_quantiles):
    ranks = client_levels(n, n_quantiles, min_count) * (n - 1)
    assert len(ranks) == 0 or len(ranks) >= 2
    if n >= 3 * min_count - 1:
        assert len(ranks) <= max(2, n_quantiles)
        assert ranks[0] >= min_count - 1 - 1e-9
        assert n - 1 - ranks[-1] >= min_count - 1 - 1e-9
        assert np.diff(ranks).min() >= min_count - 1e-9
    else:
        assert len(ranks) == 0


def test_extremes_of_a_client_are_not_sent():
    X = np.r_[np.linspace(0, 1, 98), -1e9, 1e9][:, None]
    sent = FederatedQuantileTransformer().client_statistics(X)["quantiles:x0"]
    assert 0 < sent.min() and sent.max() < 1


def test_trimmed_tails_are_continued_with_their_slope(federate):
    X = {c: np.linspace(0, 1, n)[:, None] for c, n in (("a", 100), ("b", 60))}
    quantiles = federate(FederatedQuantileTransformer(), X)["a"].quantiles_[:, 0]
    np.testing.assert_allclose(quantiles, np.linspace(0, 1, 100), atol=1e-12)


def test_columns_match_by_name(federate):
    rng = np.random.default_rng(2)
    a = pd.DataFrame(rng.normal(size=(50, 2)), columns=["u", "v"])
    b = pd.DataFrame(rng.normal(5, 1, size=(50, 2)), columns=["w", "u"])
    fitted = federate(FederatedQuantileTransformer(), {"a": a, "b": b})
    np.testing.assert_array_equal(
        fitted["a"].quantiles_[:, 0], fitted["b"].quantiles_[:, 1]
    )


def test_column_nobody_may_report_is_named(federate):
    rng = np.random.default_rng(3)
    X = {c: rng.normal(size=(10, 1)) for c in "ab"}
    with pytest.warns(AlignmentWarning, match=r"\['x0'\].*14 are needed"):
        fitted = federate(FederatedQuantileTransformer(), X)
    np.testing.assert_allclose(
        np.sort(fitted["a"].transform(X["a"]).ravel())[[0, -1]], [0, 1]
    )


def test_column_without_a_value_stays_missing():
    X = np.column_stack([np.arange(20.0), np.full(20, np.nan)])
    Z = FederatedQuantileTransformer().fit_transform(X)
    assert np.isnan(Z[:, 1]).all() and np.isfinite(Z[:, 0]).all()


def test_bad_parameters():
    with pytest.raises(ValueError, match="output_distribution"):
        FederatedQuantileTransformer(output_distribution="beta").fit(np.eye(20))
    with pytest.raises(ValueError, match="n_quantiles"):
        FederatedQuantileTransformer(n_quantiles=0).fit(np.eye(20))
