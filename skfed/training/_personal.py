"""The client's part in personalization: folds, evidence, heads and weights."""

import contextlib
import copy
import warnings

import numpy as np
from sklearn.pipeline import make_pipeline

from ..data._tables import n_rows, take
from ..personalization import Evidence
from ..personalization._local import candidates, encoder, fitted, predicted
from ..personalization._members import Local
from ._answers import prefixed, unprefixed
from ._heads import fine_tune, head_model
from ._local import client_generator, quiet_torch
from ._own_block import fit_block
from ._rows import aligned, loaded_net, tensors

FOLD_ROUND = 2**32 - 3  # the generator of the folds, never a round
OWN_FOLDS = 3  # to tune a client's own models where no other folds are asked for


def split(payload, state, site):
    """Deal the rows to folds at random; tell how many each leaves."""
    state["folds"] = _dealt(state, payload["n_folds"])
    n_held = np.bincount(state["folds"], minlength=payload["n_folds"])
    return {"n_rows": n_rows(site.table) - n_held}


def _dealt(state, n_folds):
    """Return the fold of each row.

    At random: folds with equal class shares would show how well the client's own
    shares fit rows that share them, which new rows do not.
    """
    rng, _ = client_generator(state["seed"], FOLD_ROUND, state["client"])
    return rng.permutation(np.arange(len(state["target"])) % n_folds)


def hold_out(payload, state, site):
    """Predict the rows that this fold has not seen, by every head of the net."""
    plan = site.plan
    rows = np.setdiff1d(np.arange(n_rows(site.table)), state["rows"])
    with quiet_torch():
        models = _heads(payload, state, site)
        if len(rows):
            Z = aligned(take(site.table, rows), state, site)
            found = {name: _predicted(m, Z, plan.task) for name, m in models.items()}
        else:
            width = () if plan.task == "regression" else (state["n_classes"],)
            found = dict.fromkeys(models, np.empty((0, *width)))
    state["held_out"] = found
    return {}


def _predicted(model, X, task):
    return model.predict(X) if task == "regression" else model.predict_proba(X)


def finish(payload, state, site):
    """Make the heads of a net trained on all rows; they stay at the client."""
    with quiet_torch():
        _heads(payload, state, site)
    return {}


def _heads(payload, state, site):
    """Return the net's heads as models, and keep the arrays that make them."""
    plan = site.plan
    kinds = plan.heads
    if "coef" in payload:
        state["heads"] = {"pooled": {"coef": payload["coef"]}}
        return {n: client_head(None, k, state, plan.task) for n, k in kinds.items()}
    trained, _ = loaded_net(payload, state, site)
    net = copy.copy(trained)  # the plan's net is shared and trains on
    net.module_ = copy.deepcopy(trained.module_).eval()
    arrays = {}
    if "prior" in kinds.values():
        arrays["prior"] = {"log_ratio": state["log_ratio"]}
    if "own_block" in kinds.values():
        arrays["own_block"] = _own_block(net, state, plan)
    if "fine_tuned" in kinds.values():
        if "lr" in payload:
            trained.lr = payload["lr"]
        Z, target = tensors(trained, state, site)
        size, own = plan.batch_size(trained, len(Z)), (state["seed"], state["client"])
        arrays["fine_tuned"] = fine_tune(
            trained, Z, target, plan.tuning_epochs, size, *own
        )
    state["heads"] = arrays
    return {n: client_head(net, kind, state, plan.task) for n, kind in kinds.items()}


def _own_block(net, state, plan):
    """Return a block that is fitted on the client's rows and the net's outputs."""
    y = _target(state, plan.task)[state["fit_rows"]]
    base = client_head(net, "federated", state, plan.task)
    personalizer = plan.personalizer
    coef, intercept = fit_block(
        base, state["z"], y, personalizer.penalty, personalizer.columns
    )
    return {"coef": coef, "intercept": intercept}


def client_head(net, kind, state, task, classes=None):
    """Return a head as model in the client's units; class codes without ``classes``."""
    arrays = state.get("heads", {}).get(kind, {})
    if task == "regression":
        units = state["target_mean"], state["target_scale"]
        return head_model(net, kind, arrays, None, *units)
    if classes is None:
        classes = np.arange(state["n_classes"])
    return head_model(net, kind, arrays, classes)


def own_models(payload, state, site):
    """Fit the client's own models, in every fold and on all rows; tell nothing."""
    plan, n = site.plan, n_rows(site.table)
    members = {
        member.name: candidates(member, plan.task, n)
        for member in plan.members
        if isinstance(member, Local)
    }
    target, evidence = _target(state, plan.task), {}
    folds = state["folds"] if "folds" in state else _dealt(state, OWN_FOLDS)
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
    found = {encoding: [] for encoding in encodings}
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
            evidence = _evidence(["own"], {"own": values}, state, plan.task)
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


def _target(state, task):
    """Return the target of all rows, in the client's units or as class codes."""
    if task == "classification":
        return state["target"]
    return state["target_mean"] + (state["target_scale"] or 1.0) * state["target"]


def _evidence(names, predictions, state, task):
    """Return the rows for which every member has an out-of-fold prediction.

    Without predictions there are none.
    """
    target = _target(state, task)
    center = float(target.mean()) if task == "regression" else 0.0
    if predictions is None:
        width = () if task == "regression" else (state["n_classes"],)
        values = np.empty((len(names), 0, *width))
        return Evidence(list(names), values, target[:0], task, center)
    values = np.stack([predictions[name] for name in names])
    axes = (0,) if values.ndim == 2 else (0, 2)
    known = np.isfinite(values).all(axis=axes)
    return Evidence(list(names), values[:, known], target[known], task, center)


def weigh(payload, state, site):
    """Take part in an exchange on the weights, or settle the own ones."""
    plan, names = site.plan, payload["members"]
    shared = unprefixed(payload)
    predictions = state["evidence"] if plan.personalizer.needs_folds else None
    evidence = _evidence(names, predictions, state, plan.task)
    if not payload["settle"]:
        statistics = plan.personalizer.client_statistics(evidence, shared)
        return prefixed(statistics)
    weights = np.asarray(plan.personalizer.weights(evidence, shared), dtype=np.float64)
    if plan.task == "regression" and not state["target"].std():
        weights = 0 * weights  # a constant target is predicted as it is
    state["weights"] = dict(zip(names, weights.tolist(), strict=True))
    state["center"] = evidence.center
    state["report"] = _report(evidence, weights)
    return {}


def _report(evidence, weights):
    """Return each member's weight and mean out-of-fold loss, and the mixture's."""
    n = len(evidence)
    losses = evidence.losses().mean(axis=1) if n else np.full(len(weights), np.nan)
    mixture = float(evidence.loss(weights).mean()) if n else np.nan
    return {
        "n_rows": n,
        "weights": weights.tolist(),
        "losses": losses.tolist(),
        "mixture": mixture,
    }


@contextlib.contextmanager
def _quiet():
    """Silence warnings: a local model's are not the federation's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
