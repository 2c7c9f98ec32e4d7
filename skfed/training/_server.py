"""The server side: one generator, which knows no machine."""

import warnings

import numpy as np
from sklearn.base import clone

from ..exceptions import ClientError, ClientFailureWarning
from ..federation import Broadcast, Failure
from ..nets._prototype import build_net, input_parameters, n_outputs
from ..preprocessing._composite import as_federated
from ..strategies._base import Update, faulty
from ._client import STATISTIC
from ._early_stopping import Best
from ._monitor import Monitor
from ._result import Result
from ._schema import agreed, column_mode, pooled_target, union_of_labels
from ._step_size import step_size
from ._weights import get_weights, pack, split_private, unpack


def federate(plan, clients, monitor=None):
    """Fit a federation: a generator of broadcasts that returns a :class:`Result`.

    Parameters
    ----------
    plan : Plan
        The recipe.
    clients : sequence
        Client names, sorted.
    monitor : Monitor, default=None
        Told about rounds.
    """
    monitor = Monitor() if monitor is None else monitor
    result = Result(clients=tuple(clients))
    start = yield from _describe(plan, result)
    owned = yield from _align(plan, result, start)
    _build(plan, result)
    monitor.begin(result)
    yield from _rounds(plan, result, owned, monitor)
    return result


def _needed(plan, n):
    return None if plan.min_clients is None else min(plan.min_clients, n)


def _without_failures(result, ask, answers, drop):
    """Return the answers of the clients that did their task, and name the others."""
    failed = {c: a for c, a in answers.items() if isinstance(a, Failure)}
    for client, failure in failed.items():
        rest = "goes on without it" if drop else "skips it in this round"
        place = f"{ask.task!r}" + (f" of round {ask.round}" if ask.round else "")
        warnings.warn(
            f"client {client!r} failed in {place}; the fit {rest}. {failure.reason}\n"
            f"{failure.trace}",
            ClientFailureWarning,
            stacklevel=2,
        )
    if drop and failed:
        result.clients = tuple(c for c in result.clients if c not in failed)
    return {c: a for c, a in answers.items() if c not in failed}


def _describe(plan, result):
    """Ask for columns and labels; return what starts the alignment."""
    clients = result.clients
    ask = Broadcast(
        "describe",
        {"seed": plan.seed},
        clients,
        each={name: {"client": k} for k, name in enumerate(clients)},
        min_replies=_needed(plan, len(clients)),
    )
    described = _without_failures(result, ask, (yield ask), drop=True)
    result.columns = column_mode(plan, described)
    start = {"own_columns": result.columns == "own"}
    if plan.task == "classification":
        result.labels = {c: d["labels"] for c, d in described.items()}
        result.classes = union_of_labels(plan, result.labels)
        start["classes"] = result.classes
    elif plan.target_scaling == "pooled":
        start |= pooled_target(described)
    return start


def _align(plan, result, start):
    """Fit the federated steps one exchange after the other."""
    steps = plan.steps()
    payload, merged, shared = start, None, None
    while True:
        ask = Broadcast(
            "align",
            payload,
            result.clients,
            min_replies=_needed(plan, len(result.clients)),
        )
        answers = _without_failures(result, ask, (yield ask), drop=True)
        if all("done" in answer for answer in answers.values()):
            return agreed(result, answers)
        position = _same_position(answers)
        statistics = {
            c: {k[2:]: v for k, v in a.items() if k.startswith(STATISTIC)}
            for c, a in answers.items()
        }
        step = as_federated(steps[position][2])
        shared = clone(step).merge(statistics, shared if merged == position else None)
        merged = position
        payload = {STATISTIC + k: v for k, v in shared.items()}


def _same_position(answers):
    positions = {answer.get("position") for answer in answers.values()}
    if len(positions) != 1 or None in positions:
        raise ClientError(
            f"clients are at different alignment steps: {sorted(map(str, positions))}"
        )
    return positions.pop()


def _build(plan, result):
    width = len(result.names)
    outputs = n_outputs(plan.net, plan.task, len(result.classes))
    result.net = build_net(plan.net, width, outputs, plan.seed)
    result.inputs = input_parameters(result.net, width)
    if result.private.any() and not result.inputs:
        raise ClientError(
            "the aligner keeps columns private, but no weight matrix of the net reads "
            "the input alone; use a module whose first layer is linear"
        )
    result.weights, _ = split_private(
        get_weights(result.net), result.inputs, result.private
    )


def _rounds(plan, result, owned, monitor):
    outputs = n_outputs(plan.net, plan.task, len(result.classes))
    common = {"inputs": result.inputs, "n_outputs": outputs}
    first, halvings = result.weights, 0
    if not plan.own_lr:
        halvings = 10
        result.net.lr = common["lr"] = step_size(plan.task, result.curvatures)
    best = Best(plan)
    for r in range(1, plan.n_rounds + 1):
        monitor.round_begin(r)
        needed = _needed(plan, len(result.clients))
        chosen = plan.strategy.select(
            result.clients,
            plan.client_fraction,
            np.random.default_rng((plan.seed, r)),
            at_least=needed or 1,
        )
        ask = Broadcast(
            "train",
            {**pack(result.weights), **common, "round": r, "best_round": best.round},
            chosen,
            round=r,
            min_replies=_needed(plan, len(chosen)),
        )
        answers = _without_failures(result, ask, (yield ask), drop=False)
        updates = [
            Update(c, a["n_rows"], unpack(a), dict.fromkeys(result.inputs, owned[c]))
            for c, a in answers.items()
        ]
        if halvings and any(faulty(result.weights, u) for u in updates):
            halvings -= 1  # the default step was too long: start again with half
            common["lr"] = result.net.lr = common["lr"] / 2
            result.weights = first
        else:
            updates = _sound(plan, result, updates, r)
            result.weights = plan.strategy.aggregate(result.weights, updates)
        result.n_rounds = result.best_round = r
        records = _record(result, answers, r)
        stop = False
        if plan.early_stopping:
            ask = Broadcast(
                "evaluate",
                {**pack(result.weights), **common},
                result.clients,
                round=r,
                min_replies=needed,
            )
            losses = _without_failures(result, ask, (yield ask), drop=False)
            stop = best.update(r, losses, result.weights, records)
        stop = bool(monitor.round_end(r, result)) or stop
        if stop:
            break
    if plan.early_stopping:
        result.weights, result.best_round = best.weights, best.round
        if result.private.any():
            yield Broadcast("restore", {"best_round": best.round}, result.clients)


def _sound(plan, result, updates, r):
    """Leave out updates that are not finite; raise if too few are left."""
    problems = {u.client: faulty(result.weights, u) for u in updates}
    problems = {c: text for c, text in problems.items() if text}
    if not problems:
        return updates
    text = "\n".join(problems.values())
    needed = len(updates) if plan.min_clients is None else plan.min_clients
    left = [u for u in updates if u.client not in problems]
    if len(left) < max(min(needed, len(updates)), 1):
        raise ClientError(f"round {r}: {text}")
    warnings.warn(
        f"round {r} leaves out {list(problems)}: {text}",
        ClientFailureWarning,
        stacklevel=2,
    )
    return left


def _record(result, answers, r):
    records = [
        {
            "round": r,
            "client": client,
            "n_rows": answer["n_rows"],
            "loss": answer["loss"],
            "valid_loss": np.nan,
            "seconds": answer["seconds"],
        }
        for client, answer in answers.items()
    ]
    result.history += records
    return records
