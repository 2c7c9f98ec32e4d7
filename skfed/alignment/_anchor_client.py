"""What a client does with its own anchor rows."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..exceptions import ClientError
from ._prototype_server import procrustes_map


def anchor_labels(anchors):
    """Return the anchors as a list of distinct labels in plain Python types."""
    if anchors is None:
        raise ClientError(
            "anchors is None; give the labels (DataFrame.index) of rows that are the "
            "same entities at several clients, or use an aligner that needs no anchors"
        )
    try:
        labels = pd.Index(anchors).tolist()
        repeated = sorted(str(v) for v, n in Counter(labels).items() if n > 1)
    except (TypeError, ValueError) as error:
        raise ClientError(
            f"anchors must be a list or array of row labels: {error}"
        ) from error
    if repeated:
        raise ClientError(f"anchors holds {repeated} more than once; give each once")
    return labels


def anchor_rows(X, n_rows, anchors):
    """Return the row (a,) of each anchor, -1 if it is not here, and if rows have names.

    Rows of an array, or of a DataFrame whose index is the default one, have none: they
    are counted from 0, which suffices for a client alone.
    """
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(n_rows)
    at = {label: j for j, label in enumerate(anchors)}
    rows = np.full(len(anchors), -1)
    for i, label in enumerate(index.tolist()):
        j = at.get(label, -1)
        if j < 0:
            continue
        if rows[j] >= 0:
            error = ClientError(
                "an anchor labels more than one row of a client; it is one entity, so "
                "keep one of these rows or rename the others"
            )
            error.add_note(f"The anchor {label!r} labels more than one row.")
            raise error
        rows[j] = i
    return rows, not isinstance(index, pd.RangeIndex)


class AnchorTable(NamedTuple):
    """A client's weighted rows of the stack: D^1/2 (B - mean) H = U S V'."""

    mean: np.ndarray  # (d_k,)
    H: np.ndarray  # (d_k, d')
    root: np.ndarray  # (l_k,), roots of the weights
    U: np.ndarray  # (l_k, r)
    s: np.ndarray  # (r,)
    Vt: np.ndarray  # (r, d')
    ridge: float

    @property
    def size(self):
        """Root of the mean squared length of the rows."""
        return np.sqrt((self.s**2).sum() / len(self.U))

    def basis(self, method):
        """Return what is sent of the rows, (l_k, r)."""
        if method == "gcca":
            shrunk = self.s / np.sqrt(self.s**2 + self.ridge)
            return self.root[:, None] * self.U * shrunk
        return self.U * (self.s / self.size)

    def map_to(self, target, method):
        """Return W (d_k, q) and t (q,) so that rows x W + t are close to the target."""
        if method == "gcca":
            shrunk = self.s / (self.s**2 + self.ridge)
            W = self.Vt.T @ (
                shrunk[:, None] * (self.U.T @ (self.root[:, None] * target))
            )
            t = self.root**2 @ target / (self.root**2).sum()
        else:
            R, t = similarity(self.basis(method), target)
            W = self.Vt.T @ R / self.size
        W = self.H @ W
        return W, t - self.mean @ W


def anchor_table(B, weights, H, ridge):
    """Decompose rows B (l_k, d_k) of these weights, in the coordinates H (d_k, d')."""
    mean, root = weights @ B / weights.sum(), np.sqrt(weights)
    U, s, Vt = np.linalg.svd(root[:, None] * ((B - mean) @ H), full_matrices=False)
    kept = s > 1e-10 * max(s[0], np.abs(B @ H).max())
    if not kept.any():
        raise ClientError(
            f"none of the {B.shape[1]} columns varies over the {len(B)} anchor rows of "
            "a client; give it other anchors or leave it out"
        )
    return AnchorTable(mean, H, root, U[:, kept], s[kept], Vt[kept], ridge)


def equal_scale(A):
    """Return the coordinates (d_k, d_k) that scale all columns by the same number.

    The mean variance of the columns over the rows A (a_k, d_k) becomes 1.
    """
    variance = A.var(axis=0).mean()
    return np.eye(A.shape[1]) / np.sqrt(variance if variance > 0 else 1.0)


def similarity(E, target):
    """Return R (r, q), a partial isometry times a scale, and t so that E R + t fits."""
    R, t = procrustes_map(E, target, np.full(len(target), 1 / len(target)))
    image = E @ R
    return R * ((image * (target - t)).sum() / (image**2).sum()), t
