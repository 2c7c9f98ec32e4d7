"""What each client is to get before a row is drawn: sizes, class shares, columns."""

import numpy as np

from ..exceptions import ClientError
from . import _dials as dials
from ._checks import check_choice, check_each, check_number, check_whole
from ._view import View

FEATURE_MAPS = ("subset", "disjoint", "linear")


def plan_sizes(n_clients, n_samples, quantity_skew, min_samples, seed):
    """Return the training rows of each client."""
    skew = check_number("quantity_skew", quantity_skew, 0)
    least = check_whole("min_samples", min_samples, 1)
    if np.ndim(n_samples) == 0:
        mean = check_whole("n_samples", n_samples, 1)
        rng = dials.stream(seed, "quantity_skew")
        return dials.spread_sizes(n_clients, mean, skew, least, rng)
    if len(n_samples) != n_clients:
        raise ValueError(
            f"n_samples must be a whole number or one for each of the {n_clients} "
            f"clients, got {len(n_samples)} numbers"
        )
    if skew:
        raise ValueError(
            "quantity_skew spreads a mean number of rows: give n_samples as one "
            "number, or leave quantity_skew at 0"
        )
    return np.array([check_whole("n_samples", n, 1) for n in n_samples])


def plan_shares(source, n_clients, n_labels, label_shift, seed):
    """Return the class shares of each client (n_clients, n_classes)."""
    prior = source.prior
    shift = check_each("label_shift", label_shift, n_clients, 0)
    sees = np.ones((n_clients, len(prior)), dtype=bool)
    if n_labels is not None:
        if source.task == "regression":
            raise ValueError(
                "n_labels_per_client needs classes: leave it at None for a regression"
            )
        n_labels = check_whole("n_labels_per_client", n_labels, 1)
        if n_labels > len(prior):
            raise ValueError(
                f"n_labels_per_client={n_labels} but there are {len(prior)} classes"
            )
        rng = dials.stream(seed, "n_labels_per_client")
        sees = dials.deal_labels(n_clients, len(prior), n_labels, rng)
    shares = [
        dials.label_shares(prior, sees[k], shift[k], dials.stream(seed, "shares", k))
        for k in range(n_clients)
    ]
    return np.array(shares)


def plan_counts(sizes, shares):
    """Return the rows of each class at each client (n_clients, n_classes)."""
    return np.array([dials.apportion(n, p) for n, p in zip(sizes, shares, strict=True)])


def plan_views(
    source, n_clients, feature_map, overlap, map_width, covariate_shift, seed
):
    """Return how each client sees a row."""
    check_choice("feature_map", feature_map, FEATURE_MAPS)
    overlap = check_each("feature_overlap", overlap, n_clients, 0, 1)
    drift = check_each("covariate_shift", covariate_shift, n_clients, 0)
    if feature_map != "subset" and (overlap < 1).any():
        raise ValueError(
            f"feature_overlap goes with feature_map='subset' only, not {feature_map!r}"
        )
    d = len(source.names)
    dealt = _deal_columns(d, n_clients, seed) if feature_map == "disjoint" else None
    width = _check_width(map_width)
    views = []
    for k in range(n_clients):
        scale = shift = matrix = None
        columns = np.arange(d)
        if drift[k] > 0:
            rng = dials.stream(seed, "covariate_shift", k)
            scale, shift = dials.affine_drift(source.spread, drift[k], rng)
        if feature_map == "linear":
            matrix = dials.linear_map(d, width, dials.stream(seed, "linear", k))
        elif dealt is not None:
            columns = dealt[k]
        else:
            rng = dials.stream(seed, "subset", k)
            columns = dials.subset_columns(d, overlap[k], rng)
        views.append(View(scale, shift, columns, matrix))
    return views


def _deal_columns(n_features, n_clients, seed):
    if n_clients > n_features:
        raise ClientError(
            f"feature_map='disjoint' cannot deal {n_features} columns to {n_clients} "
            "clients, some would have none: lower n_clients or give more columns"
        )
    rng = dials.stream(seed, "disjoint")
    return dials.disjoint_columns(n_features, n_clients, rng)


def _check_width(map_width):
    if np.shape(map_width) != (2,):
        raise ValueError(f"map_width must be two whole numbers, got {map_width!r}")
    low = check_whole("map_width", map_width[0], 1)
    return low, check_whole("map_width", map_width[1], low)
