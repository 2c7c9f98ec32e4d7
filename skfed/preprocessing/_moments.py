"""Count, mean and sum of squared deviations per column, and how to merge them."""

import numpy as np


def column_moments(X):
    """Return n, mean and M2 of the observed values of each column.

    Parameters
    ----------
    X : array of float64 of shape (n, d)
        Rows; NaN is a missing value.

    Returns
    -------
    n : array of int64 of shape (d,)
        Observed rows.
    mean : array of float64 of shape (d,)
        Means; NaN where nothing is observed.
    m2 : array of float64 of shape (d,)
        Sums of squared deviations from the mean.
    """
    missing = np.isnan(X)
    if not missing.any():
        n = np.full(X.shape[1], X.shape[0], dtype=np.int64)
        mean = X.mean(axis=0)
        deviation = X - mean
    else:
        n = (~missing).sum(axis=0)
        with np.errstate(invalid="ignore"):  # 0 / 0 is the documented NaN
            mean = np.where(missing, 0.0, X).sum(axis=0) / n
        deviation = np.where(missing, 0.0, X - mean)
    # the second term corrects the rounding of the mean (two-pass algorithm)
    m2 = (deviation**2).sum(axis=0) - deviation.sum(axis=0) ** 2 / np.maximum(n, 1)
    return n, mean, np.maximum(m2, 0.0)


def merge_moments(first, second):
    """Merge two triples (n, mean, M2) by the formula of Chan, Golub and LeVeque.

    Never by raw sums of squares, which cancel when the mean is large.
    """
    (n_a, mean_a, m2_a), (n_b, mean_b, m2_b) = first, second
    n = n_a + n_b
    delta = mean_b - mean_a
    share = n_b / n
    return n, mean_a + delta * share, m2_a + m2_b + delta**2 * n_a * share


def scale_of(variance, mean, n):
    """Return standard deviations, 1 for columns that are constant.

    The rule is scikit-learn's: a variance within the rounding error of the two-pass
    algorithm counts as zero.
    """
    eps = np.finfo(np.float64).eps
    constant = variance <= n * eps * variance + (n * mean * eps) ** 2
    return np.where(constant, 1.0, np.sqrt(variance))
