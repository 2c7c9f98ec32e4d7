"""The server side: one generator, which knows no machine."""

from collections import Counter
from functools import partial

from sklearn.base import clone

from ..exceptions import ClientError
from ..federation import Broadcast
from ..nets._copies import copied
from ..nets._prototype import is_binary, n_outputs
from ..preprocessing._composite import as_federated
from . import _expected
from ._answers import (
    merged_without_faulty,
    needed,
    prefixed,
    unprefixed,
    without_failures,
)
from ._groups import Groups
from ._label_sets import agree_on_label_sets
from ._meanings import tell_meanings
from ._monitor import Monitor
from ._n_targets import agreed_n_targets
from ._personalize import Personalization
from ._pooled_linear import fit_moments
from ._rounds import Training
from ._schema import (
    agreed,
    column_mode,
    has_local_heads,
    pooled_shares,
    pooled_target,
    told_columns,
    union_of_labels,
    warn_of_few_rows,
    warn_of_lonely_labels,
)
from ._warm_start import carried


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
    groups = Groups({"": plan}, {"": clients})
    yield from federate_groups(groups, monitor)
    return groups.result


def federate_groups(groups, monitor=None):
    """Fit groups of clients that predict different quantities, as :func:`federate`.

    Parameters
    ----------
    groups : Groups
        Who predicts what; their results are filled.
    monitor : Monitor, default=None
        Told about rounds.
    """
    monitor = Monitor() if monitor is None else monitor
    yield from _describe(groups)
    owned = yield from _align(groups)
    for group in groups:
        _build(group.plan, group.result)
    groups.join()
    monitor.begin(groups)
    yield from Training(groups, owned, monitor).rounds()
    if groups.plan.personalizer is not None and len(groups.result.clients) > 1:
        for group in groups:
            group.result.members = group.plan.member_names
        yield from Personalization(groups, federate_groups, federate_linear).run()


def federate_linear(plan, clients):
    """Fit the pooled linear member: a generator as :func:`federate`."""
    groups = Groups({"": plan}, {"": clients})
    yield from _describe(groups)
    yield from _align(groups)
    return (yield from fit_moments(plan, groups.result))


def _describe(groups):
    """Ask for columns and targets; settle what starts the alignment."""
    plan, result = groups.plan, groups.result
    clients = result.clients
    ask = Broadcast(
        "describe",
        {"seed": plan.seed, "n_clients": len(clients)},
        clients,
        each=groups.numbers(),
        min_replies=needed(plan, len(clients)),
        expects=_expected.described(groups),
    )
    described = without_failures(result, ask, (yield ask), drop=True)
    groups.keep(described)
    warn_of_few_rows(plan, described)
    result.columns = column_mode(plan, described)
    result.sizes = {c: d["n_rows"] for c, d in described.items()}
    result.known_columns = {
        column
        for client, answer in described.items()
        for column in told_columns(client, answer, result.columns)
    }
    result.features = {
        client: told_columns(client, answer, "position")
        for client, answer in described.items()
    }
    result.unnamed = {c for c, answer in described.items() if "width" in answer}
    groups.share("columns", "sizes", "known_columns")
    for group in groups:
        own = {client: described[client] for client in group.result.clients}
        start = _described_target(group.plan, group.result, own)
        group.result.start = {"own_columns": result.columns == "own", **start}
    tell_meanings(groups)


def _described_target(plan, result, described):
    """Return what a group's clients have to know of each other's targets."""
    start: dict = {}
    result.n_targets = agreed_n_targets(described)
    if plan.task == "multilabel":
        start |= agree_on_label_sets(plan, result, described)
    elif plan.task == "classification":
        result.labels = {c: d["labels"] for c, d in described.items()}
        result.classes = union_of_labels(plan, result.labels)
        warn_of_lonely_labels(result.labels)
        result.local_heads = has_local_heads(plan.local_heads, result.labels)
        start["classes"] = result.classes
        if plan.tells_labels:
            start["pooled_shares"] = pooled_shares(result.classes, described)
    elif plan.tells_target:
        start |= pooled_target(described)
    return start


def _align(groups):
    """Fit the federated steps one exchange after the other."""
    plan, result = groups.plan, groups.result
    steps = plan.steps()
    message = groups.told(lambda group: group.result.start)
    merged, shared = None, None
    while True:
        ask = Broadcast(
            "align",
            clients=result.clients,
            min_replies=needed(plan, len(result.clients)),
            expects=_expected.aligned(groups),
            **message,
        )
        answers = without_failures(result, ask, (yield ask), drop=True)
        groups.keep(answers)
        if all("done" in answer for answer in answers.values()):
            owned = agreed(result, answers)
            groups.share("names", "private", "merged")
            for group in groups:
                group.result.curvatures = [
                    answers[client]["curvature"]
                    for client in group.result.clients
                    if "curvature" in answers[client]
                ]
            return owned
        position = _same_position(answers)
        statistics = {client: unprefixed(answer) for client, answer in answers.items()}
        step = as_federated(steps[position][2])
        before = shared if merged == position else None
        shared, sound = merged_without_faulty(
            result, ask, partial(_merge, step, before), statistics, drop=True
        )
        groups.keep(sound)
        merged = position
        result.merged.setdefault(position, []).append(shared)
        message = {"payload": prefixed(shared)}


def _merge(step, before, statistics):
    return clone(step).merge(statistics, before)


def _same_position(answers):
    """Return the step at which all clients are."""
    places = Counter(answer.get("position") for answer in answers.values())
    (most, _), *others = places.most_common()
    if others:
        odd = [c for c, answer in answers.items() if answer.get("position") != most]
        raise ClientError(
            f"clients {odd[:5]} are at another step of the alignment than the others: "
            "all sites need the same version of skfed"
        )
    return most


def _build(plan, result):
    if is_binary(plan.net) and len(result.classes) != 2:
        raise ClientError(
            f"net is a NeuralNetBinaryClassifier, but there are {len(result.classes)} "
            f"classes, {result.classes}; use skorch's NeuralNetClassifier"
        )
    width = len(result.names)
    outputs = n_outputs(plan.net, plan.task, len(result.classes), result.n_targets)
    result.n_outputs = outputs
    result.net = copied(plan.built_net(width, outputs))
    result.strategy = plan.strategy
    result.parts = plan.parts(width, outputs, result.private, result.local_heads)
    if result.private.any() and not result.parts.inputs:
        raise ClientError(
            "the aligner keeps columns private, but no weight matrix of the net reads "
            "the input alone; use a module whose first layer is linear"
        )
    result.weights, _ = result.parts.cut(result.parts.start)
    if plan.before is not None:
        result.weights = carried(plan.before, result)
