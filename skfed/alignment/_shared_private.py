"""One copy of the columns for all clients, one for the client alone."""

from numbers import Real

import numpy as np
from sklearn.utils import check_scalar

from ._base import Aligner
from ._names import check_finite_number, owners, place, positions


class SharedPrivateAligner(Aligner):
    r"""Align by name to the union, with a second copy whose weights stay at home.

    Every client's row becomes :math:`[F;\ sF;\ b]`, where :math:`F` is the row of
    :class:`UnionAligner`. The weights of the last D + 1 columns are the client's own
    and are never averaged, so a linear model acts at client k with
    :math:`w_k = w_0 + s v_k`: the shared model contains every local one. A ridge
    penalty on both parts is a penalty :math:`1/s^2` on :math:`w_k - w_0`: a small
    scale gives the union's model, a large one the local models.

    Parameters
    ----------
    scale : float, default=0.5
        The factor s > 0 of the private copy. Worth a search over 0.25, 0.5, 1 and 2.
    bias : float, default=1.0
        Value b of the private constant column.
    fill_value : float, default=0.0
        Value of absent columns and of NaN cells.

    Attributes
    ----------
    feature_names_out_ : list of str
        The sorted union of names, ``private_<name>`` for each of them, and
        ``private_bias``.
    private_columns_ : ndarray of bool of shape (2 D + 1,)
        True for the last D + 1 columns.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    See Also
    --------
    UnionAligner : The shared half alone.

    Notes
    -----
    What leaves the client: its column names. The private weights are useful only if
    the estimator honours ``private_columns_``; averaged like others, the private copy
    turns into a second shared one.

    References
    ----------
    .. [1] H. Daume III, "Frustratingly Easy Domain Adaptation", ACL 2007.
    .. [2] T. Evgeniou, M. Pontil, "Regularized Multi-Task Learning", KDD 2004.

    Examples
    --------
    >>> from skfed.alignment import SharedPrivateAligner
    >>> SharedPrivateAligner(scale=0.5).fit_transform([[2.0, 4.0]])
    array([[2., 4., 1., 2., 1.]])
    """

    accepts_nan = True

    def __init__(self, scale=0.5, bias=1.0, fill_value=0.0):
        self.scale = scale
        self.bias = bias
        self.fill_value = fill_value

    def _check_parameters(self):
        """Raise on a scale that is not positive or a fill value that is not finite."""
        check_scalar(self.scale, "scale", Real, min_val=0, include_boundaries="neither")
        check_finite_number(self.bias, "bias")
        check_finite_number(self.fill_value, "fill_value")

    def _client_statistics(self, X, names, y, shared):
        """Send the names."""
        return {"names": names}

    def _merge(self, statistics, shared):
        """Return the union of names."""
        return {"names": list(owners(statistics))}

    def _fit_shared(self, X, names, y, shared):
        """Find this client's columns in the union and mark the private half."""
        union = list(shared["names"])
        self._target = positions(names, union)
        self.feature_names_out_ = [
            *union,
            *(f"private_{name}" for name in union),
            "private_bias",
        ]
        self.private_columns_ = np.arange(2 * len(union) + 1) >= len(union)

    def _transform(self, X):
        """Place the columns, then their scaled copy and the constant."""
        width = (len(self.feature_names_out_) - 1) // 2
        filled = place(X, self._target, width, self.fill_value)
        constant = np.full((X.shape[0], 1), float(self.bias))
        return np.hstack([filled, self.scale * filled, constant])
