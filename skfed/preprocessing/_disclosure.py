"""Which counts may leave a client, and in what form."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_AT_SITE = ContextVar("at_site", default=False)


@contextmanager
def at_site():
    """Hold back all that could describe few rows, as a real site does.

    There the server may choose the recipe so as to learn of single rows. Where all
    parties share a process nobody learns what is not known, and results stay those of
    the pooled rows.
    """
    token = _AT_SITE.set(True)
    try:
        yield
    finally:
        _AT_SITE.reset(token)


def is_at_site():
    """Tell whether the code runs at a real site."""
    return _AT_SITE.get()


def releasable(counts, min_count):
    """Return which counts may be sent exactly.

    Counts below ``min_count`` are withheld. Who knows the total could still recover
    their sum, so the next smallest counts are withheld as well until that sum is 0
    or reaches ``min_count`` (complementary suppression).

    Parameters
    ----------
    counts : array of shape (q,)
        Rows behind each statistic, 0 included.
    min_count : int
        The smallest number of rows that may be described.

    Returns
    -------
    keep : array of bool of shape (q,)
        True where the count may leave the client.
    """
    counts = np.asarray(counts)
    keep = counts >= min_count
    hidden = counts[~keep].sum()
    for j in np.argsort(counts, kind="stable"):
        if hidden == 0 or hidden >= min_count:
            break
        if keep[j]:
            keep[j] = False
            hidden += counts[j]
    return keep


def rounded_down(counts, min_count):
    """Round counts down to a multiple of ``min_count``; small ones become 0.

    Frequencies that only serve to rank categories leave a client in this form: the
    total minus the rest then reveals nothing exact about the rows that are hidden,
    and no large category has to be given up to protect a small one.
    """
    counts = np.asarray(counts, dtype=np.int64)
    return counts - counts % min_count


def nearly_constant(values, min_count):
    """Tell whether fewer than ``min_count`` cells differ from a value the rest share.

    Sums over such a column, alone or with others, are sums over those few rows. A
    constant column gives none away.
    """
    n = len(values)
    if n < min_count:
        return n > 0
    run = max(n - min_count + 1, 2)
    if run > n:
        return False
    # Sorted, a value that fills ``run`` cells meets itself run - 1 places further on;
    # only the two ends have to be in order to see that.
    ends = np.r_[: n - run + 1, run - 1 : n]
    ordered = np.partition(values, np.unique(ends))
    shared = ordered[: n - run + 1] == ordered[run - 1 :]
    return bool(shared.any() and ordered[0] != ordered[-1])


def tellable(X, n, min_count):
    """Return which columns' moments may leave a client.

    Parameters
    ----------
    X : array of float64 of shape (rows, d)
        Rows; NaN is a missing value.
    n : array of int64 of shape (d,)
        Observed cells of each column.
    min_count : int
        The smallest number of rows that may be described.

    Returns
    -------
    told : array of bool of shape (d,)
        True where ``min_count`` cells are observed, which at a real site must not be
        nearly constant.
    """
    told = n >= min_count
    if is_at_site():
        for j in np.flatnonzero(told):
            told[j] = not nearly_constant(X[~np.isnan(X[:, j]), j], min_count)
    return told
