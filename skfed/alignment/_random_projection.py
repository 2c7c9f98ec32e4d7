"""Random projection by position, a negative control."""

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from ._base import Aligner
from ._controls import NegativeControl


class RandomProjectionAligner(NegativeControl, Aligner):
    """Project by one random matrix whose row j serves every column j (control).

    Parameters
    ----------
    n_components : int, default=16
        Number of output columns.
    random_state : int, RandomState instance or None, default=None
        Draws the seed of the matrix. The server draws it once for all clients.

    Attributes
    ----------
    why_it_fails : str
        The matrix goes by position, and column j means something else elsewhere.
    components_ : ndarray of shape (d_k, n_components)
        The matrix: the first rows of one sequence that all clients share.
    feature_names_out_ : list of str
        "projection0", "projection1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    See Also
    --------
    PadAligner : The same mistake without mixing.

    Notes
    -----
    What leaves the client: nothing but the fact that it takes part. NaN cells count
    as 0.

    Examples
    --------
    >>> from skfed.alignment import RandomProjectionAligner
    >>> aligner = RandomProjectionAligner(n_components=4, random_state=0)
    >>> aligner.fit_transform([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 4)
    """

    accepts_nan = True
    why_it_fails = "the matrix goes by position, and column j differs between clients"

    def __init__(self, n_components=16, random_state=None):
        self.n_components = n_components
        self.random_state = random_state

    def _check_parameters(self):
        """Raise on a number of components below 1."""
        check_scalar(self.n_components, "n_components", (int, np.integer), min_val=1)

    def _client_statistics(self, X, names, y, shared):
        """Send nothing."""
        return {}

    def _merge(self, statistics, shared):
        """Return one seed for all."""
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return {"seed": int(seed), "n_components": int(self.n_components)}

    def _fit_shared(self, X, names, y, shared):
        """Draw the matrix row by row, so that position j gets the same row anywhere."""
        q = shared["n_components"]
        draw = np.random.default_rng(shared["seed"])
        self.components_ = draw.standard_normal((X.shape[1], q)) / np.sqrt(q)
        self.feature_names_out_ = [f"projection{j}" for j in range(q)]

    def _transform(self, X):
        """Project, NaN as 0."""
        return np.nan_to_num(X) @ self.components_
