"""A client's out-of-fold evidence, and how it comes from there to weights."""

import numpy as np

from ..personalization import Evidence
from ._answers import prefixed, unprefixed


def client_target(state, task):
    """Return the target of all rows, in the client's units or as class codes."""
    if task == "classification":
        return state["target"]
    return state["target_mean"] + (state["target_scale"] or 1.0) * state["target"]


def evidence_of(names, predictions, state, task):
    """Return the rows for which every member has an out-of-fold prediction.

    Without predictions there are none.
    """
    target = client_target(state, task)
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
    evidence = evidence_of(names, predictions, state, plan.task)
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
