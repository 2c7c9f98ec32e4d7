"""Padding by position, a negative control."""

import numpy as np

from ._base import Aligner
from ._controls import NegativeControl


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
