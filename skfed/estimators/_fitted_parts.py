"""From what a session holds to the fitted attributes of an estimator."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from ..exceptions import ClientError
from ..federation import Ledger

AT_SITES = ("personalization_", "pipelines_", "predictors_")
AT_SITES_TEXT = (
    "each client's Pipeline stayed at its site; there, "
    "skfed.sites.load_pipeline(config) returns it and predicts"
)


class FittedPartsMixin:
    """Nets, Pipelines, mixtures and history of a fit."""

    personalization_: pd.DataFrame
    pipelines_: dict
    predictors_: dict
    _ledger: Ledger

    if not TYPE_CHECKING:  # it only says more than Python does

        def __getattr__(self, name):
            if name in AT_SITES and self.__dict__.get("_at_sites"):
                raise AttributeError(f"{name}: {AT_SITES_TEXT}")
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )

    def _refuse_at_sites(self):
        """Raise if the clients' Pipelines are not here."""
        if self.__dict__.get("_at_sites"):
            raise ClientError(AT_SITES_TEXT)

    def _named_nets(self, nets):
        """Return the fitted attribute that holds the groups' nets (hook)."""
        return {"net_": nets[""]}

    def _fitted_parts(self, groups, session):
        """Return ``net_`` and ``pipelines_`` for the weights of the groups."""
        from ..training._assembly import client_net, head_pipeline

        states: Any = getattr(session, "states", None)
        nets = {group.name: client_net(group.result, {}) for group in groups}
        parts = self._named_nets(nets)
        self._at_sites = states is None
        if self._at_sites:
            return parts
        pipelines = {
            name: head_pipeline(
                nets[group.name], group.result, states[name], group.plan.task
            )
            for group in groups
            for name in group.result.clients
        }
        pipelines = {name: pipelines[name] for name in groups.result.clients}
        predictors = self._narrowed(pipelines, [(g.plan, g.result) for g in groups])
        return {**parts, "pipelines_": pipelines, "predictors_": predictors}

    def _narrowed(self, predictors, parts):
        """Leave out, per client, the labels that it never had, if so asked.

        Parameters
        ----------
        predictors : dict
            ``{client: what predicts for it}``.
        parts : list of (Plan, Result)
            The clients' recipe and labels.
        """
        if getattr(self, "absent", "model") == "model":
            return predictors
        from ..training._own_labels import own_labels

        for plan, result in parts:
            if result.classes:
                own = {c: result.labels[c] for c in result.clients if c in predictors}
                predictors = own_labels(predictors, own, plan.task == "multilabel")
        return predictors

    def _personalize(self, groups, session):
        """Set what the personalizer made: ``predictors_`` and ``personalization_``."""
        from ..training._assembly import mixtures, report

        states = getattr(session, "states", None)
        if states is None:
            return
        mixed = [group for group in groups if group.result.members]
        found: dict = {}
        for group in mixed:
            found |= mixtures(self.pipelines_, group.plan, group.result, states)
        if mixed:
            found = self._narrowed(found, [(g.plan, g.result) for g in mixed])
            self.predictors_ = {**self.predictors_, **found}
            reports = [report(group.result, states) for group in mixed]
            self.personalization_ = pd.concat(reports)

    def _history(self, result):
        """Return one row per client and round, with the bytes of the ledger."""
        frame = pd.DataFrame(result.history)
        sizes = self._ledger.sizes()
        for direction in ("down", "up"):
            frame[f"bytes_{direction}"] = [
                sizes.get((r, direction, c), 0)
                for r, c in zip(frame["round"], frame["client"], strict=True)
            ]
        return frame
