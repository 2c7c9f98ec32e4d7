"""Filling a client's NaN cells at the client, where their pattern is too rare."""

import numpy as np
from scipy import sparse

from ._factor_em import expected_factors, factor_covariances, maximise, start
from ._patterns import missing_patterns

# A rough model suffices: it only has to keep the correlations of filled cells.
_COMPONENTS, _ITERATIONS, _RIDGE, _MIN_NOISE = 8, 10, 1e-2, 0.05


def fill_rows(X, rows, columns):
    """Fill ``X[rows][:, columns]`` by a factor model of the client's own table.

    Returns
    -------
    values : ndarray of shape (n, o)
        Observed cells as they are, the others as their conditional means.
    extra : ndarray of shape (o, o)
        Summed conditional covariances of the filled cells: added to the second
        moments of ``values`` it gives their expectation, so that filling neither
        shrinks variances nor inflates correlations.
    """
    values = X[np.ix_(rows, columns)]
    missing = np.isnan(values)
    if not missing.any():
        return values, np.zeros((columns.size, columns.size))
    observed = ~np.isnan(X)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = np.where(observed, X, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(observed, (X - mean) ** 2, 0.0).sum(axis=0) / count)
    spread[spread == 0] = 1.0
    Z = (X - mean) / spread
    loadings, noise = _fit_rows(Z)
    w, psi, scale = loadings[columns], noise[columns], spread[columns]
    patterns = missing_patterns(Z[rows])
    fitted = expected_factors(Z[rows], loadings, noise, patterns) @ w.T
    values = np.where(missing, mean[columns] + scale * fitted, values)
    extra = np.zeros((columns.size, columns.size))
    covariances = factor_covariances(patterns.masks, loadings, noise)
    for mask, covariance, n_rows in zip(
        patterns.masks, covariances, patterns.counts, strict=True
    ):
        gap = np.flatnonzero(~mask[columns])
        part = w[gap] @ covariance @ w[gap].T + np.diag(psi[gap])
        extra[np.ix_(gap, gap)] += n_rows * part
    return values, extra * np.outer(scale, scale)


def _fit_rows(Z):
    """Fit the factor model to rows (n, d) with NaN, each row its own pattern."""
    observed, patterns = ~np.isnan(Z), missing_patterns(Z)
    mask, filled = observed.astype(float), np.where(observed, Z, 0.0)
    d, m = Z.shape[1], min(_COMPONENTS, Z.shape[1])
    count, second = mask.sum(axis=0), (filled**2).sum(axis=0)
    loadings, noise = start(filled.T @ filled / np.maximum(mask.T @ mask, 1.0), m)
    n, (p, _) = len(Z), patterns.masks.shape
    by_pattern = sparse.csr_array(
        (np.ones(n), (patterns.member, np.arange(n))), shape=(p, n)
    )
    for _ in range(_ITERATIONS):
        covariances = factor_covariances(patterns.masks, loadings, noise)
        factors = expected_factors(Z, loadings, noise, patterns)
        outer = (factors[:, :, None] * factors[:, None, :]).reshape(n, m * m)
        both = patterns.counts[:, None] * covariances.reshape(p, m * m)
        both += by_pattern @ outer
        zz = (patterns.masks.T.astype(float) @ both).reshape(d, m, m)
        loadings, noise = maximise(
            filled.T @ factors, zz, second, count, _RIDGE, _MIN_NOISE
        )
    return loadings, noise
