"""Whole clients left out."""

import math
from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state, check_scalar

from ..data._groups import client_codes
from ..exceptions import ClientError


class LeaveClientsOut(BaseCrossValidator):
    """Cross-validation that leaves out whole clients, each exactly once.

    It measures what a newcomer gets. An estimator that cannot predict for a client
    it was not fitted on says so.

    Parameters
    ----------
    n_clients : int, default=1
        Clients left out together; the last fold may hold fewer.
    shuffle : bool, default=False
        Whether to shuffle the clients before dealing them out.
    random_state : int, RandomState or None, default=None
        Seed of the shuffle.
    client_column : str, default=None
        Column that names the client, when ``X`` is a DataFrame.

    See Also
    --------
    ClientKFold : Tests on new rows of known clients.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed import pool
    >>> from skfed.model_selection import LeaveClientsOut
    >>> X, y = pool([(np.zeros((2, 2)), [0, 1]), (np.ones((3, 1)), [1, 1, 0])])
    >>> for train, test in LeaveClientsOut().split(X, y):
    ...     print(X[test])
    ClientData(2 rows: 0 2)
    ClientData(3 rows: 1 3)
    """

    __metadata_request__split = {"groups": True}

    def __init__(
        self, n_clients=1, *, shuffle=False, random_state=None, client_column=None
    ):
        check_scalar(n_clients, "n_clients", Integral, min_val=1)
        self.n_clients = n_clients
        self.shuffle = shuffle
        self.random_state = random_state
        self.client_column = client_column

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X : ClientData, DataFrame or array of shape (n, ...)
            The rows.
        y : object
            Ignored.
        groups : array of shape (n,), default=None
            The client of each row; None takes them from ``X``.

        Returns
        -------
        n_splits : int
            Number of folds.
        """
        codes, _ = client_codes(X, groups, self.client_column)
        return math.ceil(len(np.unique(codes)) / self.n_clients)

    def split(self, X, y=None, groups=None):
        """Generate the row numbers of training and test set of each fold.

        Parameters
        ----------
        X : ClientData, DataFrame or array of shape (n, ...)
            The rows.
        y : object
            Ignored.
        groups : array of shape (n,), default=None
            The client of each row; None takes them from ``X``.

        Yields
        ------
        train, test : int arrays
            Row numbers, ascending.
        """
        codes, _ = client_codes(X, groups, self.client_column)
        present = np.unique(codes)
        if len(present) <= self.n_clients:
            raise ClientError(
                f"leaving {self.n_clients} of {len(present)} clients out leaves none "
                "to train on; lower n_clients"
            )
        if self.shuffle:
            present = check_random_state(self.random_state).permutation(present)
        for start in range(0, len(present), self.n_clients):
            out = np.isin(codes, present[start : start + self.n_clients])
            yield np.flatnonzero(~out), np.flatnonzero(out)
