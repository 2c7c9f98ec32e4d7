"""Clients without a common column, joined by what their own models say."""

from numbers import Integral

import numpy as np
from sklearn.utils import assert_all_finite, check_scalar, get_tags

from ..exceptions import ClientError
from ..preprocessing._federated import class_labels, one_target
from ._base import Aligner
from ._factor_server import label_union
from ._names import owners, place, positions
from ._score_client import LocalScores, candidates, class_scores, numeric_scores


class ScoreAligner(Aligner):
    r"""Replace each table by the scores of a model of the client's own.

    Every client fits a model to its own columns, and its scores, one per label of all
    clients, are the columns that they have in common. This is stacked generalisation
    [1]_ [2]_ with a model of the second level that all clients train together. Rows of
    fit get scores from models that have not seen them.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``, or regressor, default=None
        The local model. It is given an array of the client's columns, sorted by
        name. None is logistic regression or ridge regression on standardised columns,
        with one of six penalties by its out-of-fold loss.
    cv : int, default=5
        Number of folds.
    passthrough : bool, default=False
        Append the union of all columns, as :class:`UnionAligner` has it.

    Attributes
    ----------
    labels_ : list
        The labels of all clients, sorted; empty for a numeric target.
    estimator_ : estimator or None
        The local model, fitted on all rows; None where there is a single class or a
        constant target, so that all scores are 0.
    calibration_ : float
        The factor on this client's log-probabilities (an inverse temperature), or
        on its predictions, that is best out of fold.
    loss_ : float
        The calibrated out-of-fold loss at this client: the mean log-loss, or the mean
        squared error in units of the target's variance.
    feature_names_out_ : list of str
        ``score=<label>`` for each label, or "score" for a numeric target; with
        ``passthrough`` the sorted union of names besides.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If the target is numeric at one client and has labels at another, if labels are
        of mixed type, or if the estimator has no probabilities.

    See Also
    --------
    PrototypeAligner : Also joins clients by labels alone, and keeps more of the rows.
    sklearn.ensemble.StackingClassifier : Stacks models of one table.

    Notes
    -----
    *What leaves the client*, once: the labels it has and whether its target is
    numeric; with ``passthrough`` the names of its columns. The models stay.

    For a client with n rows, shares :math:`\pi_c` of its labels and a model that tells
    probabilities :math:`p_c`, smoothed to
    :math:`\tilde p_c = (n p_c + \pi_c) / (n + 1)`, the scores are

    .. math:: s_c = \beta \log \tilde p_c - \log \pi_c
              - \frac{1}{C_k} \sum_{c'} (\beta \log \tilde p_{c'} - \log \pi_{c'}) :

    what the row says beyond the shares, which differ between clients. A label that
    a client lacks has the score 0. :math:`\beta` minimises the mean log-loss
    of :math:`\tilde p^\beta` out of fold plus :math:`\beta^2 / 2n`, since a model
    that is surer than right would count for more than others.

    With a numeric target of mean m and deviation d, a prediction f becomes
    :math:`b (f - m) / d`, with b the slope, by ridge regression with penalty 1, of the
    standardised target on the same of predictions out of fold, but no less than 0.

    ``fit_transform`` gives the rows of fit their out-of-fold scores, and ``transform``
    those of the model fitted on all rows; scores of rows that the model knows would
    be too good, and the shared model would trust them. Federated estimators and
    composites do the same. Rows are dealt to folds by the order of their targets and
    values, so that the order of the table does not matter.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked Generalization", Neural Networks 5, 1992.
    .. [2] K. M. Ting, I. H. Witten, "Issues in Stacked Generalization", Journal of
       Artificial Intelligence Research 10, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.alignment import ScoreAligner
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["a", "b"], 20)
    >>> X = rng.normal(size=(40, 3)) + 3 * (y == "b")[:, None]
    >>> aligner = ScoreAligner().fit(X, y)
    >>> aligner.get_feature_names_out()
    array(['score=a', 'score=b'], dtype=object)
    >>> (aligner.transform([[0, 0, 0], [3, 3, 3]]) > 0).tolist()
    [[True, False], [False, True]]
    """

    _local: LocalScores

    differs_in_fit = "rows of fit get scores from models that have not seen them"

    def __init__(self, estimator=None, cv=5, passthrough=False):
        self.estimator = estimator
        self.cv = cv
        self.passthrough = passthrough

    @property
    def accepts_nan(self):  # type: ignore[override] # derived from the model
        """Whether the table may hold NaN: whether the local model takes it."""
        if self.estimator is None:
            return False
        return get_tags(self.estimator).input_tags.allow_nan

    def fit_shared(self, X, y, shared):
        """Finish the fit on a client from what the server sent back.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table, the same as in ``client_statistics``.
        y : array of shape (n,)
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        object
            The fitted aligner itself.
        """
        super().fit_shared(X, y, shared)
        self._forget_rows()
        return self

    def fit_shared_transform(self, X, y, shared):
        """Finish the fit and return the out-of-fold scores of its rows.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table.
        y : array of shape (n,)
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        ndarray of shape (n, q)
            The scores, and with ``passthrough`` the columns.
        """
        super().fit_shared(X, y, shared)
        table, _ = self._read(X, None, reset=False)
        return self._rows_of_fit(table)

    def _rows_of_fit(self, X):
        """Return the out-of-fold scores of the rows of fit, and forget them."""
        Z = self._placed(self._local.out_of_fold, X)
        self._forget_rows()
        return Z

    def _forget_rows(self):
        """Keep the width of the out-of-fold scores only: a fitted step has no rows."""
        self._local = self._local._replace(out_of_fold=self._local.out_of_fold[:0])

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        check_scalar(self.cv, "cv", Integral, min_val=2)
        check_scalar(self.passthrough, "passthrough", (bool, np.bool_))
        if self.estimator is not None and not hasattr(self.estimator, "fit"):
            raise ValueError(f"estimator={self.estimator!r} has no fit")

    def _read(self, X, y, reset):
        """Return the table; in fit also refuse a target that cannot be fitted."""
        table, names = super()._read(X, y, reset)
        if reset and y is None:
            raise ValueError(
                "ScoreAligner requires y to be passed, but the target y is None; "
                "without a target use UnionAligner or FactorAligner"
            )
        return table, names

    def _client_statistics(self, X, names, y, shared):
        """Send the labels, and the names of columns that are passed through."""
        labels = _target(y)
        is_numeric = labels.dtype.kind == "f"
        message = {
            "is_numeric": is_numeric,
            "labels": [] if is_numeric else np.unique(labels).tolist(),
        }
        return message | ({"names": names} if self.passthrough else {})

    def _merge(self, statistics, shared):
        """Return the union of labels and of columns."""
        numeric = [client for client, m in statistics.items() if m["is_numeric"]]
        others = [client for client in statistics if client not in numeric]
        if numeric and others:
            raise ClientError(
                f"the target of client {numeric[0]!r} is numeric and that of client "
                f"{others[0]!r} has class labels; convert them to one kind"
            )
        return {
            "is_numeric": bool(numeric),
            "labels": label_union(statistics),
            "names": list(owners(statistics)) if self.passthrough else [],
        }

    def _fit_shared(self, X, names, y, shared):
        """Fit the local model, and its copies without a fold."""
        self._order = np.argsort(np.array(names, dtype=object), kind="stable")
        X, target = X[:, self._order], _target(y)
        models = candidates(self.estimator, shared["is_numeric"])
        self.labels_ = list(shared["labels"])
        if shared["is_numeric"]:
            self._local = numeric_scores(models, X, target.astype(float), self.cv)
            self._at, scores = np.zeros(1, dtype=int), ["score"]
        else:
            own, codes = np.unique(target, return_inverse=True)
            self._local = class_scores(models, X, codes, len(own), self.cv)
            self._at = positions(own.tolist(), self.labels_)
            scores = [f"score={label}" for label in self.labels_]
        if (self._at < 0).any():
            error = ClientError(
                "this client's labels are not all in the answer that came back; send "
                "its statistics to the same merge"
            )
            error.add_note(f"They are {own.tolist()}.")
            raise error
        self._n_scores = len(scores)
        self._n_union = len(shared["names"])
        self._target = positions(names, shared["names"])
        self.estimator_ = self._local.model
        self.calibration_, self.loss_ = self._local.calibration, self._local.loss
        self.feature_names_out_ = scores + list(shared["names"])

    def _placed(self, scores, X):
        """Return scores at the places of their labels, and the columns beside them."""
        Z = np.zeros((len(X), self._n_scores))
        Z[:, self._at] = scores
        if not self.passthrough:
            return Z
        return np.hstack([Z, place(X, self._target, self._n_union, 0.0)])

    def _transform(self, X):
        """Score the rows; labels are not used."""
        return self._placed(self._local.scores(X[:, self._order]), X)

    def __sklearn_tags__(self):
        """Return the tags; y is required."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _target(y):
    """Return y (n,) as labels or, if it is numeric, as float64."""
    y = one_target(y, "ScoreAligner")
    labels = class_labels(y)
    if labels is None:
        assert_all_finite(y, input_name="y")
        return y.astype(np.float64)
    return labels
