"""Targets of the anchor rows, from what the clients tell of theirs.

Symbols: a anchors in all, a_k at client k; with the class means that take part there
are l rows, l_k at client k. G (l, q) holds the targets. A message's ``held`` are
positions in the l rows.
"""

import warnings

import numpy as np
from scipy.linalg import eigh, helmert

from ..exceptions import AlignmentWarning, ClientError
from ._anchor_client import similarity
from ._prototype_server import fit_prototypes, joined_groups, mean_distances

_NULL = 1e-9  # an eigenvalue below this has no direction
_PASSES = 30  # of the Procrustes analysis, at most
_SCALE_PASSES = 200


def kept_anchors(statistics, labels):
    """Return the positions of the anchors that join clients.

    Parameters
    ----------
    statistics : dict of dict
        ``{client: message}`` of the first exchange.
    labels : list of length a
        The anchors.
    """
    several = len(statistics) > 1
    unnamed = [client for client, m in statistics.items() if not m["named"]]
    if several and unnamed:
        raise ClientError(
            f"anchors are found by row label, but the rows of clients {unnamed} have "
            "no names (an array, or a DataFrame with the default index); give "
            "DataFrames whose index holds the entities, such as X.set_index('id')"
        )
    n_clients = np.zeros(len(labels), dtype=int)
    for message in statistics.values():
        n_clients[message["held"]] += 1
    needed = 2 if several else 1
    kept = np.flatnonzero(n_clients >= needed)
    sets = {c: {*m["held"].tolist()} & {*kept.tolist()} for c, m in statistics.items()}
    for client, own in sets.items():
        if len(own) < 2:
            raise ClientError(
                f"client {client!r} (n_samples = {statistics[client]['n_rows']}) has "
                f"{len(own)} of the {len(labels)} anchors that join clients, and needs "
                "at least two, better more than it has columns: check that its index "
                "holds labels of the same type as anchors, or leave it out"
            )
    groups = joined_groups(sets)
    if len(groups) > 1:
        raise ClientError(
            "clients are joined by pairs of common anchors, and no chain of such pairs "
            f"joins the groups {[clients for clients, _ in groups]}; federate these "
            "apart, or give them common anchors"
        )
    idle = [label for label, n in zip(labels, n_clients, strict=True) if n < needed]
    if idle:
        more = f" and {len(idle) - 10} more" if len(idle) > 10 else ""
        warnings.warn(
            f"AnchorAligner: anchors {idle[:10]}{more} take no part, since fewer than "
            f"{needed} clients have them",
            AlignmentWarning,
            stacklevel=2,
        )
    return kept


def gcca_targets(messages, n_targets, n_components):
    """Return G (l, q) of generalised canonical correlation analysis.

    The targets are the leading solutions of M g = lambda N g with M the sum of
    L_k L_k' and N that of the centring matrices, both at the rows a client holds. N
    has the constant vector in its null space, which the Helmert basis leaves out.

    Parameters
    ----------
    messages : list of dict
        ``held`` (l_k,), ``weights`` (l_k,) and ``basis`` L_k (l_k, r_k).
    n_targets : int
        l; common rows join all clients.
    n_components : int
        q at most.
    """
    M, N = np.zeros((2, n_targets, n_targets))
    for message in messages:
        held, L = message["held"], message["basis"]
        place = np.ix_(held, held)
        M[place] += L @ L.T
        N[place] += centring(message["weights"])
    weight = sum(message["weights"].sum() for message in messages)
    Q = helmert(n_targets).T
    q = min(n_components, n_targets - 1)
    values, vectors = eigh(
        Q.T @ M @ Q, Q.T @ N @ Q, subset_by_index=[n_targets - 1 - q, n_targets - 2]
    )
    values, vectors = values[::-1], vectors[:, ::-1]
    G = np.sqrt(weight) * Q @ vectors[:, values > _NULL]  # unit variance of held rows
    size = np.abs(G)
    first = (size >= 0.999 * size.max(axis=0)).argmax(axis=0)
    return G * np.where(G[first, np.arange(G.shape[1])] < 0, -1.0, 1.0)


def centring(weights):
    """Return J, whose quadratic form is the weighted sum of squares about the mean."""
    return np.diag(weights) - np.outer(weights, weights) / weights.sum()


def without(message, rows):
    """Return a message as if the client had not these rows of its ``held``.

    A row whose target is free to be where the client maps it says nothing: least
    squares over its target is a Schur complement of J - L L'.
    """
    if not rows.any():
        return message
    weights, L = message["weights"], message["basis"]
    Q = centring(weights) - L @ L.T
    there = ~rows
    misfit = Q[np.ix_(there, there)]
    misfit -= (
        Q[np.ix_(there, rows)]
        @ np.linalg.pinv(Q[np.ix_(rows, rows)], rcond=_NULL, hermitian=True)
        @ Q[np.ix_(rows, there)]
    )
    values, vectors = np.linalg.eigh(centring(weights[there]) - misfit)
    kept = values > _NULL * max(values[-1], 0.0)
    return message | {
        "held": message["held"][there],
        "weights": weights[there],
        "basis": vectors[:, kept] * np.sqrt(values[kept]),
    }


def procrustes_targets(messages, n_anchors, n_components):
    """Return G (a, q) of generalised Procrustes analysis.

    Parameters
    ----------
    messages : list of dict
        ``held`` (a_k,) and ``basis`` E_k (a_k, r_k), the projected anchor rows.
    n_anchors : int
        a.
    n_components : int
        q at most.
    """
    shapes = [
        {
            "classes": message["held"],
            "counts": np.ones(len(message["held"])),
            "gram": message["basis"] @ message["basis"].T,
            "n_directions": 0,  # anchor rows are no means: no noise to subtract
        }
        for message in messages
    ]
    _make_scales_equal(shapes, n_anchors)
    return fit_prototypes(shapes, n_anchors, n_components, _PASSES).points


def _make_scales_equal(shapes, n_anchors):
    """Scale Gram matrices so that distances agree over the pairs that clients share.

    Each is divided by its ratio to the average, until nothing changes: clients of a
    chain have no pair of anchors in common, and unlike anchors.
    """
    for _ in range(_SCALE_PASSES):
        average = mean_distances(shapes, n_anchors)
        factors = []
        for shape in shapes:
            place = np.ix_(shape["classes"], shape["classes"])
            norms = np.diag(shape["gram"])
            own = norms[:, None] + norms - 2 * shape["gram"]
            factors.append(average[place].sum() / own.sum())
        factors = np.array(factors) / np.exp(np.log(factors).mean())
        for shape, factor in zip(shapes, factors, strict=True):
            shape["gram"] = shape["gram"] * factor
        if np.abs(factors - 1).max() < 1e-10:
            break


def agreement(messages, G, method):
    """Return the share (q,) of each target's variance that the clients' images fit."""
    residual, total = np.zeros((2, G.shape[1]))
    for message in messages:
        target, basis = G[message["held"]], message["basis"]
        root = np.sqrt(message["weights"])[:, None]
        centred = root * (target - root[:, 0] ** 2 @ target / (root**2).sum())
        if method == "gcca":
            image = basis / root @ (basis.T @ (centred / root))
        else:
            image = basis @ similarity(basis, target)[0]
        residual += ((centred - image) ** 2).sum(axis=0)
        total += (centred**2).sum(axis=0)
    return 1 - residual / np.where(total > 0, total, 1.0)
