"""Bins of a numeric target, which then stand for classes."""

from statistics import NormalDist

import numpy as np

from ..exceptions import ClientError
from ..preprocessing._strata import merge_strata


def bin_edges(statistics, n_bins, min_count):
    """Return the inner edges of the bins, none for class labels.

    The edges are quantiles of a normal distribution with the pooled mean and standard
    deviation.

    Parameters
    ----------
    statistics : dict of dict
        ``{client: what strata_statistics returned, and is_numeric}``.
    n_bins : int
        Number of bins.
    min_count : int
        The smallest number of rows that the moments may describe.
    """
    numeric = [client for client, m in statistics.items() if m["is_numeric"]]
    others = [client for client in statistics if client not in numeric]
    if numeric and others:
        raise ClientError(
            f"the target of client {numeric[0]!r} is numeric and that of client "
            f"{others[0]!r} has class labels; convert them to one kind"
        )
    merged = merge_strata(statistics)
    if not numeric:
        return np.empty(0)
    if "y_mean" not in merged:
        raise ClientError(
            f"no client, not even {numeric[0]!r}, has min_count={min_count} "
            "rows (n_samples = 1 or a few); lower min_count"
        )
    normal = NormalDist()
    cuts = [normal.inv_cdf(b / n_bins) for b in range(1, n_bins)]
    return merged["y_mean"] + merged["y_sd"] * np.array(cuts)
