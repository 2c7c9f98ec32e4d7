"""Arithmetic on weights, ``{parameter name: array}``, in float64."""

import numpy as np

LARGE = 2**22  # numbers that are added client by client, not at once


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
    """Return the weighted sum of a parameter over its owners, and their weights.

    Clients are added in their order, so that the sum has the same bits wherever it is
    made.
    """
    total = np.zeros(shape, dtype=np.float64)
    weight = np.zeros(shape[-1:] if len(shape) == 2 else (), dtype=np.float64)
    sent = [entry for entry in entries if name in entry[0]]
    if not sent:
        return total, weight
    if total.size * len(sent) > LARGE:
        for values, share, owned in sent:
            mine = share * owned[name].astype(np.float64) if name in owned else share
            total += mine * values[name].astype(np.float64)
            weight += mine
        return total, weight
    values = np.stack([values[name] for values, _, _ in sent])
    shares = np.array([share for _, share, _ in sent], dtype=np.float64)
    shares = shares.reshape(-1, *[1] * len(shape))
    if any(name in owned for _, _, owned in sent):
        everything = np.ones(shape[-1], dtype=bool)
        columns = np.stack([owned.get(name, everything) for _, _, owned in sent])
        shares = shares * columns[:, None]
    weight += _in_order(shares).reshape(-1 if weight.ndim else ())
    return _in_order(shares * values), weight


def _in_order(values):
    """Return the sum over clients (k, ...), added one after the other.

    numpy adds rows one by one where they have two numbers or more, and single numbers
    pair by pair.
    """
    rows = values.reshape(len(values), -1)
    if rows.shape[1] == 1:
        return np.repeat(rows, 2, axis=1).sum(axis=0)[:1].reshape(values.shape[1:])
    return rows.sum(axis=0).reshape(values.shape[1:])


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
