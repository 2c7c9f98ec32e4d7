"""The client side: ``handle`` and its tasks.

What a client remembers between tasks is in ``state``, which passes through bytes on
backends with real sites: fitted steps, aligned rows, private parameters. What it
owns is in ``site``. Tasks put new objects into the state and never change old ones,
so that a failed task leaves it as it was.
"""

import copy
import warnings

import numpy as np
import pandas as pd
from sklearn.base import ClassNamePrefixFeaturesOutMixin

from ..data._tables import take
from ..exceptions import AlignmentWarning, ClientError, NegativeControlWarning
from ..preprocessing._composite import as_federated
from ..preprocessing._table_reader import TableReader
from ._answers import prefixed, unprefixed
from ._client_heads import finish, hold_out
from ._client_round import settle_in, train
from ._describe import checked_target, describe
from ._evidence_rows import weigh
from ._folds import split
from ._heads import log_ratio
from ._keep import keep
from ._local import evaluate, quiet_torch
from ._meanings import meant
from ._own import restore_own
from ._own_models import own_models
from ._plan import fresh
from ._pooled_linear import moments
from ._rows import aligned, frame, loaded_net, matrix, tensors
from ._scopes import in_scope
from ._step_size import curvature
from ._target_units import divisor, settled, units_of


def handle(task, payload, state, site):
    """Do one task at a client.

    Parameters
    ----------
    task : str
        What to do: a key of ``TASKS``.
    payload : dict
        The server's message.
    state : dict
        What the client remembers; changed in place.
    site : Site
        The client's table, target and plan.

    Returns
    -------
    answer : dict
        The message to the server: names, counts, summed statistics, parameters.
    """
    if payload.get("scope"):
        return in_scope(TASKS, task, payload, state, site)
    return TASKS[task](payload, state, site)


