"""Arithmetic on weights, ``{parameter name: array}``, in float64."""

import numpy as np


def difference(a, b):
    """Return a - b."""
    return {n: np.asarray(a[n].astype(np.float64) - b[n]) for n in a if n in b}


def moved(weights, step, factor=1.0):
    """Return weights + factor * step; what has no step stays."""
    return {
        name: np.asarray(value + factor * step[name]) if name in step else value
        for name, value in weights.items()
    }


def scaled(a, factor):
    """Return factor * a."""
    return {name: factor * np.asarray(value, np.float64) for name, value in a.items()}


def zeros_like(weights):
    """Return zeros of the same names and shapes."""
    return {name: np.zeros(value.shape) for name, value in weights.items()}


def norm(a):
    """Return the Euclidean length of all arrays together."""
    return float(np.sqrt(inner(a, a)))


def inner(a, b):
    """Return the inner product of all arrays together."""
    return float(sum((np.asarray(a[n], np.float64) * b[n]).sum() for n in a if n in b))


def owned_mean(old, entries):
    """Average entries, each parameter and input column over those that own it.

    Parameters
    ----------
    old : dict
        Names and shapes; the value of what nobody owns.
    entries : list of (dict, float, dict)
        Values ``{name: array}``, weight, and ``{name: bool array (q,)}`` of owned input
        columns.
    """
    mean = {}
    for name, start in old.items():
        total, weight = owned_sum(name, start.shape, entries)
        held = weight > 0
        mean[name] = np.where(held, total / np.where(held, weight, 1.0), start)
    return mean


def owned_sum(name, shape, entries):
    """Return the weighted sum of a parameter over its owners, and their weights."""
    total = np.zeros(shape, dtype=np.float64)
    weight = np.zeros(shape[-1:] if len(shape) == 2 else (), dtype=np.float64)
    for values, share, owned in entries:
        if name not in values:
            continue
        mine = share * owned[name].astype(np.float64) if name in owned else share
        total += mine * values[name].astype(np.float64)
        weight += mine
    return total, weight


def stacked(name, start, updates, owned=True):
    """Return a parameter of all updates (k, ...), NaN where a client has it not."""
    rows = []
    for update in updates:
        row = np.full(start.shape, np.nan)
        if name in update.weights:
            row[...] = update.weights[name]
            if owned and name in update.owned:
                row[:, ~update.owned[name]] = np.nan
        rows.append(row)
    return np.array(rows).reshape(len(updates), *start.shape)
