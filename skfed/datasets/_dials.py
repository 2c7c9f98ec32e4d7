"""The dials of heterogeneity, one function each, as they act on one client.

Every dial draws from a stream of its own (:func:`stream`), so that turning one leaves
what the others draw as it was; and a stronger setting scales or extends the draw of a
weaker one wherever that is possible (nested columns, nested noise).
"""

from zlib import crc32

import numpy as np
import pandas as pd


def stream(seed, dial, client=0):
    """Return the random generator of one dial at one client."""
    return np.random.default_rng([seed, crc32(dial.encode()), client])


def apportion(total, shares):
    """Round ``total * shares`` to whole numbers with that total (largest remainder)."""
    exact = total * np.asarray(shares, dtype=float)
    counts = np.floor(exact).astype(int)
    # Stable, and rounded so that equal remainders are equal in floating point.
    order = np.argsort(-np.round(exact - counts, 9), kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return counts


def spread_sizes(n_clients, mean, skew, least, rng):
    """Return log-normal sizes of the given mean, none below the least."""
    weight = np.exp(skew * rng.standard_normal(n_clients))
    least = min(least, mean)
    rest = n_clients * (mean - least)
    return least + apportion(rest, weight / weight.sum())


def deal_labels(n_clients, n_classes, n_labels, rng):
    """Return who sees which classes (n_clients, n_classes); all are dealt evenly."""
    sees = np.zeros((n_clients, n_classes), dtype=bool)
    for hand in sees:
        # The classes dealt least so far, ties broken at random.
        order = np.lexsort((rng.random(n_classes), sees.sum(axis=0)))
        hand[order[:n_labels]] = True
    return sees


def label_shares(prior, sees, shift, rng):
    """Return a client's class shares: Dirichlet(prior / shift) over what it sees."""
    shares = np.where(sees, prior, 0.0)
    shares = shares / shares.sum()
    if shift > 0:
        seen = shares > 0
        shares[seen] = rng.dirichlet(seen.sum() * shares[seen] / shift)
    return shares


def subset_columns(n_features, overlap, rng):
    """Return the positions of a random share of the columns, at least one."""
    kept = max(1, round(overlap * n_features))
    return np.sort(rng.permutation(n_features)[:kept])


def disjoint_columns(n_features, n_clients, rng):
    """Return for each client the positions of the columns dealt to it."""
    deck = rng.permutation(n_features)
    return [np.sort(deck[k::n_clients]) for k in range(n_clients)]


def linear_map(n_features, width, rng):
    """Return a Gaussian matrix (n_features, d) with d drawn from width."""
    low, high = width
    shape = n_features, int(rng.integers(low, high + 1))
    return rng.standard_normal(shape) / np.sqrt(n_features)


def affine_drift(spread, strength, rng):
    """Return scale a and shift b of ``x -> a x + b`` for each column.

    Both are NaN where the spread is: columns that are not numbers do not drift.
    """
    a, b = strength * rng.standard_normal((2, len(spread)))
    return np.where(np.isnan(spread), np.nan, np.exp(a)), b * spread


def other_concept(n_classes, rng):
    """Return a code for each class, never its own: one cycle through all classes."""
    order = rng.permutation(n_classes)
    new = np.empty(n_classes, dtype=int)
    new[order] = np.roll(order, -1)
    return new


def flip_labels(codes, labels, share, rng):
    """Give a share of the rows another label of those the client sees."""
    n = len(codes)
    step = rng.integers(1, max(len(labels), 2), size=n)
    rows = rng.permutation(n)[: round(share * n)]
    noisy = codes.copy()
    place = np.searchsorted(labels, codes[rows])
    noisy[rows] = labels[(place + step[rows]) % len(labels)]
    return noisy


def hide_cells(X, share, rng):
    """Blank a share of the cells of each column; one stays in any case."""
    n, d = X.shape
    rank = rng.permuted(np.tile(np.arange(n), (d, 1)), axis=1).T
    hidden = rank < min(round(share * n), n - 1)
    if isinstance(X, pd.DataFrame):
        return X.mask(hidden)
    return np.where(hidden, np.nan, X)
