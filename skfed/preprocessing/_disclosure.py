"""Which counts may leave a client, and in what form."""

import numpy as np


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
