"""A client's round, one by one: the strategy's procedure and the one training loop."""

import time

import torch

from ..exceptions import ClientError
from ..nets._parts import output_layer, representations
from ..strategies import Evaluate, Represent, Train
from ._local import evaluate, local_epochs, quiet_torch, seed_torch
from ._objective import objective
from ._rows import tensors
from ._turn import Turn
from ._weights import get_weights, set_weights


def train(payload, state, site):
    """Do what the strategy does at a client, and send what may leave."""
    started = time.perf_counter()
    with quiet_torch():
        turn = Turn(payload, state, site)
        drive(turn)
    turn.seconds = time.perf_counter() - started
    return turn.message()


def drive(turn):
    """Answer all requests of a turn."""
    seed_torch(turn.torch_seed)
    while turn.request is not None:
        turn.go_on(answer(turn))


def answer(turn):
    """Answer a strategy's request with the client's rows."""
    net, request = turn.net, turn.request
    Z, target = tensors(net, turn.state, turn.site.plan.task)
    if isinstance(request, Train):
        return _train(turn, Z, target)
    if not isinstance(request, Evaluate | Represent):
        raise ClientError(
            f"client_update asked for {request!r}; it may ask for Train, Evaluate or "
            "Represent"
        )
    set_weights(net, request.weights)
    if isinstance(request, Evaluate):
        return evaluate(net, Z, target) / len(Z)
    net.module_.eval()
    with representations(output_layer(net, turn.parts.last)) as seen:
        with torch.inference_mode():
            net.infer(Z)
    return seen[0].cpu().numpy().copy()


def _train(turn, Z, target):
    net, request = turn.net, turn.request
    set_weights(net, request.weights)
    net.lr = turn.lr
    size = turn.site.plan.batch_size(net, len(Z))
    with objective(net, request, turn.parts) as batch:
        loss, n_steps = local_epochs(
            net, Z, target, turn.epochs(request), turn.rng, size, batch
        )
    return turn.trained(get_weights(net), loss, n_steps)


def settle_in(payload, state, site):
    """Train a newcomer's own parameters under the shared ones, which stay."""
    epochs = site.plan.n_rounds * site.plan.local_epochs

    def procedure(client):
        shared = frozenset(client.weights) - client.home
        trained = yield Train(client.weights, epochs=epochs, frozen=shared)
        return trained.weights

    with quiet_torch():
        turn = Turn({**payload, "round": 0, "since": 0}, state, site, procedure)
        drive(turn)
    _, kept = turn.parts.cut(turn.weights)
    state["own"] = {**kept, "memory": {}}
    return {}
