"""The models that a client fits on its own rows."""

import contextlib
import warnings

import numpy as np
from sklearn.pipeline import make_pipeline

from ..data._tables import n_rows, take
from ..personalization._local import candidates, encoder, fitted, predicted
from ..personalization._members import Local
from ._evidence_rows import client_target, evidence_of
from ._folds import deal

OWN_FOLDS = 3  # to tune a client's own models where no other folds are asked for


def own_models(payload, state, site):
    """Fit the client's own models, in every fold and on all rows; tell nothing."""
    plan, n = site.plan, n_rows(site.table)
    members = {
        member.name: candidates(member, plan.task, n)
        for member in plan.members
        if isinstance(member, Local)
    }
    target, evidence = client_target(state, plan.task), {}
    folds = state["folds"] if "folds" in state else deal(state, OWN_FOLDS)
    with _quiet():
        cut = _encoded_folds({e for e, _ in members.values()}, target, folds, site)
        for name, (encoding, models) in members.items():
            best, evidence[name] = _best(models, cut[encoding], target, state, plan)
            members[name] = encoding, [best]
        if plan.task == "classification":
            target = np.asarray(payload["classes"])[target]
        state["own_models"] = _final_models(members, target, site)
    state["evidence"] = {**state.get("evidence", {}), **evidence}
    return {}


def _encoded_folds(encodings, target, folds, site):
    """Return ``{encoding: [(kept rows, their table, held-out rows, theirs)]}``."""
    found: dict = {encoding: [] for encoding in encodings}
    for fold in range(folds.max() + 1):
        train, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(train) or not len(held):
            continue
        for encoding, cut in found.items():
            Z, new = _encoded(encoding, target, train, held, site)
            cut.append((train, Z, held, new))
    return found


def _best(models, cut, target, state, plan):
    """Return the candidate with the least out-of-fold loss, and its predictions.

    Candidates are in order of their penalty: the search goes downhill from the middle.
    """
    known: dict = {}

    def loss(j):
        if not 0 <= j < len(models):
            return np.inf
        if j not in known:
            values = _out_of_fold(models[j], cut, target, state, plan)
            evidence = evidence_of(["own"], {"own": values}, state, plan.task)
            mean = evidence.losses().mean() if len(evidence) else 0.0
            known[j] = mean, values
        return known[j][0]

    best = (len(models) - 1) // 2
    for step in (-1, 1):
        while loss(best + step) < loss(best):
            best += step
    loss(best)
    return models[best], known[best][1]


def _out_of_fold(model, cut, target, state, plan):
    """Return a model's predictions for rows that it has not seen."""
    n_classes = state.get("n_classes", 0)
    shape = (len(target),) if plan.task == "regression" else (len(target), n_classes)
    values = np.full(shape, np.nan)
    for train, Z, held, new in cut:
        values[held] = predicted(fitted(model, Z, target[train]), new, n_classes)
    return values


def _encoded(encoding, target, train, held, site):
    Z, new = take(site.table, train), take(site.table, held)
    own = encoder(encoding)
    if own is None:
        return Z, new
    return own.fit_transform(Z, target[train]), own.transform(new)


def _final_models(members, target, site):
    """Return each member's only candidate, fitted on all rows behind its encoder."""
    found, encoded = {}, {}
    for name, (encoding, (model,)) in members.items():
        if encoding not in encoded:
            own = encoder(encoding)
            Z = site.table if own is None else own.fit_transform(site.table, target)
            encoded[encoding] = own, Z
        own, Z = encoded[encoding]
        model = fitted(model, Z, target)
        found[name] = model if own is None else make_pipeline(own, model)
    return found


@contextlib.contextmanager
def _quiet():
    """Silence warnings: a local model's are not the federation's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
