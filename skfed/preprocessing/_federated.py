"""The contract of a preprocessing step that is fitted by all clients together."""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length, validate_data

from ..exceptions import ClientError


class FederatedTransformer(TransformerMixin, BaseEstimator, ABC):
    """Base class of transformers that clients fit together without sharing rows.

    A federated step runs in three acts, each a public method of this class::

        client_statistics(X, y) -> dict     on every client: what leaves it
        merge({client: dict})   -> dict     on the server: what comes back
        fit_shared(X, y, shared) -> self    on every client: finish

    The public methods validate and count; a subclass writes the hooks
    :meth:`_client_statistics`, :meth:`_merge`, :meth:`_fit_shared` (must),
    :meth:`_transform` and :meth:`get_feature_names_out` (must), and may override
    :meth:`_read` (how the table is validated) and the class attribute
    ``n_exchanges`` (how often statistics travel, 1 unless set; from the second
    exchange on, ``shared`` is what the last merge returned).

    A step may give the rows it is fitted on other values than :meth:`transform` would,
    such as scores from models that have not seen them. It then overrides
    :meth:`fit_shared_transform`, and says why in the class attribute
    ``differs_in_fit``, a text; the empty text, which is the default, promises that
    both agree.

    Real statistics are finite, and a client that sends others has failed. A step in
    which NaN stands for what is not told names those statistics in the class attribute
    ``may_be_nan``, empty unless set.

    Standing alone it is an ordinary transformer, because one client is a
    federation of one: ``fit(X, y)`` equals
    ``fit_shared(X, y, merge({"client": client_statistics(X, y)}))``.

    Messages are flat dicts from str to numpy arrays (of real numbers, bool or text),
    bool, int, float, str, bytes, or a list of one scalar type. Sums are float64, and a
    merge walks its clients in the order of the dict, which is sorted by client name, so
    that a result does not depend on who answered first.

    Examples
    --------
    A step that subtracts the mean over all clients:

    >>> import numpy as np
    >>> from skfed.preprocessing import FederatedTransformer
    >>> class Centre(FederatedTransformer):
    ...     def _client_statistics(self, X, names, y, shared):
    ...         return {"sum": X.sum(axis=0), "n_rows": len(X)}
    ...     def _merge(self, statistics, shared):
    ...         total = sum(message["sum"] for message in statistics.values())
    ...         n = sum(message["n_rows"] for message in statistics.values())
    ...         return {"mean": total / n}
    ...     def _fit_shared(self, X, names, y, shared):
    ...         self.mean_ = shared["mean"]
    ...     def _transform(self, X):
    ...         return X - self.mean_
    ...     def get_feature_names_out(self, input_features=None):
    ...         return np.array(self._column_names(), dtype=object)
    >>> Centre().fit_transform([[1.0], [3.0]])
    array([[-1.],
           [ 1.]])
    """

    n_exchanges: int = 1
    differs_in_fit: str = ""
    may_be_nan: tuple = ()

    def fit(self, X, y=None):
        """Fit on one table, as a federation of one client.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d)
            The table.
        y : array of shape (n,), default=None
            The target; used by label-aware steps only.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        return self.fit_shared(X, y, self._shared_alone(X, y))

    def fit_transform(self, X, y=None):
        """Fit on one table, as a federation of one client, and transform its rows.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d)
            The table.
        y : array of shape (n,), default=None
            The target; used by label-aware steps only.

        Returns
        -------
        Z : array of shape (n, q)
            The transformed rows; what ``transform`` returns for them, unless
            ``differs_in_fit`` says why not.
        """
        return self.fit_shared_transform(X, y, self._shared_alone(X, y))

    def _shared_alone(self, X, y):
        """Run the exchanges with a single client; return the server's last answer."""
        shared = None
        for _ in range(self.n_exchanges):
            mine = self.client_statistics(X, y, shared)
            shared = self.merge({"client": mine}, shared)
        return shared

    def client_statistics(self, X, y=None, shared=None):
        """Summarise a client's table: the returned dict is all that leaves it.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table.
        y : array of shape (n,), default=None
            The client's target.
        shared : dict, default=None
            What the previous exchange returned; None in the first.

        Returns
        -------
        statistics : dict
            The message to the server.
        """
        table, names = self._read(X, y, reset=True)
        return self._client_statistics(table, names, y, shared)

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
        shared : dict
            The message that goes back to every client.
        """
        if not statistics:
            raise ValueError(f"{type(self).__name__}.merge got no client messages")
        return self._merge(statistics, shared)

    def fit_shared(self, X, y, shared):
        """Finish the fit on a client from what the server sent back.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table, the same as in :meth:`client_statistics`.
        y : array of shape (n,) or None
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        table, names = self._read(X, y, reset=True)
        self._fit_shared(table, names, y, shared)
        return self

    def fit_shared_transform(self, X, y, shared):
        """Finish the fit and transform the rows it is fitted on.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table.
        y : array of shape (n,) or None
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        Z : array of shape (n, q)
            The transformed rows.
        """
        return self.fit_shared(X, y, shared).transform(X)

    def transform(self, X):
        """Transform rows of the table the step was fitted on.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            Rows with the columns seen in fit.

        Returns
        -------
        Z : array of shape (n, q)
            The transformed rows.
        """
        self._check_fitted()
        table, _ = self._read(X, None, reset=False)
        return self._transform(table)

    def __sklearn_is_fitted__(self):
        """Tell whether the last act is done; the input's schema alone is no fit."""
        learnt = {name for name in vars(self) if name.endswith("_")}
        return not learnt <= {"n_features_in_", "feature_names_in_"}

    def _check_fitted(self):
        """Raise NotFittedError before fit (hook)."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)

    def _read(self, X, y, reset):
        """Return the table as float64 array (n, d) and its column names (hook).

        Unnamed columns are called ``x0, x1, ...``. NaN passes when the tag
        ``allow_nan`` is set; infinite values never do.
        """
        finite = "allow-nan" if self.__sklearn_tags__().input_tags.allow_nan else True
        table = validate_data(
            self, X, dtype=np.float64, ensure_all_finite=finite, reset=reset
        )
        if y is not None:
            check_consistent_length(table, y)
        return table, self._column_names()

    def _column_names(self):
        """Return the names of the input columns as a list of str."""
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return [f"x{j}" for j in range(self.n_features_in_)]
        return [str(name) for name in names]

    @abstractmethod
    def _client_statistics(self, X, names, y, shared):
        """Return the client's message (hook)."""

    @abstractmethod
    def _merge(self, statistics, shared):
        """Return the server's answer (hook)."""

    @abstractmethod
    def _fit_shared(self, X, names, y, shared):
        """Set the fitted attributes (hook)."""

    @abstractmethod
    def _transform(self, X):
        """Return the transformed array (hook)."""

    @abstractmethod
    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array of str of shape (d,), default=None
            Names of the input columns; None takes those seen in fit.

        Returns
        -------
        names : array of object of shape (q,)
            Column names.
        """


def class_labels(y):
    """Return y as class labels, or None when it is a numeric target.

    The rule is the dtype: bool, int, str and object arrays hold labels, float
    arrays hold the numbers of a regression. A table of several columns holds numbers
    too, such as the 0 and 1 of labels that do not exclude each other.
    """
    if y is None:
        return None
    y = np.asarray(y)
    several = y.ndim == 2 and y.shape[1] > 1
    return None if several or y.dtype.kind == "f" else y


def one_target(y, step):
    """Return y (n,), or refuse a table of several targets.

    Parameters
    ----------
    y : array of shape (n,) or (n, 1)
        The target.
    step : str
        Name of the step that reads it.
    """
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        raise ClientError(
            f"{step} places rows by one target each, and y has {values.shape[1]} "
            "columns; use FactorAligner, which joins by them all, or UnionAligner"
        )
    return column_or_1d(y)
