"""The end of a fit at real sites: each builds and keeps what it predicts by.

Where the server holds the clients' states, it builds the Pipelines itself. A site gets
the shared parts once more, as they ended, and puts its own to them.
"""

from dataclasses import replace

from ..federation import Broadcast
from ..nets._copies import copied
from ._answers import needed, without_failures
from ._assembly import client_net, head_pipeline, mixtures, report
from ._local import quiet_torch
from ._own_labels import own_labels
from ._result import Result
from ._rows import net_and_parts
from ._weights import unpack, unpack_extra

NETWORK = "network/"  # before the entries of a member's network, and its number


def end(groups, narrow=False):
    """Tell the clients the final shared parts: a generator of one broadcast.

    Parameters
    ----------
    groups : Groups
        What the server knows after the fit.
    narrow : bool, default=False
        Whether labels that a client never had shall get probability 0.
    """
    told = groups.told(lambda group: _model(group.result))
    each = {client: dict(own) for client, own in told["each"].items()}
    for group in groups:
        result = group.result
        for client in result.clients:
            own = each.setdefault(client, {})
            own["networks"] = [
                name for name, one in result.networks.items() if client in one.clients
            ]
            if narrow and result.classes:
                own["labels"] = list(result.labels[client])
    clients = groups.result.clients
    least = needed(groups.plan, len(clients))
    ask = Broadcast("keep", told["payload"], clients, each, min_replies=least)
    without_failures(groups.result, ask, (yield ask), drop=False)


def _model(result):
    """Return all shared parts as entries of a payload."""
    told = {"members": list(result.members), **result.message()}
    if result.classes:
        told["classes"] = list(result.classes)
    for number, one in enumerate(result.networks.values()):
        entries = {"coef": one.coef} if one.coef is not None else one.message()
        told |= {f"{NETWORK}{number}/{key}": value for key, value in entries.items()}
    if result.networks:
        told["all_networks"] = list(result.networks)
    return told


def keep(payload, state, site):
    """Build what the client predicts by; nothing leaves.

    The state gets an entry "kept": the Pipeline, what predicts (a mixture, or the
    Pipeline itself) and the report of the weights, None without.
    """
    plan, name = site.plan, site.name
    with quiet_torch():
        result = _result(payload, state, site)
        result.members = list(payload["members"])
        for number, network in enumerate(payload.get("all_networks", [])):
            if network not in payload["networks"]:
                continue
            start = f"{NETWORK}{number}/"
            own = {
                key.removeprefix(start): value
                for key, value in payload.items()
                if key.startswith(start)
            }
            inner = replace(site, plan=plan.variant(network))
            result.networks[network] = _result(own, state["scopes"][network], inner)
        pipeline = head_pipeline(client_net(result, {}), result, state, plan.task)
        predictors, told = {name: pipeline}, None
        if result.members:
            states = {name: state}
            predictors = mixtures(predictors, plan, result, states)
            told = report(result, states)
        if "labels" in payload:
            several = plan.task == "multilabel"
            predictors = own_labels(predictors, {name: payload["labels"]}, several)
    state["kept"] = {
        "pipeline": pipeline,
        "predictor": predictors[name],
        "report": told,
    }
    return {}


def _result(payload, state, site):
    """Return what the server knew of a network, as far as a client predicts by it."""
    result = Result(clients=(site.name,), classes=list(payload.get("classes", [])))
    if "coef" in payload:
        result.coef = payload["coef"]
        return result
    shared, result.parts = net_and_parts(payload, state, site)
    result.net = net = copied(shared)
    result.strategy = site.plan.strategy
    result.weights, result.shared = unpack(payload), unpack_extra(payload)
    if "lr" in payload:
        net.lr = payload["lr"]
    return result
