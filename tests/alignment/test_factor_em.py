import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.decomposition import FactorAnalysis

from skfed.alignment._factor_em import (
    expected_factors,
    fit_factors,
    log_likelihood,
    merge_blocks,
)
from skfed.alignment._factor_fill import _fit_rows, fill_rows

EXACT = {"ridge": 0.0, "min_noise": 0.0, "tol": 0.0}


def rows_of(rng, n, d, m):
    """Draw standardised rows (n, d) of a factor model with noise 0.5."""
    X = rng.normal(size=(n, m)) @ rng.normal(size=(m, d))
    X = X / np.sqrt((X**2).mean(axis=0)) + 0.7 * rng.normal(size=(n, d))
    return X / np.sqrt((X**2).mean(axis=0))


def block_of(X, columns):
    """Return the block of all rows of X observing some columns."""
    part = X[:, columns]
    return np.asarray(columns), float(len(part)), part.T @ part


def random_blocks(seed, d=6, m=2, n_blocks=4):
    """Blocks over random columns that together cover all of them."""
    rng = np.random.default_rng(seed)
    blocks = [block_of(rows_of(rng, 80, d, m), np.arange(d))]
    for _ in range(n_blocks):
        columns = np.sort(rng.choice(d, rng.integers(1, d + 1), replace=False))
        blocks.append(block_of(rows_of(rng, 50, d, m), columns))
    return blocks


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_likelihood_never_falls_without_ridge(seed):
    model = fit_factors(random_blocks(seed), 6, 2, max_iter=60, **EXACT)
    values = np.array(model.log_likelihoods)
    assert (np.diff(values) >= -1e-9 * np.abs(values[1:])).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_merged_or_permuted_blocks_give_the_same_model(seed, random):
    blocks = random_blocks(seed)
    blocks += [(columns, n / 2, A / 3) for columns, n, A in blocks[:2]]
    one = fit_factors(blocks, 6, 2, 1e-2, 0.05, 30, 0.0)
    random.shuffle(blocks)
    merged = merge_blocks(blocks)
    assert len({tuple(columns) for columns, _, _ in merged}) == len(merged)
    two = fit_factors(merged, 6, 2, 1e-2, 0.05, 30, 0.0)
    np.testing.assert_allclose(one.loadings, two.loadings, atol=1e-6)
    np.testing.assert_allclose(one.noise, two.noise, atol=1e-8)
    np.testing.assert_allclose(one.log_likelihoods, two.log_likelihoods, rtol=1e-10)


def test_ridge_is_per_row():
    blocks = random_blocks(7)
    twice = [(columns, 2 * n, 2 * A) for columns, n, A in blocks]
    one, two = (fit_factors(b, 6, 2, 0.1, 0.05, 30, 0.0) for b in (blocks, twice))
    np.testing.assert_allclose(one.loadings, two.loadings, atol=1e-8)
    weaker = fit_factors(blocks, 6, 2, 1e-3, 0.05, 30, 0.0)
    assert (weaker.loadings**2).sum() > (one.loadings**2).sum()


def test_blocks_agree_with_row_by_row_em():
    rng = np.random.default_rng(3)
    X = rows_of(rng, 60, 5, 2)
    X[rng.random(X.shape) < 0.3] = np.nan
    X = X[~np.isnan(X).all(axis=1)]
    blocks = [block_of(row[None], np.flatnonzero(~np.isnan(row))) for row in X]
    by_block = fit_factors(merge_blocks(blocks), 5, 5, 1e-2, 0.05, 10, 0.0)
    loadings, noise = _fit_rows(X)
    np.testing.assert_allclose(
        by_block.loadings @ by_block.loadings.T, loadings @ loadings.T, atol=1e-9
    )
    np.testing.assert_allclose(by_block.noise, noise, atol=1e-9)


