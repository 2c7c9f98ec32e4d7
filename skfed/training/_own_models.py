"""The models that a client fits on its own rows."""

import contextlib
import warnings

import numpy as np
from sklearn.pipeline import make_pipeline

from ..data._tables import n_rows, take
from ..data._wide_target import width
from ..personalization._local import candidates, encoder, fitted, predicted
from ..personalization._members import Local
from ._evidence_rows import client_target, evidence_of, prediction_width
from ._folds import deal_alike

TUNING_FOLDS = 3


def own_models(payload, state, site):
    """Fit the client's own models, in every fold and on all rows; tell nothing."""
    plan, n = site.plan, n_rows(site.table)
    n_targets = width(state["target"])
    members = {
        member.name: candidates(member, plan.task, n, n_targets)
        for member in plan.members
        if isinstance(member, Local)
    }
    target = client_target(state, plan.task)
    encodings = {encoding for encoding, _ in members.values()}
    with _quiet():
        whole = {name: _encoded(name, site.table, target) for name in encodings}
        chosen = {
            name: (encoding, _best(models, whole[encoding][1], target, state, plan))
            for name, (encoding, models) in members.items()
        }
        if "folds" in state:
            found = _out_of_fold(chosen, target, state, site)
            state["evidence"] = {**state.get("evidence", {}), **found}
        if plan.task == "classification":
            target = np.asarray(payload["classes"])[target]
        state["own_models"] = _final_models(chosen, whole, target)
    return {}


def _encoded(encoding, table, target):
    """Return an encoder fitted on a table, or None, and what it makes of the table."""
    own = encoder(encoding)
    return own, table if own is None else own.fit_transform(table, target)


def _best(models, Z, target, state, plan):
    """Return the candidate with the least cross-validated loss.

    Folds have about equal class shares: in unequal ones a constant would beat a good
    model of few rows. Candidates are in order of their penalty, and the search goes
    downhill from the middle.
    """
    if len(models) == 1:
        return models[0]
    folds, known = deal_alike(state, TUNING_FOLDS), {}

    def loss(j):
        if not 0 <= j < len(models):
            return np.inf
        if j not in known:
            values = _blank(target, state, plan)
            for train, held in _cuts(folds):
                model = fitted(models[j], take(Z, train), target[train])
                values[held] = predicted(model, take(Z, held), values.shape[-1])
            evidence = evidence_of(["own"], {"own": values}, state, plan.task)
            known[j] = evidence.losses().mean() if len(evidence) else 0.0
        return known[j]

    best = (len(models) - 1) // 2
    for step in (-1, 1):
        while loss(best + step) < loss(best):
            best += step
    return models[best]


def _out_of_fold(chosen, target, state, site):
    """Return what each member's model predicts for rows that it has not seen."""
    found = {name: _blank(target, state, site.plan) for name in chosen}
    for train, held in _cuts(state["folds"]):
        encoded = {}
        for name, (encoding, model) in chosen.items():
            if encoding not in encoded:
                own, Z = _encoded(encoding, take(site.table, train), target[train])
                new = take(site.table, held)
                encoded[encoding] = Z, new if own is None else own.transform(new)
            Z, new = encoded[encoding]
            values = found[name]
            model = fitted(model, Z, target[train])
            values[held] = predicted(model, new, values.shape[-1])
    return found


def _blank(target, state, plan):
    """Return predictions still to be made: values (n,), (n, m) or probabilities."""
    return np.full((len(target), *prediction_width(state, plan.task)), np.nan)


def _cuts(folds):
    """Return ``(kept rows, held-out rows)`` of each fold that has both."""
    cuts = [(folds != fold, folds == fold) for fold in range(folds.max() + 1)]
    return [
        (np.flatnonzero(kept), np.flatnonzero(held))
        for kept, held in cuts
        if kept.any() and held.any()
    ]


def _final_models(chosen, whole, target):
    """Return each member's model, fitted on all rows behind its encoder."""
    found = {}
    for name, (encoding, model) in chosen.items():
        own, Z = whole[encoding]
        model = fitted(model, Z, target)
        found[name] = model if own is None else make_pipeline(own, model)
    return found


@contextlib.contextmanager
def _quiet():
    """Silence warnings: a local model's are not the federation's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
