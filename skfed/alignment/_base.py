"""What every aligner shares: equal width, and names for its output columns."""

from collections import Counter

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import ClientError
from ..preprocessing import FederatedTransformer


class Aligner(FederatedTransformer):
    """Base class of the steps that bring all clients to one input space.

    An aligner is the last step before the model. It reads a client's encoded,
    standardised table and returns a matrix with the same columns at every client.
    A subclass writes these hooks:

    ``_client_statistics(X, names, y, shared)``
        The client's message; ``X`` is a float64 array (n, d_k), ``names`` the list of
        its column names. Columns of two clients match when their names are equal.
    ``_merge(statistics, shared)``
        The server's answer. It alone decides the output columns: this is what makes
        the width equal.
    ``_fit_shared(X, names, y, shared)``
        Sets the fitted attributes, ``feature_names_out_`` among them.
    ``_transform(X)``
        Rows (n, d_k) to rows (n, q).
    ``_check_parameters()``
        Optional: raises on parameters out of range; runs before each act.

    Two class attributes declare what an aligner takes. ``accepts_nan`` (False unless
    set) says whether ``X`` may hold NaN. ``needs_same_columns`` (False unless set) says
    that all clients must have the same columns, so that another aligner has to stand
    before it; it must then refuse other tables by a
    :class:`~skfed.exceptions.ClientError` that names a client.

    Attributes
    ----------
    feature_names_out_ : list of str
        The q output columns, the same at all clients.
    private_columns_ : ndarray of bool of shape (q,)
        Output columns whose model weights stay at the client. Aligners without such
        columns do not have this attribute.

    See Also
    --------
    skfed.preprocessing.FederatedTransformer : The three acts of a federated step.
    """

    accepts_nan: bool = False
    needs_same_columns: bool = False

    def merge(self, statistics, shared=None):
        """Combine the clients' messages on the server.

        Parameters
        ----------
        statistics : dict of dict
            ``{client name: message}``, sorted by client name.
        shared : dict, default=None
            What the previous exchange returned; None in the first.

        Returns
        -------
        dict
            The message that goes back to every client.
        """
        self._check_parameters()
        return super().merge(statistics, shared)

    def fit_shared(self, X, y, shared):
        """Finish the fit on a client from what the server sent back.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table, the same as in ``client_statistics``.
        y : array of shape (n,) or None
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        object
            The fitted aligner itself.
        """
        super().fit_shared(X, y, shared)
        repeated = _repeated(self.feature_names_out_)
        if repeated:
            raise ClientError(
                f"{type(self).__name__} would return the columns {repeated} twice; "
                "rename the input columns of that name"
            )
        return self

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array of str, default=None
            The input columns; checked against those seen in fit, otherwise unused.

        Returns
        -------
        ndarray of str objects of shape (q,)
            The output columns, the same at all clients.
        """
        self._check_fitted()
        if input_features is not None:
            given = [str(name) for name in input_features]
            if len(given) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(given)}"
                )
            if hasattr(self, "feature_names_in_") and given != self._column_names():
                raise ValueError("input_features is not equal to feature_names_in_")
        return np.asarray(self.feature_names_out_, dtype=object)

    def _check_fitted(self):
        """Raise NotFittedError before fit; sending statistics is not enough."""
        check_is_fitted(self, "feature_names_out_")

    def _check_parameters(self):
        """Raise when a parameter is out of range (hook)."""

    def _read(self, X, y, reset):
        """Return the table and its column names, which must be distinct strings."""
        self._check_parameters()
        columns = list(getattr(X, "columns", ()))
        odd = [name for name in columns if not isinstance(name, str)]
        if odd:
            raise ClientError(
                f"columns match by name, but {odd[:5]} are not strings; rename them, "
                "for example with X.columns = X.columns.astype(str)"
            )
        repeated = _repeated(columns)
        if repeated:
            raise ClientError(
                f"columns match by name, but {repeated} occur more than once; rename "
                "or drop the copies"
            )
        return super()._read(X, y, reset)

    def __sklearn_tags__(self):
        """Return the tags; NaN is allowed where ``accepts_nan`` says so."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.accepts_nan
        return tags


def _repeated(names):
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
