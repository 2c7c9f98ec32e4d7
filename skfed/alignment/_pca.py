"""Principal components of each client's own, a negative control."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ._base import Aligner
from ._controls import NegativeControl


class PCAAligner(NegativeControl, Aligner):
    """Let every client use its own whitened principal components (negative control).

    Parameters
    ----------
    n_components : int, default=None
        Number of components; no more than the smallest rank bound of all clients,
        min(n_k - 1, d_k), which None takes.

    Attributes
    ----------
    why_it_fails : str
        Sign, order and rotation of the components differ between clients.
    pca_ : sklearn.decomposition.PCA
        The client's own decomposition.
    feature_names_out_ : list of str
        "pca0", "pca1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If a client has one row only.

    See Also
    --------
    FactorAligner : Components that mean the same at all clients.

    Notes
    -----
    What leaves the client: its rank bound. NaN cells take the client's column mean.

    Examples
    --------
    >>> from skfed.alignment import PCAAligner
    >>> PCAAligner().fit_transform([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]).shape
    (3, 2)
    """

    accepts_nan = True
    why_it_fails = "sign, order and rotation of components differ between clients"

    def __init__(self, n_components=None):
        self.n_components = n_components

    def _check_parameters(self):
        """Raise on a number of components below 1."""
        if self.n_components is not None:
            check_scalar(
                self.n_components, "n_components", (int, np.integer), min_val=1
            )

    def _client_statistics(self, X, names, y, shared):
        """Send how many components this table can have."""
        n_rows, width = X.shape
        if n_rows < 2:
            raise ClientError(
                "PCAAligner needs at least 2 rows per client, got n_samples = 1; leave "
                "this client out or use UnionAligner"
            )
        return {"rank_bound": min(n_rows - 1, width)}

    def _merge(self, statistics, shared):
        """Return what every client can give."""
        bound = min(message["rank_bound"] for message in statistics.values())
        asked = bound if self.n_components is None else int(self.n_components)
        return {"n_components": min(asked, bound)}

    def _fit_shared(self, X, names, y, shared):
        """Decompose this client's own table."""
        observed = ~np.isnan(X)
        count = np.maximum(observed.sum(axis=0), 1)
        self._fill = np.where(observed, X, 0.0).sum(axis=0) / count
        q = shared["n_components"]
        self.pca_ = PCA(q, whiten=True, svd_solver="full").fit(self._filled(X))
        self.feature_names_out_ = [f"pca{j}" for j in range(q)]

    def _transform(self, X):
        """Project on this client's components."""
        return self.pca_.transform(self._filled(X))

    def _filled(self, X):
        """Return X with column means in its NaN cells."""
        return np.where(np.isnan(X), self._fill, X)
