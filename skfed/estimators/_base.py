"""The template of the federated estimators: read, plan, drive, keep."""

import contextlib
from numbers import Integral, Real
from os import PathLike

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from .._compat import HasMethods, Interval, StrOptions, fit_context
from ..alignment import AutoAligner
from ..data._reader import read_clients
from ..data._tables import column_names, is_polars, n_rows, sort_names
from ..exceptions import ClientError
from ..federation import InProcessFederation, Ledger, Site, drive
from ..federation._sessions import close
from ..personalization import Personalizer
from ..preprocessing import TableEncoder
from ..strategies import Strategy
from ._checkpoints import journal_of
from ._fitted_parts import FittedPartsMixin
from ._introductions import is_remote, remote_cohort
from ._monitor import RoundMonitor
from ._newcomers import NewcomerMixin
from ._notices import grouped_warnings
from ._plain_target import checked_plain_target
from ._planning import PlanMixin
from ._prediction import PredictionMixin

# what stands behind a default, for parameters that are nested in it
DEFAULTS = {
    "encoder": "TableEncoder()",
    "aligner": "FactorAligner()",
    "net": "a skorch net, such as NeuralNetClassifier(SkipMLP, ...)",
    "classifier_net": "a skorch net, such as NeuralNetClassifier(SkipMLP, ...)",
    "regressor_net": "a skorch net, such as NeuralNetRegressor(SkipMLP, ...)",
    "strategy": "FedAvg()",
    "personalizer": "HierarchicalStacking()",
    "federation": "InProcessFederation()",
}


