"""Aligners that do not align, for comparison: a method must beat them to count."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state, check_scalar

from ..exceptions import ClientError
from ._base import Aligner


class NegativeControl:
    """Marks an aligner that gives equal widths without equal meanings.

    Such an aligner belongs into a comparison only.

    Attributes
    ----------
    why_it_fails : str
        What makes the aligned columns differ in meaning between clients.
    """

    why_it_fails: str = ""


def is_negative_control(aligner):
    """Tell whether an aligner, or any step inside it, is a negative control.

    Parameters
    ----------
    aligner : estimator
        An aligner, or a Pipeline or another composition that may contain one.

    Returns
    -------
    bool
        True when a negative control is found.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfed.alignment import PadAligner, is_negative_control
    >>> is_negative_control(make_pipeline(StandardScaler(), PadAligner()))
    True
    """
    parts = [aligner]
    if hasattr(aligner, "get_params") and not isinstance(aligner, type):
        parts += aligner.get_params(deep=True).values()
    return any(isinstance(part, NegativeControl) for part in parts)


class PadAligner(NegativeControl, Aligner):
    """Put column j at position j and pad with zeros (negative control).

    Attributes
    ----------
    why_it_fails : str
        Column j means something else at every client.
    feature_names_out_ : list of str
        "pad0", "pad1", ... up to the largest width of all clients.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    See Also
    --------
    UnionAligner : Matches columns by name instead.

    Notes
    -----
    What leaves the client: its number of columns. NaN cells become 0.

    Examples
    --------
    >>> from skfed.alignment import PadAligner
    >>> aligner = PadAligner()
    >>> wide = aligner.merge({"a": {"width": 1}, "b": {"width": 3}})
    >>> aligner.fit_shared([[5.0]], None, wide).transform([[5.0]])
    array([[5., 0., 0.]])
    """

    accepts_nan = True
    why_it_fails = "column j means something else at every client"

    def _client_statistics(self, X, names, y, shared):
        """Send the width."""
        return {"width": X.shape[1]}

    def _merge(self, statistics, shared):
        """Return the largest width."""
        return {"width": max(message["width"] for message in statistics.values())}

    def _fit_shared(self, X, names, y, shared):
        """Name the positions."""
        self.feature_names_out_ = [f"pad{j}" for j in range(shared["width"])]

    def _transform(self, X):
        """Pad on the right."""
        lacking = len(self.feature_names_out_) - X.shape[1]
        return np.pad(np.nan_to_num(X), [(0, 0), (0, lacking)])


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
