"""The server side: one generator, which knows no machine."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

from ..data._pool import label_kind
from ..exceptions import AlignmentWarning, ClientError, ClientFailureWarning
from ..federation import Broadcast, Failure
from ..nets._prototype import build_net, input_parameters, n_outputs
from ..preprocessing._composite import as_federated
from ..strategies._base import Update, faulty
from ._client import STATISTIC
from ._monitor import Monitor
from ._step_size import step_size
from ._weights import get_weights, pack, split_private, unpack


@dataclass
class Result:
    """What the server knows after a fit.

    Attributes
    ----------
    clients : tuple
        Clients that took part to the end, sorted by name.
    columns : str
        What unnamed columns meant: "named", "position" or "own".
    labels : dict
        Labels of each client, for classification.
    classes : list
        Their sorted union.
    names : list of str
        Names of the aligned columns.
    weights : dict
        The shared parameters.
    net : skorch.NeuralNet
        A net of the aligned width.
    inputs : list of str
        Names of the matrices that read the input.
    private : bool array
        Aligned columns whose weights stay at the clients.
    curvatures : list of float
        Largest eigenvalue of each client's second moments.
    history : list of dict
        One entry per client and round.
    n_rounds, best_round : int
        Rounds made, and the one whose weights were kept.
    """

    clients: tuple
    columns: str = "named"
    labels: dict = field(default_factory=dict)
    classes: list = field(default_factory=list)
    names: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)
    net: object = None
    inputs: list = field(default_factory=list)
    private: np.ndarray | None = None
    curvatures: list = field(default_factory=list)
    history: list = field(default_factory=list)
    n_rounds: int = 0
    best_round: int = 0


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
    result.columns = _column_mode(plan, described)
    start = {"own_columns": result.columns == "own"}
    if plan.task == "classification":
        result.labels = {c: d["labels"] for c, d in described.items()}
        result.classes = _union_of_labels(plan, result.labels)
        start["classes"] = result.classes
    elif plan.target_scaling == "pooled":
        start |= _pooled_target(described)
    return start


def _column_mode(plan, described):
    """Say what unnamed columns mean, and refuse what cannot be."""
    widths = {c: d["width"] for c, d in described.items() if "width" in d}
    if not widths:
        return "named"
    if plan.columns != "auto":
        mode = plan.columns
    else:
        mode = "position" if len(set(widths.values())) == 1 else "own"
        if mode == "own":
            warnings.warn(
                f"unnamed columns of different number ({_listed(widths)}) are taken as "
                "each client's own; give DataFrames whose equal columns have equal "
                "names, or set columns='position' or columns='own'",
                AlignmentWarning,
                stacklevel=2,
            )
    return mode


def _listed(values, limit=6):
    shown = [f"{c!r}: {v}" for c, v in list(values.items())[:limit]]
    return ", ".join(shown) + (", ..." if len(values) > limit else "")


def _union_of_labels(plan, labels):
    kinds: dict = {}
    for client, values in labels.items():
        kinds.setdefault(label_kind(np.asarray(values)), client)
    if len(kinds) > 1:
        (kind_a, a), (kind_b, b) = list(kinds.items())[:2]
        raise ClientError(
            f"labels of client {a!r} are {kind_a} and those of client {b!r} are "
            f"{kind_b}; labels match by value, so convert them to one type"
        )
    union = np.unique(np.concatenate([np.asarray(v) for v in labels.values()]))
    if plan.classes is not None:
        known = np.unique(np.asarray(plan.classes))
        for client, values in labels.items():
            unknown = [v for v in values if v not in known.tolist()]
            if unknown:
                raise ClientError(
                    f"client {client!r} has labels {unknown} that are not in "
                    f"classes={known.tolist()}"
                )
        union = known
    if len(union) < 2:
        raise ClientError(
            f"the classifier got one class only, {union.tolist()}, over all clients; "
            "it needs at least 2 classes"
        )
    return union.tolist()


def _pooled_target(described):
    """Merge the targets' moments (Chan, Golub and LeVeque)."""
    n, mean, m2 = 0, 0.0, 0.0
    for answer in described.values():
        if "target_n" not in answer:
            continue
        k, delta = answer["target_n"], answer["target_mean"] - mean
        m2 += answer["target_m2"] + delta**2 * n * k / (n + k)
        mean += delta * k / (n + k)
        n += k
    if n == 0:
        raise ClientError(
            "target_scaling='pooled' needs a client with at least min_count rows"
        )
    return {"target_mean": mean, "target_scale": float(np.sqrt(m2 / n))}


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
            return _agreed(result, answers)
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


def _agreed(result, answers):
    """Check that all clients' aligned rows have the same columns."""
    first, reference = next(iter(answers.items()))
    names = reference["names"]
    for client, answer in answers.items():
        other = answer["names"]
        if len(other) != len(names):
            raise ClientError(
                f"no shared width: client {first!r} has {len(names)} columns after "
                f"alignment and client {client!r} has {len(other)}; use an aligner "
                "such as FactorAligner or UnionAligner (aligner='auto' does)"
            )
        if other != names:
            j = next(
                i
                for i, pair in enumerate(zip(names, other, strict=True))
                if pair[0] != pair[1]
            )
            raise ClientError(
                f"column {j} after alignment is {names[j]!r} at client {first!r} and "
                f"{other[j]!r} at client {client!r}; columns are averaged by position "
                "from here on, so use an aligner (aligner='auto' does)"
            )
        if not np.array_equal(answer["private"], reference["private"]):
            raise ClientError(
                f"clients {first!r} and {client!r} keep other columns private"
            )
    result.names = names
    result.private = reference["private"]
    result.curvatures = [answer["curvature"] for answer in answers.values()]
    shared = ~result.private
    if not shared.any():
        raise ClientError("all aligned columns are private; nothing can be shared")
    return {c: a["owned"][shared] for c, a in answers.items()}


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
    if not plan.own_lr:
        result.net.lr = common["lr"] = step_size(plan.task, result.curvatures)
    best = _Best(plan)
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


class _Best:
    """Early stopping on the clients' summed validation loss."""

    def __init__(self, plan):
        self.patience, self.tol = plan.n_iter_no_change, plan.tol
        self.loss, self.round, self.weights, self.bad = np.inf, 0, {}, 0

    def update(self, round, losses, weights, records):
        """Take a round's losses; return True when it is time to stop."""
        n = sum(answer["n"] for answer in losses.values())
        if n == 0:
            raise ClientError(
                "early_stopping found no validation rows: raise validation_fraction "
                "or give clients with more rows"
            )
        for record in records:
            own = losses.get(record["client"])
            if own and own["n"]:
                record["valid_loss"] = own["loss"] / own["n"]
        loss = sum(answer["loss"] for answer in losses.values()) / n
        self.bad = 0 if loss < self.loss - self.tol else self.bad + 1
        if loss < self.loss:
            self.loss, self.round, self.weights = loss, round, weights
        return self.bad >= self.patience
