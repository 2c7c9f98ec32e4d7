"""All columns of all clients, absent ones filled."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ._base import Aligner
from ._names import check_finite_number, owners, place, positions

_INDICATORS = (None, "missing", "absent", "both")


class UnionAligner(Aligner):
    """Align by name to the union of all columns, filling what a client lacks.

    On standardised columns the fill value 0 is the average row, and a linear model
    then acts at a client through the coefficients of its own columns only. This is
    the baseline that other aligners have to beat.

    Parameters
    ----------
    indicator : {None, "missing", "absent", "both"}, default=None
        Columns of 0 and 1 to add. "missing": for every column that has at least
        ``min_count`` NaN at some client, which cells were NaN (0 where a client lacks
        the whole column); the default encoder fills gaps before, so that this needs
        ``TableEncoder(impute=None)``. "absent": for every column that some client
        lacks, whether this client does. The latter are constant at a client, and so
        tell the model who it is.
    fill_value : float, default=0.0
        Value of absent columns and of NaN cells.
    min_count : int, default=5
        NaN cells of a column at a client for it to tell that there are any.

    Attributes
    ----------
    feature_names_out_ : list of str
        The sorted union of names, then ``missingindicator_<name>``, then
        ``absentindicator_<name>``.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If column names are repeated or are not strings.

    See Also
    --------
    IntersectionAligner : Keeps only the columns that enough clients own.
    FactorAligner : Fills absent columns by what the present ones tell about them.

    Notes
    -----
    What leaves the client: its column names; with ``indicator`` "missing" or "both"
    also one bool per column, whether it holds ``min_count`` NaN or more.

    References
    ----------
    .. [1] B. McMahan, E. Moore, D. Ramage, S. Hampson, B. Aguera y Arcas,
       "Communication-Efficient Learning of Deep Networks from Decentralized Data",
       AISTATS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.alignment import UnionAligner
    >>> aligner = UnionAligner(indicator="missing", min_count=1)
    >>> aligner.fit_transform([[1.0, np.nan], [2.0, 3.0]])
    array([[1., 0., 1.],
           [2., 3., 0.]])
    """

    accepts_nan = True

    def __init__(self, indicator=None, fill_value=0.0, min_count=5):
        self.indicator = indicator
        self.fill_value = fill_value
        self.min_count = min_count

    def _check_parameters(self):
        """Raise on an unknown indicator or a fill value that is not finite."""
        if self.indicator not in _INDICATORS:
            raise ValueError(
                f"indicator must be one of {_INDICATORS}, got {self.indicator!r}"
            )
        check_finite_number(self.fill_value, "fill_value")
        check_scalar(self.min_count, "min_count", Integral, min_val=1)

    def _client_statistics(self, X, names, y, shared):
        """Send the names, and which columns have NaN when that is asked for."""
        message = {"names": names}
        if self.indicator in ("missing", "both"):
            message["has_nan"] = np.isnan(X).sum(axis=0) >= self.min_count
        return message

    def _merge(self, statistics, shared):
        """Return the union of names and the columns that get an indicator."""
        owned_by = owners(statistics)
        answer = {"names": list(owned_by), "missing": [], "absent": []}
        if self.indicator in ("missing", "both"):
            with_nan = {
                name
                for message in statistics.values()
                for name, has_nan in zip(
                    message["names"], message["has_nan"], strict=True
                )
                if has_nan
            }
            answer["missing"] = sorted(with_nan)
        if self.indicator in ("absent", "both"):
            answer["absent"] = [
                name for name, who in owned_by.items() if len(who) < len(statistics)
            ]
        return answer

    def _fit_shared(self, X, names, y, shared):
        """Find this client's columns in the union."""
        self._target = positions(names, shared["names"])
        self._missing_target = positions(names, shared["missing"])
        self._n_missing = len(shared["missing"])
        self._n_union = len(shared["names"])
        self._absent = np.array([name not in names for name in shared["absent"]], float)
        self.feature_names_out_ = (
            list(shared["names"])
            + [f"missingindicator_{name}" for name in shared["missing"]]
            + [f"absentindicator_{name}" for name in shared["absent"]]
        )

    def _transform(self, X):
        """Place the columns, then the indicators beside them."""
        filled = place(X, self._target, self._n_union, self.fill_value)
        missing = place(
            np.isnan(X).astype(float), self._missing_target, self._n_missing, 0.0
        )
        absent = np.broadcast_to(self._absent, (X.shape[0], self._absent.size))
        return np.hstack([filled, missing, absent])
