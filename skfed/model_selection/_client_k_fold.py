"""K folds within every client."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, KFold, StratifiedKFold
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.multiclass import type_of_target

from ..data._groups import client_codes
from ..data._pool import label_kind, values_of


def _are_labels(y):
    return type_of_target(y) in ("binary", "multiclass")


class ClientKFold(BaseCrossValidator):
    """K-fold cross-validation inside every client, stratified where it can be.

    Each client's rows are dealt out to all folds, so that every training fold holds
    rows of every client: the model is tested on new rows of known clients. Classes
    are spread evenly over a client's folds when all its classes have at least
    ``n_splits`` rows there. A client with fewer rows than folds is tested in some
    folds only, and one with a single row in none. Rows that cannot be dealt out evenly
    go to the smallest folds.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=True
        Whether to shuffle each client's rows before dealing them out.
    random_state : int, RandomState or None, default=0
        Seed of the shuffle; an int gives the same folds at every split.
    client_column : str, default=None
        Column that names the client, when ``X`` is a DataFrame.

    See Also
    --------
    LeaveClientsOut : Tests on whole clients that were not seen in training.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed import pool
    >>> from skfed.model_selection import ClientKFold
    >>> X, y = pool({"a": (np.zeros((4, 2)), [0] * 4), "b": (np.ones((6, 3)), [1] * 6)})
    >>> for train, test in ClientKFold(2, random_state=0).split(X, y):
    ...     print(X[test])
    ClientData(5 rows: a 2, b 3)
    ClientData(5 rows: a 2, b 3)
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=True, random_state=0, client_column=None):
        check_scalar(n_splits, "n_splits", Integral, min_val=2)
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.client_column = client_column

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        n_splits : int
            Number of folds.
        """
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Generate the row numbers of training and test set of each fold.

        Parameters
        ----------
        X : ClientData, DataFrame or array of shape (n, ...)
            The rows.
        y : array of shape (n,) or (n, m), default=None
            Labels to stratify by; numeric targets and several columns are not.
        groups : array of shape (n,), default=None
            The client of each row; None takes them from ``X``.

        Yields
        ------
        train, test : int arrays
            Row numbers, ascending.
        """
        codes, _ = client_codes(X, groups, self.client_column)
        y = None if y is None else np.asarray(y)
        mixed = y is not None and y.ndim == 1 and label_kind(y) == "mixed"
        labels = y if y is not None and not mixed and _are_labels(y) else None
        rng = check_random_state(self.random_state)
        fold = np.full(len(codes), -1)
        sizes = np.zeros(self.n_splits, dtype=int)
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            mine = None if labels is None else labels[rows]
            if mixed and _are_labels(values_of(y[rows])):
                mine = values_of(y[rows])
            own = self._folds(len(rows), mine, rng)
            counts = np.bincount(own[own >= 0], minlength=self.n_splits)
            place = np.empty(self.n_splits, dtype=int)  # large parts to small folds
            place[np.argsort(-counts, kind="stable")] = np.argsort(sizes, kind="stable")
            fold[rows] = np.where(own < 0, -1, place[own])
            sizes[place] += counts
        for k in range(self.n_splits):
            yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)

    def _folds(self, n, labels, rng):
        """Return the fold of each of a client's rows; -1 is never tested."""
        seed = rng.randint(2**31 - 1) if self.shuffle else None
        if n == 1:
            return np.array([-1])
        n_splits = min(self.n_splits, n)
        splitter = KFold(n_splits, shuffle=self.shuffle, random_state=seed)
        if labels is not None:
            counts = np.unique(labels, return_counts=True)[1]
            if counts.min() >= n_splits:
                splitter = StratifiedKFold(
                    n_splits, shuffle=self.shuffle, random_state=seed
                )
        fold = np.empty(n, dtype=int)
        for k, (_, test) in enumerate(splitter.split(np.zeros(n), labels)):
            fold[test] = k
        return fold
