"""Missing patterns: which rows observe the same columns."""

from typing import NamedTuple

import numpy as np


class Patterns(NamedTuple):
    """The distinct patterns of a table.

    ``masks`` (p, d) bool, True where observed; ``member`` (n,) the pattern of every
    row; ``counts`` (p,) the rows of every pattern.
    """

    masks: np.ndarray
    member: np.ndarray
    counts: np.ndarray


def missing_patterns(X):
    """Return the patterns of a table (n, d) with NaN, in an order of their own."""
    observed = ~np.isnan(X)
    n = len(observed)
    if observed.all():
        return Patterns(observed[:1], np.zeros(n, dtype=np.intp), np.array([n]))
    # Comparing rows as packed bytes is much faster than np.unique over an axis.
    packed = np.packbits(observed, axis=1)
    rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, member, counts = np.unique(
        rows, return_index=True, return_inverse=True, return_counts=True
    )
    return Patterns(observed[first], member, counts)
