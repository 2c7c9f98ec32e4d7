"""Mean and covariance of a client's rows, as if its target had the common shares."""

from typing import NamedTuple

import numpy as np
from sklearn.covariance import LedoitWolf, shrunk_covariance

from ..preprocessing._disclosure import releasable
from ..preprocessing._strata import coded_classes, one_column
from ._factor_client import nearly_constant

_FLOOR = 1e-6  # least eigenvalue, as a share of the mean one: keeps roots stable


class Moments(NamedTuple):
    """Moments over n rows of the columns at the positions ``own`` of a table."""

    own: np.ndarray
    n: int
    mean: np.ndarray
    covariance: np.ndarray


def gaussian_moments(X, y, shared, shrinkage, min_count):
    """Return the :class:`Moments` that may leave a client, or None.

    The columns are regressed on the target, which is one mean per class, or a line,
    or one mean without a target. The common distribution of the target then takes the
    place of the client's own: with coefficients B (p, o) on a design of mean ``point``
    (p,) and covariance ``spread`` (p, p), the mean is ``B' point`` and the covariance
    that of the residuals plus ``B' spread B``.

    Parameters
    ----------
    X : array of shape (n, d)
        Complete rows.
    y : array of shape (n,) or None
        The target; several columns are as good as none.
    shared : dict
        The server's first answer: "classes" and "prior", or "y_mean" and "y_sd", or
        neither.
    shrinkage : "auto" or float
        Of the covariance of the residuals.
    min_count : int
        Least number of rows; second moments besides ask for more rows than columns.
    """
    target = _common_target(len(X), y, shared, min_count)
    if target is None:
        return None
    rows, design, point, spread = target
    X = X[rows]
    n, p = design.shape
    told = [
        _varies(column) and not nearly_constant(column, min_count) for column in X.T
    ]
    own = np.flatnonzero(told)
    if not own.size or n < min_count or n <= own.size + p:
        return None
    X = X[:, own]
    B = np.linalg.lstsq(design, X)[0]
    residuals = X - design @ B
    within = _shrunk(residuals, shrinkage) * (n / (n - p))
    covariance = _floored(within + B.T @ spread @ B)
    return Moments(own, n, point @ B, covariance)


def _common_target(n, y, shared, min_count):
    """Return rows that count, design (n, p) and its common mean and covariance."""
    ones, everyone = np.ones((n, 1)), np.ones(n, dtype=bool)
    plain = everyone, ones, np.ones(1), np.zeros((1, 1))
    if shared["classes"]:
        coded = coded_classes(y)
        if coded is None:
            return None
        codes, labels = coded
        counts = np.bincount(codes, minlength=len(labels))
        kept = releasable(counts, min_count)
        at = [labels.index(c) if c in labels else -1 for c in shared["classes"]]
        if min(at) < 0 or not kept[at].all():
            return None  # not all the common classes can be told
        design = (codes[:, None] == at).astype(np.float64)
        rows = design.any(axis=1)
        prior = shared["prior"]
        return rows, design[rows], prior, np.diag(prior) - np.outer(prior, prior)
    y = one_column(y)
    if "y_mean" in shared and y is not None:
        y = np.asarray(y, dtype=np.float64)
        if _varies(y) and not nearly_constant(y, min_count):
            design = np.c_[ones, y - shared["y_mean"]]
            spread = np.diag([0.0, shared["y_sd"] ** 2])
            return everyone, design, np.array([1.0, 0.0]), spread
    return plain


def _varies(values):
    """Tell whether a column is more than a constant with rounding errors."""
    return np.ptp(values) > 1e-12 * np.abs(values).max()


def _shrunk(residuals, shrinkage):
    """Return the covariance of centred rows, shrunk towards a multiple of I."""
    if shrinkage == "auto":
        return LedoitWolf(assume_centered=True).fit(residuals).covariance_
    return shrunk_covariance(residuals.T @ residuals / len(residuals), shrinkage)


def _floored(covariance):
    """Return the covariance with no eigenvalue below the floor."""
    values, vectors = np.linalg.eigh(covariance)
    least = _FLOOR * values.mean()
    if values[0] >= least:
        return covariance
    return (vectors * np.maximum(values, least)) @ vectors.T
