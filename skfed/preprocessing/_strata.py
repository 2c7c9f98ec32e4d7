"""Classes, or bins of a numeric target, under shares that all clients have in common.

The statistics of :class:`FederatedStandardScaler` with ``scaling="balanced"``.
"""

from statistics import NormalDist

import numpy as np
import pandas as pd

from ..exceptions import ClientError
from ._disclosure import releasable
from ._federated import class_labels
from ._moments import column_moments, merge_moments

N_BINS = 5


def strata_statistics(y, min_count):
    """Return a client's message: rows per class, or the moments of a float y."""
    y = _one_column(y)
    if y is None:
        return {}
    labels = class_labels(y)
    if labels is None:
        n, mean, m2 = column_moments(_finite(y)[:, None])
        if n[0] < min_count:
            return {}
        return {"y_n": int(n[0]), "y_mean": float(mean[0]), "y_m2": float(m2[0])}
    codes, classes = _coded(labels)
    counts = np.bincount(codes, minlength=len(classes))
    keep = releasable(counts, min_count)
    return {
        "classes": [c for c, yes in zip(classes, keep, strict=True) if yes],
        "counts": counts[keep].astype(np.int64),
    }


def merge_strata(statistics):
    """Return the classes' mean shares over clients and the moments of float y's."""
    shares: dict = {}
    owner: dict = {}
    n_labelled, moments = 0, None
    for client, message in statistics.items():
        if message.get("classes"):
            n_labelled += 1
            text = isinstance(message["classes"][0], str)
            owner.setdefault(text, client)
            if len(owner) > 1:
                raise ClientError(
                    f"the labels of client {owner[True]!r} are text and those of "
                    f"client {owner[False]!r} are numbers; convert y to one type"
                )
            total = message["counts"].sum()
            for label, count in zip(message["classes"], message["counts"], strict=True):
                shares[label] = shares.get(label, 0.0) + count / total
        if "y_n" in message:
            own = message["y_n"], message["y_mean"], message["y_m2"]
            moments = own if moments is None else merge_moments(moments, own)
    shared: dict = {}
    if shares:
        shared["classes"] = sorted(shares)
        prior = np.array([shares[label] for label in shared["classes"]]) / n_labelled
        shared["prior"] = prior
    if moments is not None:
        n, mean, m2 = moments
        shared["y_mean"], shared["y_sd"] = float(mean), float(np.sqrt(m2 / n))
    return shared


def strata_of(y, shared):
    """Return (codes of shape (n,), weights of shape (C,)), or None without strata.

    The weights sum to 1 over the classes that the client has.
    """
    y = _one_column(y)
    if y is None:
        return None
    labels = class_labels(y)
    if labels is None:
        if "y_mean" not in shared:
            return None
        normal = NormalDist()
        cuts = [normal.inv_cdf(i / N_BINS) for i in range(1, N_BINS)]
        edges = shared["y_mean"] + shared["y_sd"] * np.array(cuts)
        bins, codes = np.unique(np.searchsorted(edges, _finite(y)), return_inverse=True)
        return codes, np.full(len(bins), 1 / len(bins))
    if "classes" not in shared:
        return None
    codes, classes = _coded(labels)
    own = np.bincount(codes, minlength=len(classes)) / len(codes)
    prior = dict(zip(shared["classes"], shared["prior"], strict=True))
    known = np.array([label in prior for label in classes])
    if not known.any():
        return None
    common = np.array([prior.get(label, 0.0) for label in classes])
    # a class that nobody could report keeps the share it has here
    weights = np.where(known, common / common.sum() * own[known].sum(), own)
    return codes, weights


def balanced_moments(X, codes, weights, prior_strength):
    """Return mean and variance per column under the given class shares.

    Parameters
    ----------
    X : array of float64 of shape (n, d)
        Rows; NaN is missing.
    codes : array of int of shape (n,)
        Class of each row.
    weights : array of float64 of shape (C,)
        Share of each class; they sum to 1.
    prior_strength : float
        Rows by which a class mean is shrunk towards the overall mean.

    Returns
    -------
    mean, var : arrays of float64 of shape (d,)
        The balanced moments.
    """
    n, centre, _ = column_moments(X)
    observed = ~np.isnan(X)
    deviation = np.where(observed, X - centre, 0.0)  # centred sums do not cancel
    member = (np.arange(len(weights))[:, None] == codes).astype(np.float64)
    rows = member @ observed
    sums = member @ deviation
    within = deviation - (sums / np.maximum(rows, 1))[codes]
    within = (np.where(observed, within, 0.0) ** 2).sum(axis=0)
    within /= np.maximum(n - (rows > 0).sum(axis=0), 1)
    shrunk = sums / np.maximum(rows + prior_strength, np.finfo(float).tiny)
    shift = weights @ shrunk
    return centre + shift, within + weights @ (shrunk - shift) ** 2


def _coded(labels):
    """Return codes and the classes as a list of plain Python values."""
    missing = pd.isna(labels)
    if missing.any():
        raise ClientError(
            f"y has {int(missing.sum())} missing labels; leave these rows out of fit"
        )
    codes, classes = pd.factorize(labels)
    classes = np.asarray(classes).tolist()
    if len({isinstance(label, str) for label in classes}) > 1:
        raise ClientError("y mixes text and numbers; convert it to one type")
    return codes, classes


def _finite(y):
    y = np.asarray(y, dtype=np.float64)
    if not np.isfinite(y).all():
        raise ClientError(
            "y contains NaN or infinity; leave these rows out of fit, or give class "
            "labels as integers or text"
        )
    return y


def _one_column(y):
    """Return y with one dimension, or None if it is absent or has several columns."""
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    return y if y.ndim == 1 else None
