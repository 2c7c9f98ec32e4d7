"""Quadratic functions of weights that may not be negative."""

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls


def minimum(A, b):
    """Return the w >= 0 that minimises ``w' A w / 2 - b' w``, A positive definite."""
    jitter = 1e-10 * max(np.trace(A) / len(A), 1e-300)
    L = cholesky(A + jitter * np.eye(len(A)), lower=True)
    return nnls(L.T, solve_triangular(L, b, lower=True))[0]
