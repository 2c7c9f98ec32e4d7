"""A client's out-of-fold evidence, and how it comes from there to weights."""

import numpy as np

from ..personalization import Evidence
from ._answers import prefixed, unprefixed
from ._target_units import constant, divisor, units_of


def client_target(state, task):
    """Return the target of all rows, in the client's units or as codes of labels."""
    if task != "regression":
        return state["target"]
    return state["target_mean"] + divisor(state["target_scale"]) * state["target"]


def prediction_width(state, task):
    """Return the shape of a row's prediction: a number, m of them, or probabilities."""
    if task == "regression":
        return state["target"].shape[1:]
    return (state["n_classes"],)


def evidence_of(names, predictions, state, task):
    """Return the rows for which every member has an out-of-fold prediction.

    Without predictions there are none.
    """
    target = client_target(state, task)
    center = units_of(target)[0] if task == "regression" else 0.0
    if predictions is None:
        values = np.empty((len(names), 0, *prediction_width(state, task)))
        return Evidence(list(names), values, target[:0], task, center)
    values = np.stack([predictions[name] for name in names])
    axes = (0,) if values.ndim == 2 else (0, 2)
    known = np.isfinite(values).all(axis=axes)
    if np.ndim(center):  # a constant target is predicted as it is
        values = np.where(constant(target), center, values)
    return Evidence(list(names), values[:, known], target[known], task, center)


def weigh(payload, state, site):
    """Take part in an exchange on the weights, or settle the own ones."""
    plan, names = site.plan, payload["members"]
    shared = unprefixed(payload)
    predictions = state["evidence"] if plan.personalizer.needs_folds else None
    evidence = evidence_of(names, predictions, state, plan.task)
    if not payload["settle"]:
        statistics = plan.personalizer.client_statistics(evidence, shared)
        return prefixed(statistics)
    weights = np.asarray(plan.personalizer.weights(evidence, shared), dtype=np.float64)
    if plan.task == "regression":
        fixed = constant(state["target"])
        weights = 0 * weights if np.all(fixed) else weights  # it is predicted as it is
        state["fixed"] = fixed if np.ndim(fixed) and fixed.any() else None
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
