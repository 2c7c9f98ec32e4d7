"""Federated estimation where clients predict different things."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import _check_y

from .._compat import StrOptions
from ..data._tables import n_rows
from ..exceptions import ClientError
from ._base import BaseFederated
from ._tasks import TASKS, read_quantities, read_target, read_tasks


class FederatedMultiTask(BaseFederated):
    """DOC"""

    _task = "classification"  # of nothing in particular

    _parameter_constraints = {
        **{k: v for k, v in BaseFederated._parameter_constraints.items() if k != "net"},
        "classifier_net": "no_validation",
        "regressor_net": "no_validation",
        "tasks": [str, dict],
        "target_names": [str, dict, None],
        "balance": [StrOptions({"uncertainty", "equal"}), None],
        "classes": [dict, None],
        "absent": [StrOptions({"model", "zero"})],
        "heads": [StrOptions({"shared", "local", "auto"})],
        "target_scaling": [StrOptions({"client", "pooled"}), None],
    }

    def __init__(
        self,
        encoder="auto",
        aligner="auto",
        classifier_net=None,
        regressor_net=None,
        strategy=None,
        federation=None,
        *,
        tasks="auto",
        target_names=None,
        balance="uncertainty",
        personalizer="auto",
        columns="auto",
        client_column=None,
        unseen="error",
        classes=None,
        absent="model",
        heads="auto",
        target_scaling="client",
        n_rounds=100,
        local_epochs=1,
        client_fraction=1.0,
        client_sampling="uniform",
        min_clients=None,
        min_count=5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.aligner = aligner
        self.classifier_net = classifier_net
        self.regressor_net = regressor_net
        self.strategy = strategy
        self.federation = federation
        self.tasks = tasks
        self.target_names = target_names
        self.balance = balance
        self.personalizer = personalizer
        self.columns = columns
        self.client_column = client_column
        self.unseen = unseen
        self.classes = classes
        self.absent = absent
        self.heads = heads
        self.target_scaling = target_scaling
        self.n_rounds = n_rounds
        self.local_epochs = local_epochs
        self.client_fraction = client_fraction
        self.client_sampling = client_sampling
        self.min_clients = min_clients
        self.min_count = min_count
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_is_fitted__(self):
        return hasattr(self, "nets_")

    def _check_target(self, y):
        return _check_y(y, multi_output=True, estimator=self)

    def _given_net(self, task):
        return self.regressor_net if task == "regression" else self.classifier_net

    def _groups(self, cohort, before):
        """Say who predicts what; a recipe for each quantity."""
        from ..training._groups import Groups

        targets = {name: read_target(y) for name, y in cohort.targets.items()}
        cohort.targets.update(targets)
        tasks = read_tasks(self.tasks, targets)
        quantities = read_quantities(self.target_names, tasks, targets)
        clients: dict = {}
        for name, (_, key) in quantities.items():
            clients.setdefault(key, []).append(name)
        seed, plans = self._seed(), {}
        for key in sorted(clients):
            first = clients[key][0]
            task, meaning = TASKS[tasks[first]], quantities[first][0]
            changes = {
                "classes": (self.classes or {}).get(meaning),
                "meaning": meaning if len(clients) > 1 else "",
                "balance": self.balance,
                "target_scaling": self.target_scaling if task == "regression" else None,
                "local_heads": self.heads if task == "classification" else "shared",
            }
            plans[key] = self._plan(cohort, task, seed, before.get(key), **changes)
        unknown = set(self.classes or {}) - {m for m, _ in quantities.values()}
        if unknown:
            raise ClientError(
                f"classes= names the targets {sorted(unknown)}, which are none of "
                f"{sorted({meaning for meaning, _ in quantities.values()})}"
            )
        self._told = tasks, quantities
        return Groups(plans, clients)

    def _named_nets(self, nets):
        return {"nets_": nets}

    def _set_target_attributes(self, groups):
        tasks, quantities = self._told
        clients = groups.result.clients
        self.tasks_ = {name: tasks[name] for name in clients}
        self.target_names_ = {name: quantities[name][1] for name in clients}
        labelled = [group for group in groups if group.result.classes]
        self.target_classes_ = {g.name: np.asarray(g.result.classes) for g in labelled}
        self.heads_ = {group.name: group.result.heads for group in labelled}
        self.client_classes_ = {
            name: np.unique(np.asarray(group.result.labels[name]))
            for group in labelled
            for name in group.result.clients
        }

    def _narrowed(self, predictors, labels=None):
        if self.absent == "model":
            return predictors
        from ..training._own_labels import own_labels

        return own_labels(predictors, self.client_classes_ if labels is None else labels)

    def _empty(self, method, name):
        classes = self.target_classes_.get(self.target_names_[name])
        if classes is None:
            return np.empty(0)
        return classes[:0] if method == "predict" else np.empty((0, len(classes)))

    def predict_proba(self, X, *, clients=None):
        """Return the class probabilities of clients that predict classes.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Tables of fitted clients, as in :meth:`predict`; a dict may hold those
            that predict classes only.
        clients : array of shape (n,) or a client name, default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        proba : array of shape (n, n_classes), list or dict of arrays
            Rows sum to 1; columns follow ``target_classes_`` of the client's target.

        Raises
        ------
        ClientError
            If a client predicts numbers.
        """
        return self._predict(X, clients, "predict_proba")

    def _predict_tables(self, cohort, method):
        if method == "predict_proba":
            numbers = [
                name
                for name in cohort.tables
                if TASKS[self.tasks_.get(name, "binary")] == "regression"
            ]
            if numbers:
                raise ClientError(
                    f"clients {numbers} predict numbers, which have no probabilities; "
                    "give a dict of the others' tables"
                )
        return super()._predict_tables(cohort, method)

    def client_scores(self, X, y=None, *, clients=None):
        """Score each client by its own task: accuracy, or R2.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Clients in one of the forms of :meth:`fit`.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        scores : Series
            Indexed by client; R2 of fewer than two rows is NaN.
        """
        return self._client_scores(X, y, clients)

    def score(self, X, y=None, *, clients=None, sample_weight=None):
        """Return the mean of the clients' scores, each by its own task.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Clients in one of the forms of :meth:`fit`.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        sample_weight : array of shape (n,), default=None
            Weights of the rows, for the flat forms.

        Returns
        -------
        score : float
            Mean over the clients of accuracy or R2, see :meth:`client_scores`; every
            client counts alike, whatever its rows.
        """
        return float(self._client_scores(X, y, clients, sample_weight).mean())

    def _client_scores(self, X, y, clients, sample_weight=None):
        cohort = self._read_predict(X, y, clients)
        if cohort.targets is None:
            raise ClientError("score needs the targets: give pairs (X_k, y_k), or y")
        predicted = self._predict_tables(cohort, "predict")
        found = {}
        for name, table in cohort.tables.items():
            if not n_rows(table):
                continue
            weight = sample_weight
            if weight is not None:
                weight = np.asarray(weight)[cohort.rows.get(name, slice(None))]
            target = read_target(cohort.targets[name])
            regression = TASKS[self.tasks_[name]] == "regression"
            if regression and len(target) < 2:
                found[name] = np.nan
                continue
            metric = r2_score if regression else accuracy_score
            found[name] = metric(target, predicted[name], sample_weight=weight)
        return pd.Series(found, dtype=float)

    def add_client(self, name, X, y=None, *, target_name=None):
        """Let a new client join, without another round of the others.

        Parameters
        ----------
        name : hashable
            The client's name, new to the federation.
        X : table of shape (n, d)
            Its rows.
        y : array of shape (n,), default=None
            Its target. Without one the client predicts by the shared net.
        target_name : str, default=None
            What it predicts, one of the values of ``target_names_``; needed where the
            clients predict several things.

        Returns
        -------
        self : object
            The estimator, which now predicts for this client too.

        Raises
        ------
        ClientError
            If the name is taken, the target or a label is unknown, or the client cannot
            be aligned.
        """
        return self._add(name, X, y, self._known_target(name, target_name))

    def _known_target(self, name, target_name):
        known = list(self._recipes) if hasattr(self, "_recipes") else []
        if target_name is None and len(known) == 1:
            return known[0]
        if target_name not in known:
            raise ClientError(
                f"say what client {name!r} predicts: target_name= is one of {known}, "
                f"not {target_name!r}"
            )
        return target_name

    def _target_of_unseen(self, name):
        return self._known_target(name, None)

    def _welcome(self, name, labels, group):
        """Keep what a newcomer predicts."""
        plan, _ = self._recipes[group]
        fellow = next(c for c, g in self.target_names_.items() if g == group)
        self.tasks_ = {**self.tasks_, name: self.tasks_[fellow]}
        self.target_names_ = {**self.target_names_, name: group}
        if plan.task == "classification":
            classes = self.target_classes_[group]
            own = np.unique(np.asarray(labels, dtype=classes.dtype))
            self.client_classes_ = {**self.client_classes_, name: own}
