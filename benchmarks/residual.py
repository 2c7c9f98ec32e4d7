"""Rows joined by anchors, with what the shared columns leave out beside them."""

import numpy as np
from scipy.linalg import orth

from skfed.alignment import AnchorAligner


class ResidualAnchorAligner(AnchorAligner):
    r"""AnchorAligner that also returns the client's own residual columns.

    The map of :class:`~skfed.alignment.AnchorAligner` keeps of a row what lies in the
    span of its few shared directions. This class adds the main directions of the rest.
    They mean something else at each client, so ``private_columns_`` keeps their
    weights at home.

    Parameters
    ----------
    anchors : array-like of hashable labels
        Index labels of the anchor rows.
    n_private : int, default=20
        Number p of residual columns. Where a client's residual has fewer directions,
        the last columns are 0.
    scale : float, default=0.3
        Largest deviation s of a residual column over the client's training rows. The
        shared columns have deviation 1.

    Attributes
    ----------
    residual_ : ndarray of shape (d_k, p)
        This client's map M: a row x has the residual columns ``(x - mean_) @ M``.
    mean_ : ndarray of shape (d_k,)
        Mean of the client's training rows.
    private_columns_ : ndarray of bool of shape (q + p,)
        True for the last p columns.

    Notes
    -----
    With the whitening H within classes, the map W of the shared columns and an
    orthonormal basis U of the span of :math:`H^+ W`,

    .. math::

       a = (x - \bar x) H, \qquad r = a (I - U U^\top), \qquad
       z = s \, r V / \max_j \operatorname{sd}(r v_j),

    where V holds the first p right singular vectors of the residuals r of the client's
    training rows. Nothing but what the other aligner sends leaves the client.
    """

    def __init__(self, anchors=None, n_private=20, scale=0.3):
        super().__init__(anchors)
        self.n_private = n_private
        self.scale = scale

    def _fit_shared(self, X, names, y, shared):
        """Fit the shared columns, then find the main directions of the rest."""
        super()._fit_shared(X, names, y, shared)
        H = self._coordinates(X, *self._own_rows(X, y, shared), shared)
        U = orth(np.linalg.pinv(H) @ self.projection_, rcond=1e-9)
        self.mean_ = X.mean(axis=0)
        A = (X - self.mean_) @ H
        _, s, Vt = np.linalg.svd(A - A @ U @ U.T, full_matrices=False)
        V = Vt[s > 1e-8 * np.linalg.norm(A)][: self.n_private].T
        sd = (A @ V).std(axis=0)
        self.residual_ = np.zeros((X.shape[1], self.n_private))
        self.residual_[:, : V.shape[1]] = H @ V * (self.scale / sd.max(initial=1e-12))
        q = self.n_components_
        self.feature_names_out_ += [f"residual{j}" for j in range(self.n_private)]
        self.private_columns_ = np.arange(q + self.n_private) >= q

    def _transform(self, X):
        """Return the shared columns and the residual ones."""
        return np.hstack([super()._transform(X), (X - self.mean_) @ self.residual_])