class BaseFederated(
    PlanMixin,
    FittedPartsMixin,
    PredictionMixin,
    NewcomerMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """What classifier and regressor share; subclasses name the task.

    A subclass sets ``_task`` and writes :meth:`_predictor` (the last step of a
    client's Pipeline) and :meth:`_set_target_attributes`.
    """

    _doc_link_module = "skfed"
    _task: str

    _parameter_constraints = {
        "encoder": "no_validation",
        "aligner": "no_validation",
        "net": "no_validation",
        "strategy": [Strategy, None],
        "personalizer": [Personalizer, StrOptions({"auto"}), None],
        "federation": [HasMethods(["open"]), None],
        "engine": [StrOptions({"auto", "stacked", "fused", "loop"})],
        "columns": [StrOptions({"auto", "position", "own"})],
        "client_column": [str, None],
        "unseen": [StrOptions({"error", "align"})],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "local_epochs": [Interval(Integral, 1, None, closed="left")],
        "client_fraction": [Interval(Real, 0, 1, closed="right")],
        "client_sampling": [StrOptions({"uniform", "size", "round_robin"})],
        "min_clients": [Interval(Integral, 1, None, closed="left"), None],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "checkpoint": [str, PathLike, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X=None, y=None, *, clients=None):
        """Align the clients' tables and train the shared net.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array, default=None
            The clients: a list or dict of pairs ``(X_k, y_k)`` with tables of shape
            (n_k, d_k); a :class:`~skfed.data.ClientData`; a DataFrame with
            ``client_column``; one table with ``clients=``; or one plain table, which
            is a single client. A :class:`~skfed.data.TablePath` may stand for a pair.
            None where the federation's sites own their data.
        y : array of shape (n,) or (n, m), default=None
            The target, for the forms that hold tables only. With several targets a
            row, the m columns are the same in the same order at all clients.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        before = (
            {n: known for n, (_, known) in self._recipes.items()} if goes_on else {}
        )
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # a fit that fails leaves nothing of the one before
        cohort = self._read_fit(X, y, clients)
        with grouped_warnings(stacklevel=5) as texts:
            self._fit(cohort, before)
        self.notices_ = texts
        return self

    def _fit(self, cohort, before):
        """Drive the fit of clients that have been read."""
        from ..training._local import quiet_torch
        from ..training._remote import federate_sites
        from ..training._server import federate_groups
        from ..training._together import Handler

        remote = is_remote(self.federation)
        with contextlib.ExitStack() as at_end:
            if remote:
                at_end.callback(close, cohort.session)
            groups = self._groups(cohort, before)
            self._warn_of_controls(groups.plan, cohort)
            journal = journal_of(self, groups, cohort)
            handler = Handler(self.engine)
            if remote:
                session, self._ledger = cohort.session, cohort.ledger
            else:
                session, self._ledger = self._opened(handler, cohort, groups), Ledger()
                at_end.callback(close, session)
            self.__dict__.pop("_ledger_frame", None)
            monitor = RoundMonitor(self, groups.plan, session, cohort)
            if remote:
                narrow = getattr(self, "absent", "model") != "model"
                algorithm = federate_sites(groups, monitor, narrow)
            else:
                algorithm = federate_groups(groups, monitor)
            with quiet_torch():
                drive(algorithm, session, self._ledger, journal)
            self._keep(groups, session)
        self.engine_, self.engine_reason_ = handler.name, handler.reason
        self._plain = cohort.form == "plain"
        monitor.end()

    def _keep(self, groups, session):
        """Set what a fit has learnt."""
        result = groups.result
        self.client_names_ = list(result.clients)
        self.columns_ = result.columns
        self.aligned_names_ = result.names
        self.client_features_ = {name: result.features[name] for name in result.clients}
        self._unnamed = result.unnamed
        self._set_target_attributes(groups)
        for name, value in self._fitted_parts(groups, session).items():
            setattr(self, name, value)
        self._personalize(groups, session)
        self._remember(groups)
        self.n_rounds_ = result.n_rounds
        self.best_round_ = result.best_round
        self.history_ = self._history(result)

    def _opened(self, handler, cohort, groups):
        """Return a session of clients whose tables are here."""
        sites = {
            name: Site(
                name, cohort.tables[name], cohort.targets[name], groups.of(name).plan
            )
            for name in sort_names(cohort.tables)
        }
        federation = self.federation
        if federation is None:
            federation = InProcessFederation()
        return federation.open(handler, sites)

    def _read_fit(self, X, y, clients):
        """Read the clients; one plain table is validated as scikit-learn does."""
        if is_remote(self.federation):
            return remote_cohort(self.federation, X, y, clients)
        if X is None:
            raise ClientError(
                "fit needs the clients' tables; only a federation of real sites, whose "
                "data are their own, is fitted without"
            )
        if y is None and hasattr(X, "shape"):
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None"
            )
        cohort = read_clients(X, y, clients=clients, client_column=self.client_column)
        if cohort.targets is None:
            raise ClientError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None: give pairs (X_k, y_k), or y beside X"
            )
        if cohort.form == "plain":
            (name,) = cohort.tables
            table, target = self._validate_plain(cohort.tables[name], y, reset=True)
            cohort.tables[name], cohort.targets[name] = table, target
        return cohort

    def _validate_plain(self, X, y=None, reset=False):
        """Validate one table (and its target) as any scikit-learn estimator."""
        if isinstance(X, pd.DataFrame) or is_polars(X):
            validate_data(self, X, skip_check_array=True, reset=reset)
            if not n_rows(X):
                raise ValueError(f"Found array with 0 sample(s) (shape={X.shape})")
        else:
            X = validate_data(
                self,
                X,
                accept_sparse=True,
                dtype=self._plain_dtype(X),
                ensure_all_finite="allow-nan",
                reset=reset,
            )
        if not reset:
            return X
        y = self._check_target(y)
        check_consistent_length(X, y)
        return X, y

    def _check_target(self, y):
        """Validate the target of one plain table."""
        return checked_plain_target(self, y, numeric=self._task == "regression")

    @staticmethod
    def _plain_dtype(X):
        """Keep objects (text, mixed columns) and let numbers be numbers."""
        kind = getattr(getattr(X, "dtype", None), "kind", None)
        return "numeric" if kind in ("b", "i", "u", "f") else None

    @staticmethod
    def _features(table):
        return column_names(table) or [f"x{j}" for j in range(table.shape[1])]

    @property
    def ledger_(self):
        """Every array and scalar that crossed a client's border, as DataFrame."""
        check_is_fitted(self)
        if "_ledger_frame" not in self.__dict__:
            self._ledger_frame = self._ledger.to_frame()
        return self._ledger_frame

    def set_params(self, **params):
        """Set parameters, nested ones such as ``aligner__n_components`` included.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self : object
            The estimator.
        """
        for key in params:
            name, _, rest = key.partition("__")
            step = params.get(name, getattr(self, name, None))
            if rest and name in DEFAULTS and (step is None or isinstance(step, str)):
                raise ValueError(
                    f"{key!r} cannot be set while {name} is {step!r}; give "
                    f"{name}={DEFAULTS[name]} first"
                )
        return super().set_params(**params)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        first = _first_step(self.encoder, self.aligner)
        if first is not None:
            inner = get_tags(first).input_tags
            tags.input_tags.allow_nan = inner.allow_nan
            tags.input_tags.string = inner.string
            tags.input_tags.categorical = inner.categorical
        return tags


def _first_step(encoder, aligner):
    """Return the step that reads a client's table, whose tags are the estimator's."""
    for step, default in ((encoder, TableEncoder), (aligner, AutoAligner)):
        while isinstance(step, Pipeline):
            step = step.steps[0][1]
        if isinstance(step, str) and step == "auto":
            return default()
        if step is not None and not isinstance(step, str):
            return step
    return None
