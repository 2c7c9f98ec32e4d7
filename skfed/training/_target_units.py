"""Units of a client's numeric targets: a number each, or one for each of m columns."""

import numpy as np


def units_of(target):
    """Return mean and deviation of targets (n,) or (n, m)."""
    if target.ndim == 1:
        return float(target.mean()), float(target.std())
    return target.mean(axis=0), target.std(axis=0)


def settled(mean, scale):
    """Return the scale, 0 for a constant target: it is predicted as it is."""
    if np.ndim(scale) == 0:
        return scale if scale > 1e-12 * abs(mean) else 0.0
    return np.where(scale > 1e-12 * np.abs(mean), scale, 0.0)


def divisor(scale):
    """Return what targets are divided by; a constant one is not."""
    return (scale or 1.0) if np.ndim(scale) == 0 else np.where(scale, scale, 1.0)


def constant(target):
    """Return which columns of targets (n, m) do not vary, or whether those (n,) do."""
    if target.ndim == 1:
        return not target.std()
    return np.ptp(target, axis=0) == 0


def sort_key(target):
    """Return one number per row by which rows of like targets are neighbours.

    For several targets it is their first principal component in standard units.
    """
    if target.ndim == 1:
        return target
    mean, scale = units_of(target.astype(np.float64))
    units = (target - mean) / divisor(settled(mean, scale))
    return units @ np.linalg.svd(units, full_matrices=False)[2][0]
