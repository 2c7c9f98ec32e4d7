"""A client's heads of a federated net: made, tried on held-out rows, kept."""

import numpy as np

from ..data._tables import n_rows, take
from ..nets._copies import copied
from ._evidence_rows import client_target, prediction_width
from ._heads import fine_tune, head_model
from ._local import quiet_torch
from ._own_block import fit_block, fit_logits
from ._rows import aligned, loaded_net, tensors


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
            nothing = np.empty((0, *prediction_width(state, plan.task)))
            found = dict.fromkeys(models, nothing)
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
    trained = loaded_net(payload, state, site)
    net = copied(trained)  # the plan's net is shared and trains on
    net.module_.eval()
    arrays = {}
    if "prior" in kinds.values():
        arrays["prior"] = {"log_ratio": state["log_ratio"]}
    if "own_block" in kinds.values():
        arrays["own_block"] = _own_block(net, state, plan)
    if "fine_tuned" in kinds.values():
        if "lr" in payload:
            trained.lr = payload["lr"]
        Z, target = tensors(trained, state, plan.task)
        size, own = plan.batch_size(trained, len(Z)), (state["seed"], state["client"])
        arrays["fine_tuned"] = fine_tune(
            trained, Z, target, plan.tuning_epochs, size, *own
        )
    state["heads"] = arrays
    return {n: client_head(net, kind, state, plan.task) for n, kind in kinds.items()}


def _own_block(net, state, plan):
    """Return a block that is fitted on the client's rows and the net's outputs."""
    y = client_target(state, plan.task)[state["fit_rows"]]
    base = client_head(net, "federated", state, plan.task)
    personalizer = plan.personalizer
    fit = fit_logits if plan.task == "multilabel" else fit_block
    Z = tensors(net, state, plan.task)[0].numpy(force=True)  # as its net sees them
    coef, intercept = fit(base, Z, y, personalizer.penalty, personalizer.columns)
    return {"coef": coef, "intercept": intercept}


def client_head(net, kind, state, task, classes=None):
    """Return a head as model in the client's units; class codes without ``classes``."""
    arrays = state.get("heads", {}).get(kind, {})
    outputs: tuple
    if task == "regression":
        outputs = state["target_mean"], state["target_scale"]
    else:
        outputs = (np.arange(state["n_classes"]) if classes is None else classes,)
    return head_model(net, task, kind, arrays, outputs)
