"""Prototypes of classes from the clients' Grams of class means.

Symbols: C labels in all, C_k at client k; w are a client's class shares. A message's
``classes`` are positions in the C labels.
"""

from typing import NamedTuple

import numpy as np

_NULL = 1e-6  # a singular value below this share of the first has no direction


class Prototypes(NamedTuple):
    """What the clients agree on."""

    points: np.ndarray
    n_iter: int
    stress: float


def joined_groups(label_sets):
    """Group clients that a chain of pairs of common labels joins.

    Two configurations can be turned onto each other once they share two labels; from
    then on they have the labels of both.

    Parameters
    ----------
    label_sets : dict of set
        ``{client: labels}``.

    Returns
    -------
    groups : list of (list of clients, set of labels)
        The largest groups that can be had.
    """
    groups = [([client], set(labels)) for client, labels in label_sets.items()]
    merged = True
    while merged:
        merged = False
        for a in range(len(groups)):
            for b in range(len(groups) - 1, a, -1):
                if len(groups[a][1] & groups[b][1]) >= 2:
                    clients, labels = groups.pop(b)
                    groups[a] = (groups[a][0] + clients, groups[a][1] | labels)
                    merged = True
    return groups


def configuration(gram):
    """Return points (C_k, r) with the given Gram matrix, their centre at 0."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > 1e-12 * max(values[-1], 0.0)
    return vectors[:, kept] * np.sqrt(values[kept])


def procrustes_map(E, P, w):
    """Return R (r, q) and t (q,) so that E R + t is close to P, rows weighted by w.

    R is a partial isometry: directions that E and P do not share are mapped to 0,
    since their images would be arbitrary. E has the weighted mean 0.
    """
    t = w @ P
    U, s, Vt = np.linalg.svd(E.T @ (w[:, None] * (P - t)), full_matrices=False)
    kept = s > _NULL * max(s.max(initial=0.0), np.finfo(float).tiny)
    return U[:, kept] @ Vt[kept], t


def mean_distances(messages, n_labels):
    """Return the squared distances (C, C) of class means, averaged over clients.

    The noise of two means of whitened rows adds d' (1/n_i + 1/n_j) to their squared
    distance, which is subtracted. Labels that no client has together take the median.
    """
    total, weight = np.zeros((2, n_labels, n_labels))
    plain = np.zeros((n_labels, n_labels))
    for message in messages:
        gram, counts = message["gram"], message["counts"]
        norms = np.diag(gram)
        distances = norms[:, None] + norms - 2 * gram
        noise = 1 / counts[:, None] + 1 / counts
        place = np.ix_(message["classes"], message["classes"])
        debiased = np.maximum(distances - message["n_directions"] * noise, 0)
        total[place] += debiased / noise
        plain[place] += distances / noise
        weight[place] += 1 / noise
    off_diagonal = ~np.eye(n_labels, dtype=bool)
    if not total[off_diagonal].any():  # all within the noise: better than nothing
        total = plain
    known = (weight > 0) & off_diagonal
    result = np.zeros_like(total)
    result[known] = total[known] / weight[known]
    result[~known & off_diagonal] = np.median(result[known])
    return result


def classical_scaling(distances, n_components):
    """Return points (C, q) with about these squared distances, on principal axes.

    q is ``n_components``, or less if there are fewer positive eigenvalues; None takes
    them all. The first coordinate of an axis that is about its largest is positive.
    """
    centred = distances - distances.mean(axis=0)
    centred = -0.5 * (centred - centred.mean(axis=1, keepdims=True))
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    q = max(int((values > 1e-8 * values[0]).sum()), 1)
    q = q if n_components is None else min(q, n_components)
    points = vectors[:, :q] * np.sqrt(np.maximum(values[:q], 0))
    size = np.abs(points)
    first = (size >= 0.999 * size.max(axis=0)).argmax(axis=0)
    return points * np.where(points[first, np.arange(q)] < 0, -1.0, 1.0)


def fit_prototypes(messages, n_labels, n_components, max_iter):
    """Fit prototypes (C, q) by generalised Procrustes analysis.

    Parameters
    ----------
    messages : list of dict
        ``classes`` (C_k,), ``counts`` (C_k,), ``gram`` (C_k, C_k), ``n_directions``.
    n_labels : int
        C; every label occurs in some message.
    n_components : int or None
        q at most; None takes what the distances need.
    max_iter : int
        Passes at most; it stops when no prototype moves.
    """
    P = classical_scaling(mean_distances(messages, n_labels), n_components)
    shapes = [configuration(message["gram"]) for message in messages]
    for n_iter in range(1, max_iter + 1):  # noqa: B007 - read after the loop
        total, rows = np.zeros_like(P), np.zeros(n_labels)
        misfit = scatter = 0.0
        for message, E in zip(messages, shapes, strict=True):
            classes, counts = message["classes"], message["counts"]
            R, t = procrustes_map(E, P[classes], counts / counts.sum())
            image = E @ R + t
            total[classes] += counts[:, None] * image
            rows[classes] += counts
            misfit += (counts[:, None] * (image - P[classes]) ** 2).sum()
            scatter += (counts[:, None] * (P[classes] - t) ** 2).sum()
        before, P = P, total / rows[:, None]
        if np.abs(P - before).max() <= 1e-10 * np.abs(P).max():
            break
    return Prototypes(P, n_iter, float(misfit / scatter) if scatter > 0 else 0.0)
