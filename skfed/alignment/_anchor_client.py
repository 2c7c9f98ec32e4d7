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
            raise ClientError(
                f"the anchor {label!r} labels more than one row of a client; an anchor "
                "is one entity, so keep one of these rows or rename the others"
            )
        rows[j] = i
    return rows, not isinstance(index, pd.RangeIndex)


class AnchorTable(NamedTuple):
    """Singular values and vectors of a client's centred anchor rows, B = U S V'."""

    mean: np.ndarray  # (d_k,)
    U: np.ndarray  # (a_k, r)
    s: np.ndarray  # (r,)
    Vt: np.ndarray  # (r, d_k)
    ridge: float  # tau

    @property
    def size(self):
        """Root of the mean squared length of the rows."""
        return np.sqrt((self.s**2).sum() / len(self.U))

    def basis(self, method):
        """Return what is sent of the anchor rows, (a_k, r)."""
        if method == "gcca":
            return self.U * (self.s / np.sqrt(self.s**2 + self.ridge))
        return self.U * (self.s / self.size)

    def map_to(self, target, method):
        """Return W (d_k, q) and t (q,) so that rows x W + t are close to the target."""
        if method == "gcca":
            shrunk = self.s / (self.s**2 + self.ridge)
            W = self.Vt.T @ (shrunk[:, None] * (self.U.T @ target))
            t = target.mean(axis=0)
        else:
            R, t = similarity(self.basis(method), target)
            W = self.Vt.T @ R / self.size
        return W, t - self.mean @ W


def anchor_table(A, ridge):
    """Decompose anchor rows A (a_k, d_k); the ridge is a share of the mean variance."""
    mean = A.mean(axis=0)
    U, s, Vt = np.linalg.svd(A - mean, full_matrices=False)
    kept = s > 1e-10 * max(s[0], np.abs(A).max())
    if not kept.any():
        raise ClientError(
            f"none of the {A.shape[1]} columns varies over the {len(A)} anchor rows of "
            "a client; give it other anchors or leave it out"
        )
    U, s, Vt = U[:, kept], s[kept], Vt[kept]
    return AnchorTable(mean, U, s, Vt, ridge * float((s**2).sum()) / A.shape[1])


def similarity(E, target):
    """Return R (r, q), a partial isometry times a scale, and t so that E R + t fits."""
    R, t = procrustes_map(E, target, np.full(len(target), 1 / len(target)))
    image = E @ R
    return R * ((image * (target - t)).sum() / (image**2).sum()), t
