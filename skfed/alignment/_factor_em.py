r"""Factor analysis by EM on blocks of sufficient statistics.

The model is :math:`x = W z + e`, :math:`z \sim N(0, I_m)`,
:math:`e \sim N(0, \mathrm{diag}(\psi))`. A block holds rows that observe the same
columns O: their number n and their second moments A (o, o) about the model's mean.
Blocks of equal size are stacked, so that an iteration has no loop over blocks.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ._patterns import missing_patterns

# Keeps the noise of columns that others determine exactly (Heywood cases) positive.
_SMALLEST_NOISE = 1e-9


class Stack(NamedTuple):
    """Blocks of one size o: columns (g, o), counts (g,), moments (g, o, o)."""

    columns: np.ndarray
    counts: np.ndarray
    moments: np.ndarray


class FactorModel(NamedTuple):
    """Loadings W (d, m), noise psi (d,), the log-likelihood of every iteration."""

    loadings: np.ndarray
    noise: np.ndarray
    log_likelihoods: list[float]


def merge_blocks(blocks):
    """Add up blocks ``(columns, n, A)`` with the same columns, sorted by them."""
    merged: dict[tuple[int, ...], tuple[float, np.ndarray]] = {}
    for columns, n, moments in blocks:
        key = tuple(int(j) for j in columns)
        n_so_far, moments_so_far = merged.get(key, (0.0, 0.0))
        merged[key] = (n_so_far + n, moments_so_far + moments)
    return [(np.array(key), *merged[key]) for key in sorted(merged)]


def stack_blocks(blocks):
    """Stack blocks ``(columns, n, A)`` by their size."""
    by_size: dict[int, list] = {}
    for block in blocks:
        by_size.setdefault(len(block[0]), []).append(block)
    return [
        Stack(*(np.array(part) for part in zip(*by_size[size], strict=True)))
        for size in sorted(by_size)
    ]


def fit_factors(blocks, n_columns, n_components, ridge, min_noise, max_iter, tol):
    """Fit the model to blocks ``(columns, n, A)``.

    Column j's loadings solve ``(Ezz_j + ridge N_j I) w_j = Exz_j``; its noise is at
    least ``min_noise``. Stops when the log-likelihood changes by less than ``tol``
    relative to its size. Columns in no block keep zero loadings and noise 1.
    """
    stacks = stack_blocks(blocks)
    count, second = _column_totals(stacks, n_columns)
    gather = _gather_matrices(stacks, n_columns)
    loadings, noise = start(_correlation(stacks, n_columns), n_components)
    log_likelihoods: list[float] = []
    for _ in range(max_iter):
        value, xz, zz = _expect(stacks, loadings, noise, gather)
        log_likelihoods.append(value)
        if len(log_likelihoods) > 1:
            change = abs(value - log_likelihoods[-2])
            if change < tol * max(abs(log_likelihoods[-2]), 1.0):
                break
        loadings, noise = maximise(xz, zz, second, count, ridge, min_noise)
    return FactorModel(_principal_axes(loadings, noise), noise, log_likelihoods)


def start(correlation, n_components):
    """Return loadings and noise from the leading eigenpairs of a correlation matrix."""
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    leading = np.argsort(-values, kind="stable")[:n_components]
    loadings = vectors[:, leading] * np.sqrt(np.maximum(values[leading], 1e-3))
    return loadings, np.maximum(np.diag(correlation) - (loadings**2).sum(1), 0.1)


def maximise(xz, zz, second, count, ridge, min_noise):
    """M-step: loadings and noise from sums over the rows that observe each column.

    ``xz`` (d, m) and ``zz`` (d, m, m) are the expected moments, ``second`` (d,) the
    sums of squares, ``count`` (d,) the rows.
    """
    loadings, noise = np.zeros_like(xz), np.ones(len(xz))
    owned = count > 0
    xz, zz, count = xz[owned], zz[owned], count[owned]
    penalty = ridge * count[:, None, None] * np.eye(xz.shape[1])
    w = np.linalg.solve(zz + penalty, xz[:, :, None])[:, :, 0]
    explained = 2 * (w * xz).sum(1) - (w * (zz @ w[:, :, None])[:, :, 0]).sum(1)
    loadings[owned] = w
    floor = max(min_noise, _SMALLEST_NOISE)
    noise[owned] = np.maximum((second[owned] - explained) / count, floor)
    return loadings, noise


def log_likelihood(blocks, loadings, noise):
    """Return the Gaussian log-likelihood of blocks ``(columns, n, A)``."""
    stacks = stack_blocks(blocks)
    return sum(_expect_stack(stack, loadings, noise)[0] for stack in stacks)


def expected_factors(X, loadings, noise, patterns=None):
    """Return E[z | observed cells] of rows with NaN, shape (n, m).

    Rows are grouped by their missing pattern; each pattern is solved once.
    """
    patterns = missing_patterns(X) if patterns is None else patterns
    precise = loadings / noise[:, None]
    projected = np.where(np.isnan(X), 0.0, X) @ precise
    covariances = factor_covariances(patterns.masks, loadings, noise)
    if len(covariances) == 1:
        return projected @ covariances[0]
    # One matrix per row costs memory, so rows are taken a slice at a time.
    factors = np.empty_like(projected)
    for start in range(0, len(X), 1024):
        rows = slice(start, start + 1024)
        each = covariances[patterns.member[rows]]
        factors[rows] = (each @ projected[rows, :, None])[:, :, 0]
    return factors


def factor_covariances(masks, loadings, noise):
    """Return Cov[z | observed cells] for masks (p, d) of observed columns."""
    d, m = loadings.shape
    precise = loadings / noise[:, None]
    outer = (loadings[:, :, None] * precise[:, None, :]).reshape(d, m * m)
    precision = np.eye(m) + (masks.astype(float) @ outer).reshape(-1, m, m)
    return np.linalg.inv(precision)


def _expect(stacks, loadings, noise, gather):
    """E-step: the log-likelihood, and Exz (d, m), Ezz (d, m, m) summed over owners."""
    to_column, to_owner = gather
    d, m = loadings.shape
    parts = [_expect_stack(stack, loadings, noise) for stack in stacks]
    xz = to_column @ np.concatenate([part[1].reshape(-1, m) for part in parts])
    zz = to_owner @ np.concatenate([part[2].reshape(-1, m * m) for part in parts])
    return sum(part[0] for part in parts), xz, zz.reshape(d, m, m)


def _expect_stack(stack, loadings, noise):
    """Return the log-likelihood, Exz (g, o, m) and Ezz (g, m, m) of stacked blocks.

    The determinant and the inverse of W_O W_O' + diag(psi_O) come from the (m, m)
    precision of the factors (Woodbury), which the E-step needs anyway.
    """
    columns, counts, moments = stack
    m = loadings.shape[1]
    w, psi = loadings[columns], noise[columns]
    precise = w / psi[:, :, None]
    precision = np.eye(m) + w.transpose(0, 2, 1) @ precise
    covariance = np.linalg.inv(precision)
    xz = moments @ (precise @ covariance)
    zz = counts[:, None, None] * covariance + covariance @ (
        precise.transpose(0, 2, 1) @ xz
    )
    log_det = np.log(psi).sum(1) + np.linalg.slogdet(precision)[1]
    variances = np.diagonal(moments, axis1=1, axis2=2)
    distance = (variances / psi).sum(1) - (xz * precise).sum((1, 2))
    size = columns.shape[1] * np.log(2 * np.pi)
    return float(-0.5 * (counts * (size + log_det) + distance).sum()), xz, zz


def _correlation(stacks, n_columns):
    """Return second moments per row of every pair that is observed, else 0."""
    moments = np.zeros((n_columns, n_columns))
    counts = np.zeros((n_columns, n_columns))
    for stack in stacks:
        for columns, n, block in zip(*stack, strict=True):
            both = np.ix_(columns, columns)
            moments[both] += block
            counts[both] += n
    return moments / np.maximum(counts, 1.0)


def _column_totals(stacks, n_columns):
    """Return the rows N_j and the sum of squares of every column over its owners."""
    count, second = np.zeros(n_columns), np.zeros(n_columns)
    for columns, counts, moments in stacks:
        rows = np.broadcast_to(counts[:, None], columns.shape)
        np.add.at(count, columns, rows)
        np.add.at(second, columns, np.diagonal(moments, axis1=1, axis2=2))
    return count, second


def _gather_matrices(stacks, n_columns):
    """Return sparse matrices that sum block entries, and blocks, into columns."""
    flat = np.concatenate([stack.columns.ravel() for stack in stacks])
    sizes = np.concatenate([np.full(len(s.counts), s.columns.shape[1]) for s in stacks])
    block = np.repeat(np.arange(len(sizes)), sizes)
    ones = np.ones(len(flat))
    to_column = sparse.csr_array(
        (ones, (flat, np.arange(len(flat)))), shape=(n_columns, len(flat))
    )
    to_owner = sparse.csr_array((ones, (flat, block)), shape=(n_columns, len(sizes)))
    return to_column, to_owner


def _principal_axes(loadings, noise):
    """Rotate the factors so that W' diag(1/psi) W is diagonal, signs fixed.

    The likelihood does not depend on the rotation; this choice makes the result
    independent of the order in which a BLAS adds up.
    """
    scaled = loadings / np.sqrt(noise)[:, None]
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    rotated = loadings @ vectors[:, np.argsort(-values, kind="stable")]
    size = np.abs(rotated)
    # The indicators of two classes tie but for rounding: take the first of a tie.
    strongest = (size >= (1 - 1e-6) * size.max(axis=0)).argmax(axis=0)
    signs = np.sign(rotated[strongest, np.arange(rotated.shape[1])])
    return rotated * np.where(signs == 0, 1.0, signs)
