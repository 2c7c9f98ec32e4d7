"""What a client tells the PrototypeAligner's server of its classes."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.covariance import LedoitWolf

from ..exceptions import AlignmentWarning, ClientError
from ..preprocessing._disclosure import releasable
from ..preprocessing._federated import class_labels


class Classes(NamedTuple):
    """The rows' codes into ``labels``, and which of these take part."""

    labels: list
    codes: np.ndarray
    keep: np.ndarray

    @property
    def kept(self):
        """Labels that take part."""
        return [c for c, yes in zip(self.labels, self.keep, strict=True) if yes]

    @property
    def withheld(self):
        """Labels that do not."""
        return [c for c, yes in zip(self.labels, self.keep, strict=True) if not yes]


def read_classes(y, shared, min_count):
    """Return the classes of y (n,), which are bins if it is numeric."""
    labels = class_labels(y)
    if labels is None:
        labels = np.searchsorted(shared["bin_edges"], y)
    found, codes = np.unique(labels, return_inverse=True)
    keep = releasable(np.bincount(codes, minlength=len(found)), min_count)
    return Classes(found.tolist(), codes, keep)


def class_means(X, classes):
    """Return the means (C_k, d) of all classes."""
    return np.stack(
        [X[classes.codes == c].mean(axis=0) for c in range(len(classes.labels))]
    )


def within_class_whitening(X, codes):
    """Return a map (d, d') to where the noise within classes is the unit sphere.

    None if no class has rows that differ.
    """
    means = np.stack([X[codes == c].mean(axis=0) for c in range(codes.max() + 1)])
    residuals, free = X - means[codes], len(X) - len(means)
    if not np.abs(residuals).max() > 1e-10 * np.abs(X - X.mean(axis=0)).max():
        return None
    return whitening(residuals, free)


def whitening(residuals, free):
    """Return the map (d, d') that whitens residuals (n, d) of ``free`` degrees."""
    within = LedoitWolf(assume_centered=True).fit(residuals).covariance_
    values, vectors = np.linalg.eigh(within * (len(residuals) / free))
    alive = values > 1e-8 * values[-1]
    return vectors[:, alive] / np.sqrt(values[alive])


def whitened_means(X, classes):
    """Return centred whitened means (C_k, d'), counts (C_k,) and the map (d, d').

    Rows of all classes, withheld ones included, tell the covariance within classes,
    which stays at the client.
    """
    keep = classes.keep
    whiten = within_class_whitening(X, classes.codes)
    if whiten is None:  # one row per class
        residuals = X - X.mean(axis=0)
        if not residuals.any():
            raise ClientError(
                f"none of the {X.shape[1]} columns varies (n_features = {X.shape[1]}, "
                f"n_samples = {len(X)}); give this client other columns or leave it out"
            )
        whiten = whitening(residuals, len(X) - 1)
    means = class_means(X, classes)[keep]
    counts = np.bincount(classes.codes)[keep]
    shift = means - (counts / counts.sum()) @ means
    return shift @ whiten, counts, whiten


def warn_of_withheld(aligner, statistics, min_count):
    """Warn once of all classes whose means took no part, by client."""
    notes = [
        f"client {client!r} withholds labels {message['withheld']}"
        for client, message in statistics.items()
        if message["withheld"]
    ]
    if notes:
        warnings.warn(
            f"{aligner}: {'; '.join(notes)}: fewer than min_count={min_count} "
            "rows, or needed to hide those; their rows are mapped all the same",
            AlignmentWarning,
            stacklevel=3,
        )
