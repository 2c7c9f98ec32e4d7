"""Class means that a client cannot know, from what the classes differ by elsewhere.

Balanced scaling wants a client's mean under class shares that all clients have in
common, and so the means of classes that the client lacks. In units of the
within-class deviation, a class mean at a client is taken as the sum of the client's
level and the class's effect, ``m_kc = delta_k + mu_c``: drift of level and unit is the
client's, the differences between classes are common. The effects are the weighted least
squares solution over all cells that clients may tell; they link two classes only if
clients have them together, directly or through others.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ._disclosure import is_at_site, releasable, tellable
from ._moments import column_moments

MAX_ITER = 1000
TOL = 1e-10


def class_moments(X, codes, n_classes):
    """Return rows (C, d), deviations of class means from the centre, and within sd."""
    n, centre, _ = column_moments(X)
    observed = ~np.isnan(X)
    deviation = np.where(observed, X - centre, 0.0)  # centred sums do not cancel
    member = (np.arange(n_classes)[:, None] == codes).astype(np.float64)
    rows = member @ observed
    sums = member @ deviation
    within = deviation - (sums / np.maximum(rows, 1))[codes]
    within = (np.where(observed, within, 0.0) ** 2).sum(axis=0)
    within /= np.maximum(n - (rows > 0).sum(axis=0), 1)
    return centre, rows, sums, within


def class_profile(X, codes, n_classes, min_count):
    """Return the class means (C, d) that may leave, in units of the within sd.

    NaN where fewer than ``min_count`` rows stand behind a mean, or behind those that
    are held back beside it, or where the column does not vary within classes.
    """
    _, rows, sums, within = class_moments(X, codes, n_classes)
    told = np.empty(rows.shape, dtype=bool)
    patterns, at = np.unique(rows, axis=1, return_inverse=True)
    for j, counts in enumerate(patterns.T):
        told[:, at.ravel() == j] = releasable(counts, min_count)[:, None]
    if is_at_site():  # one class's cells would follow from the others', so all or none
        classes = [X[codes == c] for c in range(n_classes)]
        sizes = [(~np.isnan(own)).sum(axis=0) for own in classes]
        for own, size in zip(classes, sizes, strict=True):
            told &= tellable(own, size, min_count) | (size < min_count)
    with np.errstate(invalid="ignore", divide="ignore"):
        profile = sums / rows / np.sqrt(within)
    return np.where(told & (within > 0) & (rows > 0), profile, np.nan)


def fit_effects(profiles, weights):
    """Return the classes' effects (C, D) and their components (C, D).

    Parameters
    ----------
    profiles : array of shape (K, C, D)
        Class means per client and column; NaN where unknown.
    weights : array of shape (K, C)
        Rows behind them.

    Returns
    -------
    effects : array of float64 of shape (C, D)
        Differences between the classes of one component; NaN for unknown classes.
    components : array of int64 of shape (C, D)
        Two classes are comparable in a column if they have the same number there.
    """
    known = ~np.isnan(profiles)
    w = np.where(known, weights[:, :, None], 0.0)
    value = np.where(known, profiles, 0.0)
    per_class, per_client = w.sum(axis=0), w.sum(axis=1)
    effects = np.zeros(per_class.shape)
    for _ in range(MAX_ITER):
        level = (w * (value - effects)).sum(axis=1) / np.maximum(per_client, 1e-300)
        new = (w * (value - level[:, None])).sum(axis=0) / np.maximum(per_class, 1e-300)
        change = np.abs(new - effects).max(initial=0.0)
        effects = new
        if change < TOL:
            break
    effects = np.where(per_class > 0, effects, np.nan)
    return effects, _components(known)


def _components(known):
    """Return the connected component of each class in each column, (C, D)."""
    n_clients, n_classes, n_columns = known.shape
    components = np.empty((n_classes, n_columns), dtype=np.int64)
    patterns, at = np.unique(
        known.reshape(-1, n_columns), axis=1, return_inverse=True
    )  # columns with the same cells share the answer
    for j, pattern in enumerate(patterns.T):
        clients, classes = np.nonzero(pattern.reshape(n_clients, n_classes))
        size = n_classes + n_clients
        edges = csr_array(
            (np.ones(len(clients)), (classes, n_classes + clients)), shape=(size, size)
        )
        found = connected_components(edges, directed=False)[1][:n_classes]
        components[:, at.ravel() == j] = found[:, None]
    return components


def balanced_moments(X, strata, prior_strength, effects, components):
    """Return mean and variance per column under the common class shares.

    Parameters
    ----------
    X : array of float64 of shape (n, d)
        Rows; NaN is missing.
    strata : Strata
        The class of each row and the shares of the C classes.
    prior_strength : float
        Rows by which a class mean is shrunk towards the overall mean.
    effects, components : arrays of shape (C, d)
        From :func:`fit_effects`; NaN where nothing is known.

    Returns
    -------
    mean, var : arrays of float64 of shape (d,)
        The balanced moments.
    complete : array of bool of shape (C, d)
        Which class means could be known or inferred.
    """
    prior, own = strata.prior, strata.own
    centre, rows, sums, within = class_moments(X, strata.codes, len(prior))
    means = sums / np.maximum(rows + prior_strength, np.finfo(float).tiny)
    have = rows > 0
    sd = np.sqrt(within)
    for c in np.flatnonzero(~have.all(axis=1)):
        linked = have & (components == components[c]) & ~np.isnan(effects)
        weight = np.where(linked, rows, 0.0)
        known = (weight.sum(axis=0) > 0) & ~np.isnan(effects[c]) & ~have[c]
        level = (weight * (means - sd * np.nan_to_num(effects))).sum(axis=0)
        level /= np.maximum(weight.sum(axis=0), 1.0)
        means[c] = np.where(known, level + sd * np.nan_to_num(effects[c]), means[c])
        have[c] |= known
    given = ~np.isnan(own)
    share = np.where(have, prior[:, None], 0.0)
    rest = 1.0 - np.where(given, own, 0.0).sum()
    total = share.sum(axis=0)
    share *= np.where(total > 0, rest / np.maximum(total, 1e-300), 0.0)
    share += np.where(given, np.nan_to_num(own), 0.0)[:, None]
    share /= np.maximum(share.sum(axis=0), 1e-300)
    shift = (share * means).sum(axis=0)
    var = within + (share * (means - shift) ** 2).sum(axis=0)
    return centre + shift, var, have
