"""Clients that come after the fit, and clients that go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..data._reader import read_clients
from ..data._tables import column_names
from ..exceptions import ClientError
from ..federation import InProcessFederation, Ledger, Site, drive
from ..federation._sessions import close
from ._notices import grouped_warnings


class NewcomerMixin:
    """``add_client`` and ``drop_client`` of a fitted federated estimator."""

    client_column: str | None
    client_names_: list
    client_features_: dict
    federation: Any
    fit: Callable
    notices_: list
    personalization_: pd.DataFrame
    _features: Callable
    _ledger: Ledger
    _narrowed: Callable
    _plain: bool
    _refuse_at_sites: Callable
    _some_names: Callable
    _unnamed: set

    def add_client(self, name, X, y=None):
        """Let a new client join, without another round of the others.

        The client's columns are aligned to what the fitted clients agreed on, which
        stays as it is, and it gets the shared net. With a target it also fits models of
        its own, and mixes them by its own out-of-fold evidence and the weights that the
        others learnt. Columns that no fitted client has are used by these models alone.

        Parameters
        ----------
        name : hashable
            The client's name, new to the federation.
        X : table of shape (n, d)
            Its rows.
        y : array of shape (n,) or (n, m), default=None
            Its target. Without one the client predicts by the shared net.

        Returns
        -------
        self : object
            The estimator, which now predicts for this client too.

        Raises
        ------
        ClientError
            If the name is taken, a label is unknown, or the client cannot be aligned.
        """
        return self._add(name, X, y, "")

    def _add(self, name, X, y, group):
        """Let a client join a group."""
        check_is_fitted(self)
        self._refuse_at_sites()
        if name in self.client_names_:
            raise ClientError(
                f"client {name!r} is known already; drop_client({name!r}) first, or "
                "give it another name"
            )
        cohort = read_clients({name: X if y is None else (X, y)}, known=[name])
        target = None if cohort.targets is None else cohort.targets[name]
        with grouped_warnings(stacklevel=3) as texts:
            joined = self._join(name, cohort.tables[name], target, self._ledger, group)
        self.__dict__.pop("_ledger_frame", None)
        self.notices_ = [*self.notices_, *texts]
        self.client_names_ = [*self.client_names_, name]
        self.client_features_ = {
            **self.client_features_,
            name: self._features(cohort.tables[name]),
        }
        if column_names(cohort.tables[name]) is None:
            self._unnamed = self._unnamed | {name}
        self._plain = False
        for attribute in ("pipelines_", "predictors_"):
            known = getattr(self, attribute)
            setattr(self, attribute, {**known, name: joined[attribute]})
        self._welcome(name, joined["labels"], group)
        if "report" in joined and hasattr(self, "personalization_"):
            frames = [self.personalization_, joined["report"]]
            self.personalization_ = pd.concat(frames)
        return self

    def drop_client(self, name, X=None, y=None, *, clients=None):
        """Forget a client, and refit without it if the clients' tables are given.

        Parameters
        ----------
        name : hashable
            A fitted client.
        X : list, dict, ClientData or DataFrame, default=None
            The clients in one of the forms of :meth:`fit`, with or without this one.
            None only forgets how to predict for it; what the shared net and the
            aligners learnt from its rows is undone only by a fit without it.
        y : array of shape (n,) or (n, m), default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        if name not in self.client_names_:
            raise ClientError(
                f"unknown client {name!r}; fitted clients are {self._some_names()}"
            )
        if len(self.client_names_) == 1:
            raise ClientError(f"{name!r} is the only client; there is no other to keep")
        if X is not None:
            cohort = read_clients(
                X, y, clients=clients, client_column=self.client_column
            )
            if cohort.targets is None:
                raise ClientError("a refit needs the targets: give pairs (X_k, y_k)")
            rest = {
                other: pair for other, pair in cohort.pairs().items() if other != name
            }
            return self._refit_without(name, rest)
        self.client_names_ = [c for c in self.client_names_ if c != name]
        for attribute in (
            "client_features_",
            "pipelines_",
            "predictors_",
            "client_classes_",
            "tasks_",
            "target_names_",
        ):
            if hasattr(self, attribute):
                known = getattr(self, attribute)
                rest = {c: value for c, value in known.items() if c != name}
                setattr(self, attribute, rest)
        if hasattr(self, "personalization_"):
            self.personalization_ = self.personalization_.drop(
                index=name, level="client", errors="ignore"
            )
        return self

    def _refit_without(self, name, rest):
        """Fit the clients that are left (hook)."""
        return self.fit(rest)

    def _join(self, name, table, target, ledger, group=""):
        """Align a newcomer; return its Pipeline, its predictor and their report."""
        from ..training._assembly import client_net, head_pipeline, mixtures, report
        from ..training._client import handle
        from ..training._local import quiet_torch
        from ..training._newcomer import join

        plan, reference = self._recipes[group]
        federation = self.federation
        if federation is None:
            federation = InProcessFederation()
        session = federation.open(handle, {name: Site(name, table, target, plan)})
        labelled = target is not None
        try:
            with quiet_torch():
                algorithm = join(plan, reference, name, labelled)
                result = drive(algorithm, session, ledger)
            states = session.states
        finally:
            close(session)
        net = client_net(reference, {})
        pipeline = head_pipeline(net, result, states[name], plan.task)
        found = {"pipelines_": pipeline, "predictors_": pipeline}
        if result.members:
            mixed = mixtures({name: pipeline}, plan, result, states)
            found |= {"predictors_": mixed[name], "report": report(result, states)}
        labels = result.labels.get(name, [])
        if labels or (labelled and plan.task == "multilabel"):
            one = self._narrowed({name: found["predictors_"]}, [(plan, result)])
            found["predictors_"] = one[name]
        return {**found, "labels": labels}

    def _align_unseen(self, name, table):
        """Return what predicts for a client without a target, joined for this call."""
        group = self._target_of_unseen(name)
        return self._join(name, table, None, Ledger(), group)["predictors_"]

    def _target_of_unseen(self, name):
        """Return what a client predicts of which only a table is known (hook)."""
        return ""

    def _welcome(self, name, labels, group):
        """Keep what the estimator says of a client's target (hook)."""

    def _remember(self, groups):
        """Keep what a newcomer needs: what all agreed on, without the history."""
        self._recipes = {
            group.name: (
                replace(group.plan, before=None),
                replace(group.result, history=[]),
            )
            for group in groups
        }
