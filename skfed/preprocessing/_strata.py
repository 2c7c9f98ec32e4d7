"""Classes, or bins of a numeric target, under shares that all clients have in common.

The statistics of :class:`FederatedStandardScaler` with ``scaling="balanced"``. A target
may say what it is, by ``y.attrs["quantity"]`` of a Series: classes of another quantity
are not absent from a client, and have no share there.
"""

from dataclasses import dataclass
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
    quantity, y = quantity_of(y), one_column(y)
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
        **({} if quantity is None else {"quantity": quantity}),
    }


def quantity_of(y):
    """Return the name of what a target is, or None."""
    return getattr(y, "attrs", {}).get("quantity")


def merge_strata(statistics):
    """Return the classes' mean shares over clients and the moments of float y's."""
    shares: dict = {}
    owner: dict = {}
    quantities: dict = {}
    n_labelled: dict = {}
    moments = None
    for client, message in statistics.items():
        if message.get("classes"):
            quantity = message.get("quantity")
            n_labelled[quantity] = n_labelled.get(quantity, 0) + 1
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
                quantities[label] = quantity
        if "y_n" in message:
            own = message["y_n"], message["y_mean"], message["y_m2"]
            moments = own if moments is None else merge_moments(moments, own)
    shared: dict = {}
    if shares:
        shared["classes"] = sorted(shares)
        of = [quantities[label] for label in shared["classes"]]
        shared["prior"] = np.array(
            [
                shares[c] / n_labelled[q]
                for c, q in zip(shared["classes"], of, strict=True)
            ]
        )
        if any(quantity is not None for quantity in of):
            shared["quantities"] = of
    if moments is not None:
        n, mean, m2 = moments
        shared["y_mean"], shared["y_sd"] = float(mean), float(np.sqrt(m2 / n))
    return shared


@dataclass(frozen=True)
class Strata:
    """A client's rows by class, and the shares that the classes shall have.

    Attributes
    ----------
    codes : int array of shape (n,)
        Class of each row among the C that somebody has.
    prior : float array of shape (C,)
        Common shares; 0 for a class that nobody could report.
    own : float array of shape (C,)
        Share that such a class has here, else NaN.
    n_common : int
        The first so many classes are those of the server.
    of_target : bool array of shape (n_common,)
        Those which belong to the client's target.
    """

    codes: np.ndarray
    prior: np.ndarray
    own: np.ndarray
    n_common: int
    of_target: np.ndarray


def classes_of_target(y, shared):
    """Return a mask (C,) of the server's classes that belong to a client's target."""
    if "quantities" not in shared:
        return np.full(len(shared["classes"]), True)
    return np.array([q == quantity_of(y) for q in shared["quantities"]])


def strata_of(y, shared):
    """Return the :class:`Strata` of a client's rows, or None without any."""
    named, y = y, one_column(y)
    if y is None:
        return None
    labels = class_labels(y)
    if labels is None:
        if "y_mean" not in shared:
            return None
        normal = NormalDist()
        cuts = [normal.inv_cdf(i / N_BINS) for i in range(1, N_BINS)]
        edges = shared["y_mean"] + shared["y_sd"] * np.array(cuts)
        codes = np.searchsorted(edges, _finite(y))
        prior = np.full(N_BINS, 1 / N_BINS)
        return Strata(codes, prior, np.full(N_BINS, np.nan), 0, np.empty(0, bool))
    if "classes" not in shared:
        return None
    codes, classes = _coded(labels)
    common, mine = list(shared["classes"]), classes_of_target(named, shared)
    place = {label: i for i, label in enumerate(common)}
    extra = [label for label in classes if label not in place]
    if len(extra) == len(classes):
        return None
    place |= {label: len(common) + i for i, label in enumerate(extra)}
    codes = np.array([place[label] for label in classes])[codes]
    share = np.bincount(codes, minlength=len(place)) / len(codes)
    nobody = np.arange(len(place)) >= len(common)
    return Strata(
        codes,
        np.concatenate([np.where(mine, shared["prior"], 0.0), np.zeros(len(extra))]),
        np.where(nobody, share, np.nan),
        len(common),
        mine,
    )


def coded_classes(y):
    """Return (codes, classes) of labels y, or None for any other y."""
    y = one_column(y)
    labels = None if y is None else class_labels(y)
    return None if labels is None else _coded(labels)


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


def one_column(y):
    """Return y with one dimension, or None if it is absent or has several columns."""
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    return y if y.ndim == 1 else None