def test_likelihood_is_the_gaussian_density():
    rng = np.random.default_rng(4)
    X = rows_of(rng, 30, 4, 2)
    W, psi = rng.normal(size=(4, 2)), rng.uniform(0.5, 1.0, size=4)
    blocks = [block_of(X, [0, 2, 3]), block_of(X, [1])]
    cov = W @ W.T + np.diag(psi)
    expected = sum(
        multivariate_normal(cov=cov[np.ix_(c, c)]).logpdf(X[:, c]).sum()
        for c in ([0, 2, 3], [1])
    )
    assert log_likelihood(blocks, W, psi) == pytest.approx(expected)


def test_one_full_block_is_factor_analysis():
    X = rows_of(np.random.default_rng(0), 400, 7, 2)
    X -= X.mean(axis=0)
    ours = fit_factors([block_of(X, np.arange(7))], 7, 2, 0.0, 0.0, 3000, 1e-13)
    theirs = FactorAnalysis(2, svd_method="lapack", tol=1e-9, max_iter=5000).fit(X)
    covariance = ours.loadings @ ours.loadings.T + np.diag(ours.noise)
    np.testing.assert_allclose(covariance, theirs.get_covariance(), atol=1e-4)
    assert ours.log_likelihoods[-1] == pytest.approx(theirs.score(X) * len(X), rel=1e-7)


def test_loadings_are_on_principal_axes_with_fixed_signs():
    model = fit_factors(random_blocks(5), 6, 3, 1e-2, 0.05, 50, 0.0)
    scaled = model.loadings / np.sqrt(model.noise)[:, None]
    gram = scaled.T @ scaled
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-10)
    assert (np.diff(np.diag(gram)) <= 1e-12).all()
    strongest = np.abs(model.loadings).argmax(axis=0)
    assert (model.loadings[strongest, range(3)] > 0).all()


def test_columns_of_no_block_stay_out_of_the_model():
    blocks = [block_of(rows_of(np.random.default_rng(1), 50, 4, 1), np.arange(4))]
    model = fit_factors(blocks, 6, 2, 1e-2, 0.05, 20, 0.0)
    assert not model.loadings[4:].any()
    np.testing.assert_array_equal(model.noise[4:], 1.0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000))
@settings(max_examples=15, deadline=None)
def test_factors_are_conditional_means_whatever_the_pattern(seed, n):
    rng = np.random.default_rng(seed)
    W, psi = rng.normal(size=(5, 2)), rng.uniform(0.2, 1.0, size=5)
    X = rng.normal(size=(n, 5))
    X[rng.random(X.shape) < 0.4] = np.nan
    factors = expected_factors(X, W, psi)
    for i in rng.integers(0, n, size=5):
        o = ~np.isnan(X[i])
        cov = W[o] @ W[o].T + np.diag(psi[o])
        expected = W[o].T @ np.linalg.solve(cov, X[i, o])
        np.testing.assert_allclose(factors[i], expected, atol=1e-10)


def test_filling_keeps_cells_and_second_moments():
    rng = np.random.default_rng(6)
    full = rows_of(rng, 3000, 6, 2) * [1, 10, 1, 1, 0.1, 1] + 5
    X = full.copy()
    X[rng.random(X.shape) < 0.3] = np.nan
    everywhere = np.arange(6)
    values, extra = fill_rows(X, np.arange(len(X)), everywhere)
    seen = ~np.isnan(X)
    np.testing.assert_array_equal(values[seen], X[seen])
    error = ((values - full)[~seen] ** 2).mean()
    assert error < 0.8 * ((np.nanmean(X, axis=0) - full)[~seen] ** 2).mean()
    truth, scale = np.cov(full.T, bias=True), full.std(axis=0)
    filled = np.cov(values.T, bias=True) + extra / len(X)
    assert np.abs((filled - truth) / np.outer(scale, scale)).max() < 0.06
    without = np.cov(values.T, bias=True)
    assert np.abs((without - truth) / np.outer(scale, scale)).max() > 0.1
