"""Centres of Gaussian distributions, and the linear maps onto them."""

import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
from sklearn.exceptions import ConvergenceWarning

_TOLERANCE = 1e-10  # change of the last step, in units of the mean variance
_MAX_ITER = 1000


def mean_covariance(covariances, weights):
    """Return the weighted mean (q, q) of covariances (K, q, q)."""
    return np.einsum("k,kij->ij", weights, covariances)


def wasserstein_barycentre(covariances, weights):
    """Return the covariance (q, q) of the Gaussian barycentre, by POT.

    It is the solution of ``S = sum_k w_k (S^1/2 S_k S^1/2)^1/2``.
    """
    try:
        from ot.gaussian import bures_wasserstein_barycenter
    except ImportError as error:
        raise ImportError(
            "OptimalTransportAligner(method='bures') needs POT where the clients are "
            "merged: pip install 'skfed[ot]', or set method='coral'"
        ) from error
    # POT stops by an absolute change
    scale = np.trace(mean_covariance(covariances, weights)) / covariances.shape[1]
    with redirect_stdout(StringIO()):  # it prints what the warning below says
        _, centre, log = bures_wasserstein_barycenter(
            np.zeros(covariances.shape[:2]),
            covariances / scale,
            weights,
            num_iter=_MAX_ITER,
            eps=_TOLERANCE,
            log=True,
        )
    if not log["final_diff"] <= 1e-6:
        warnings.warn(
            "the Wasserstein barycentre of the clients' covariances still changes by "
            f"{log['final_diff']:.1e} after {_MAX_ITER} steps; raise shrinkage, or set "
            "method='coral'",
            ConvergenceWarning,
            stacklevel=3,
        )
    return scale * (centre + centre.T) / 2


def coral_map(source, target):
    """Return ``source^-1/2 target^1/2``, to be multiplied from the right of rows."""
    return _power(source, -0.5) @ _power(target, 0.5)


def transport_map(source, target):
    """Return the symmetric A with ``A source A = target``, optimal for Gaussians."""
    root, inverse = _power(source, 0.5), _power(source, -0.5)
    return inverse @ _power(root @ target @ root, 0.5) @ inverse


def _power(matrix, exponent):
    """Return a power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    least = np.finfo(float).eps * values[-1]  # rounding may leave less, or below 0
    return (vectors * np.maximum(values, least) ** exponent) @ vectors.T