def align(payload, state, site):
    """Go on with fitting the client's steps until one needs the others.

    The first call brings the agreed schema, each further one what the server merged
    for the step in progress. The answer is that step's next statistics, or, after
    the last step, the width and the owned columns of the aligned rows.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = _align(payload, state, site)
    for warning in caught:  # say whose warning it is
        text = f"client {site.name!r}: {warning.message}"
        category = warning.category
        if issubclass(category, AlignmentWarning | NegativeControlWarning):
            warnings.warn(text, category, stacklevel=2)
        else:
            warnings.warn_explicit(
                warning.message, category, warning.filename, warning.lineno
            )
    return answer


def _align(payload, state, site):
    if "position" not in state:
        _start(payload, state, site)
    else:
        shared = unprefixed(payload)
        step, x, y = copy.deepcopy(state["step"]), state["x"], state["y"]
        if state["exchange"] + 1 < step.n_exchanges:
            statistics = step.client_statistics(x, y, shared)
            state.update(step=step, exchange=state["exchange"] + 1)
            return _ask(state, statistics)
        _push(state, step, step.fit_shared_transform(x, y, shared))
    return _advance(state, site)


def _start(payload, state, site):
    """Fix target coding and column names, as the server merged them."""
    rows = state["fit_rows"]
    y = _coded_target(payload, state, site)
    steps_y = None if y is None else meant(y[rows], site.plan, payload)
    prefix = f"{site.name}." if payload["own_columns"] else ""
    reader = TableReader(prefix, columns=payload.get("keep_columns"))
    x = reader.set_output(transform="default").fit_transform(take(site.table, rows))
    if isinstance(getattr(site.table, "index", None), pd.RangeIndex):
        x.index = pd.RangeIndex(len(x))  # the default index: rows have no names
    if reader.empty_columns_:
        warnings.warn(
            f"columns {reader.empty_columns_} have no value and are left out",
            AlignmentWarning,
            stacklevel=2,
        )
    state.update(
        target=y,
        y=steps_y,
        x=x,
        position=0,
        exchange=0,
        fitted=[("read", "", reader)],
    )


def _coded_target(payload, state, site):
    """Return class codes or scaled targets of all rows; None without a target."""
    plan = site.plan
    target = None if site.target is None else checked_target(site)
    if plan.task == "multilabel":
        state["n_classes"] = len(payload["classes"])
        return target
    if plan.task == "classification":
        codes = {label: code for code, label in enumerate(payload["classes"])}
        state["n_classes"] = len(codes)
        if target is None:
            return None
        y = np.array([codes[label] for label in target.tolist()], dtype=np.int64)
        if "pooled_shares" in payload:
            own = np.bincount(y[state["fit_rows"]], minlength=len(codes))
            state["log_ratio"] = log_ratio(own, payload["pooled_shares"])
        return y
    mean, scale = 0.0, 1.0
    if plan.target_scaling == "client" and target is not None:
        mean, scale = units_of(target[state["fit_rows"]])
    elif plan.target_scaling is not None:
        mean, scale = payload["target_mean"], payload["target_scale"]
    scale = settled(mean, scale)
    state.update(target_mean=mean, target_scale=scale)
    return None if target is None else (target - mean) / divisor(scale)


def _push(state, step, z):
    """Add a fitted step, and go on with what it makes of the training rows."""
    slot, name = state["place"]
    state.update(
        fitted=[*state["fitted"], (slot, name, step)],
        x=frame(z, step, state["x"].index),
        position=state["position"] + 1,
        exchange=0,
    )


def _advance(state, site):
    steps = site.plan.steps()
    while state["position"] < len(steps):
        slot, name, prototype = steps[state["position"]]
        state["place"] = (slot, name)
        step = as_federated(prototype)
        if step is None:
            step = fresh(prototype)
            # as in a Pipeline: a step may treat the rows it is fitted on apart
            _push(state, step, _fitted_rows(step, state))
            continue
        step = fresh(step)
        statistics = step.client_statistics(state["x"], state["y"])
        state.update(step=step)
        return _ask(state, statistics)
    return _finish(state, site)


def _fitted_rows(step, state):
    """Fit a local step; its output columns must mean the same at all clients."""
    Z = step.fit_transform(state["x"], state["y"])
    if state["n_clients"] > 1 and isinstance(step, ClassNamePrefixFeaturesOutMixin):
        warnings.warn(
            f"{type(step).__name__} is fitted at each client alone, and its output "
            "columns mean something else at each; use a federated step in its place",
            NegativeControlWarning,
            stacklevel=2,
        )
    return Z


def _ask(state, statistics):
    place = {key: state[key] for key in ("position", "exchange")}
    return {**prefixed(statistics), **place}


def _finish(state, site):
    """Keep the aligned rows and tell their width, names and owned columns."""
    x, last = state["x"], state["fitted"][-1][2]
    names = [str(name) for name in x.columns]
    z = matrix(x, names, site)
    z_valid = z[:0]
    if len(state["valid_rows"]):
        z_valid = aligned(take(site.table, state["valid_rows"]), state, site)
    # a value that only a few rows have is not told, nor that it occurs at all; a
    # client with too few rows says nothing of its columns
    enough = site.plan.min_count if len(z) >= site.plan.min_count else 0
    private = np.asarray(
        getattr(last, "private_columns_", np.zeros(len(names), dtype=bool))
    )
    earlier = [name for _, name, step in state["fitted"][:-1] if _keeps_private(step)]
    if earlier and not private.any():
        raise ClientError(
            f"the step {earlier[0]!r} keeps the weights of some columns at home, but "
            "is not the last before the net, which would average them; put it last"
        )
    for key in ("x", "y", "step", "place"):
        state.pop(key, None)
    state.update(z=z, z_valid=z_valid, private_columns=private)
    answer = {
        "done": True,
        "names": names,
        "owned": np.count_nonzero(z, axis=0) >= enough,
        "private": private,
    }
    if not site.plan.own_lr:
        wide = state["target"] is not None and state["target"].ndim == 2
        answer["curvature"] = curvature(z, state["target"].shape[1] if wide else 1)
    return answer


def _keeps_private(step):
    return np.any(getattr(step, "private_columns_", False))


def evaluate_valid(payload, state, site):
    """Tell the summed loss of the received weights on the validation rows."""
    n = len(state["z_valid"])
    if n == 0:
        return {"loss": 0.0, "n": 0}
    with quiet_torch():
        net = loaded_net(payload, state, site)
        Z, target = tensors(net, state, site.plan.task, valid=True)
        return {"loss": evaluate(net, Z, target), "n": n}


def restore(payload, state, site):
    """Go back to what the client had of its own in the best round."""
    restore_own(state, payload["best_round"])
    return {}


TASKS = {
    "describe": describe,
    "align": align,
    "train": train,
    "settle_in": settle_in,
    "evaluate": evaluate_valid,
    "restore": restore,
    "split": split,
    "hold_out": hold_out,
    "finish": finish,
    "own_models": own_models,
    "weigh": weigh,
    "moments": moments,
    "keep": keep,
}
