"""scikit-learn's composites as federated steps, when they contain such steps."""

import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, validate_data

from ..exceptions import ClientError
from ._composite_parts import FrozenWithFitRows, Probe, Reached
from ._federated import FederatedTransformer
from ._messages import packed, unpacked

_ANY_VALUES = {
    "dtype": None,
    "ensure_all_finite": False,
    "accept_sparse": ("csr", "csc"),
}


class FederatedComposite(FederatedTransformer):
    """Fit the federated steps inside a ColumnTransformer, FeatureUnion or Pipeline.

    The federated steps are fitted together by all clients, one after the other in the
    order in which data reaches them; all other steps are fitted on each client alone.
    The walk is the same at every client, so that the composite must have the same
    structure there; its columns need not be the same.

    Parameters
    ----------
    estimator : estimator
        A scikit-learn composite with at least one :class:`FederatedTransformer` in
        it. It is cloned, never fitted itself.

    Attributes
    ----------
    estimator_ : estimator
        The fitted composite, its federated steps as ``FrozenEstimator`` or a subclass
        of it.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    Raises
    ------
    ClientError
        If exchanges are run out of order or the steps cannot be reached in turn.

    See Also
    --------
    federated_leaves : Lists the federated steps.
    as_federated : Wraps a step if that is needed.

    Notes
    -----
    *What leaves the client.* What each federated step sends, in one exchange after
    the other, and nothing of the other steps. A step that has no column at a client
    (a column selector that selects nothing) is reported as absent there.

    Between exchanges the object keeps the steps fitted so far, and no rows; it can be
    pickled. Steps before a federated one are fitted anew in each exchange, so that a
    random one needs an integer ``random_state``. Rows of fit reach the next step as
    ``fit_shared_transform`` or ``fit_transform`` of the step before returns them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from skfed.preprocessing import FederatedComposite, FederatedOneHotEncoder
    >>> from skfed.preprocessing import FederatedStandardScaler
    >>> columns = make_column_transformer(
    ...     (FederatedStandardScaler(), ["age"]),
    ...     (FederatedOneHotEncoder(min_count=1), ["sex"]),
    ...     verbose_feature_names_out=False,
    ... )
    >>> X = pd.DataFrame({"age": [30, 50], "sex": ["f", "m"]})
    >>> FederatedComposite(columns).fit_transform(X)
    array([[-1.,  1.,  0.],
           [ 1.,  0.,  1.]])
    """

    def __init__(self, estimator):
        self.estimator = estimator

    @property
    def n_exchanges(self):  # type: ignore[override] # derived from the steps
        """How often statistics travel: the sum over the federated steps."""
        return sum(leaf.n_exchanges for _, leaf in self._prototypes())

    @property
    def differs_in_fit(self):  # type: ignore[override] # derived from the steps
        """Why ``fit_transform`` differs from ``transform``: the steps' reasons."""
        reasons = (leaf.differs_in_fit for _, leaf in self._prototypes())
        return "; ".join(filter(None, reasons))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array of str of shape (d,), default=None
            Names of the input columns; None takes those seen in fit.

        Returns
        -------
        names : array of object of shape (q,)
            As the composite names them.
        """
        self._check_fitted()
        return self.estimator_.get_feature_names_out(input_features)

    def _read(self, X, y, reset):
        # the steps validate the values; here only the width and the names count
        frame = hasattr(X, "columns")
        how = {"skip_check_array": True} if frame else _ANY_VALUES
        X = validate_data(self, X, reset=reset, **how)
        if y is not None:
            check_consistent_length(X, y)
        return X, None

    def _client_statistics(self, X, names, y, shared):
        if shared is None:
            self._leaves = [clone(leaf) for _, leaf in self._prototypes()]
            self._answers: dict[int, dict] = {}
            self._absent: set[int] = set()
            self._n_done = 0
        at = 0 if shared is None else shared["exchange"] + 1
        index, inner = self._position(at)
        if index > self._n_done:
            self._finish_leaf(X, y, shared)
        given = self._given_to(index, X, y)
        if given is None:
            self._absent.add(index)
            return {"exchange": at, "absent": True}
        answer = unpacked("step", shared) if inner else None
        message = self._leaves[index].client_statistics(*given, answer)
        return {"exchange": at, "absent": False, **packed("step", message)}

    def _merge(self, statistics, shared):
        exchanges = {message["exchange"] for message in statistics.values()}
        if len(exchanges) > 1:
            raise ClientError(
                f"clients are in different exchanges: {sorted(exchanges)}"
            )
        at = exchanges.pop()
        index, inner = self._position(at)
        present = {
            client: unpacked("step", message)
            for client, message in statistics.items()
            if not message["absent"]
        }
        if not present:
            return {"exchange": at}
        before = unpacked("step", shared) if inner else None
        _, leaf = self._prototypes()[index]
        return {"exchange": at, **packed("step", leaf.merge(present, before))}

    def fit_transform(self, X, y=None):
        """Fit on one table, as a federation of one client, and transform its rows.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d)
            The table.
        y : array of shape (n,), default=None
            The target.

        Returns
        -------
        Z : array of shape (n, q)
            What the composite's own ``fit_transform`` returns.
        """
        return _plain(super().fit_transform(X, y))

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
        Z : array or DataFrame of shape (n, q)
            What the composite's own ``fit_transform`` returns, which may treat these
            rows apart, as scikit-learn's TargetEncoder does.
        """
        self.fit_shared(X, y, shared)
        return self._fitted_rows(X, y)

    def _fitted_rows(self, X, y):
        composed = self._composed(X, first_probe=self._n_done)
        Z = composed.fit_transform(X, y)
        self.estimator_ = composed
        return Z

    def _fit_shared(self, X, names, y, shared):
        self._finish_leaf(X, y, shared)
        if self._n_done < len(self._leaves):
            raise ClientError(
                f"{len(self._leaves) - self._n_done} federated steps are not fitted "
                f"yet; fit_shared comes after all {self.n_exchanges} exchanges"
            )
        estimator = self._composed(X, first_probe=self._n_done)
        try:
            self.estimator_ = estimator.fit(X, y)
        except Reached as reached:
            path, _ = self._prototypes()[reached.index]
            raise ClientError(
                f"step {path!r} was not reached in its turn; federated steps must "
                "follow each other in the order of the composite's parameters"
            ) from None

    def _prototypes(self):
        leaves = federated_leaves(self.estimator)
        if not leaves:
            raise ClientError(
                f"{self.estimator!r} contains no FederatedTransformer; use it as an "
                "ordinary step"
            )
        return leaves

    def _position(self, exchange):
        """Return which leaf an exchange belongs to, and its number within the leaf."""
        before = 0
        for index, (_, leaf) in enumerate(self._prototypes()):
            if exchange < before + leaf.n_exchanges:
                return index, exchange - before
            before += leaf.n_exchanges
        raise ClientError(f"exchange {exchange} does not exist; there are {before}")

    def _finish_leaf(self, X, y, shared):
        """Fit the leaf in work from the server's last message."""
        if not hasattr(self, "_leaves"):
            raise ClientError(
                "fit_shared came before client_statistics; run the exchanges on the "
                "same object"
            )
        index = self._n_done
        if index not in self._absent:
            leaf = self._leaves[index]
            answer = unpacked("step", shared)
            leaf.fit_shared(*self._given_to(index, X, y), answer)
            if leaf.differs_in_fit:
                self._answers[index] = answer  # its rows of fit are asked for again
        self._n_done += 1

    def _given_to(self, index, X, y):
        """Return the (X, y) that reach a leaf, or None if it has no column here."""
        estimator = self._composed(X, first_probe=index)
        try:
            estimator.fit(X, y)
        except Reached as reached:
            return (reached.X, reached.y) if reached.index == index else None
        return None

    def _composed(self, X, first_probe):
        """Return the composite with fitted leaves frozen and probes for the others."""
        estimator = clone(self.estimator)
        replaced = {}
        for index, (path, _) in enumerate(self._prototypes()):
            if index < first_probe and index not in self._absent:
                replaced[path] = self._frozen(index)
            else:
                replaced[path] = Probe(index)
        if "" in replaced:
            return replaced[""]
        if first_probe < len(replaced):  # a probe stops a fit in one process only
            jobs = [k for k in estimator.get_params() if k.split("__")[-1] == "n_jobs"]
            estimator.set_params(**dict.fromkeys(jobs))
        estimator.set_params(**replaced)
        if hasattr(X, "columns") and hasattr(estimator, "set_output"):
            # names must survive the plain steps, since columns match by name
            estimator.set_output(transform="pandas")
        return estimator

    def _frozen(self, index):
        leaf = self._leaves[index]
        if leaf.differs_in_fit or isinstance(leaf, FederatedComposite):
            return FrozenWithFitRows(leaf, self._answers.get(index))
        return FrozenEstimator(leaf)

    def _transform(self, X):
        return _plain(self.estimator_.transform(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        first = self.estimator
        while isinstance(first, Pipeline) and first.steps:
            first = first.steps[0][1]  # a Pipeline does not forward allow_nan
        if hasattr(first, "__sklearn_tags__"):
            tags.input_tags = get_tags(first).input_tags
        return tags


def _plain(Z):
    return Z.to_numpy() if isinstance(Z, pd.DataFrame) else Z


def federated_leaves(estimator):
    """List the federated steps of a composite in the order in which data reach them.

    Parameters
    ----------
    estimator : estimator
        A ColumnTransformer, FeatureUnion, Pipeline or anything that holds steps among
        its parameters.

    Returns
    -------
    list of (str, FederatedTransformer)
        Parameter path, as for ``set_params``, and the step; the path is empty if the
        estimator is itself a federated step. What is inside a federated step or a
        ``FrozenEstimator`` is not listed.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import Normalizer
    >>> from skfed.preprocessing import FederatedStandardScaler, federated_leaves
    >>> federated_leaves(make_pipeline(Normalizer(), FederatedStandardScaler()))
    [('federatedstandardscaler', FederatedStandardScaler())]
    """
    if isinstance(estimator, FederatedTransformer):
        return [("", estimator)]
    opaque = isinstance(estimator, FrozenEstimator | type)
    if opaque or not hasattr(estimator, "get_params"):
        return []
    leaves = []
    for name, value in estimator.get_params(deep=True).items():
        if "__" not in name:  # deeper ones are found below, in the order of steps
            for path, leaf in federated_leaves(value):
                leaves.append((f"{name}__{path}" if path else name, leaf))
    return leaves


def as_federated(step):
    """Return a step as FederatedTransformer, or None if it is fitted locally.

    Parameters
    ----------
    step : estimator or str
        A step of a Pipeline.

    Returns
    -------
    FederatedTransformer or None
        The step itself, a :class:`FederatedComposite` around it if it contains
        federated steps, or None.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfed.preprocessing import FederatedStandardScaler, as_federated
    >>> as_federated(StandardScaler()) is None
    True
    >>> as_federated(make_pipeline(FederatedStandardScaler())).n_exchanges
    1
    """
    if isinstance(step, FederatedTransformer):
        return step
    return FederatedComposite(step) if federated_leaves(step) else None
