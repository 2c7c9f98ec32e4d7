"""A client's round: the strategy's procedure, driven by the one training loop."""

import time

import torch

from ..exceptions import ClientError
from ..nets._parts import output_layer, representations
from ..strategies import ClientRound, Evaluate, Represent, Train, Trained
from ._local import client_generator, evaluate, local_epochs, quiet_torch, seed_torch
from ._objective import objective
from ._own import forget_void, keep_own, opened_message, own_of
from ._rows import net_and_parts, tensors
from ._weights import get_weights, pack, pack_extra, set_weights, unpack, unpack_extra


def train(payload, state, site):
    """Do what the strategy does at a client, and send what may leave."""
    started = time.perf_counter()
    plan, strategy = site.plan, site.plan.strategy
    forget_void(state, payload)
    own = own_of(state)
    with quiet_torch():
        net, parts = net_and_parts(payload, state, site)
        client = ClientRound(
            weights=parts.join(unpack(payload), own),
            shared=opened_message(unpack_extra(payload), parts, own),
            memory=dict(own.get("memory", {})),
            home=parts.home,
            target=state["target"][state["fit_rows"]],
            n_classes=state.get("n_classes", 0),
            min_count=plan.min_count,
        )
        answers = _Requests(payload, net, parts, state, site)
        procedure, answer = strategy.client_update(client), None
        while True:
            try:
                request = procedure.send(answer)
            except StopIteration as end:
                weights = end.value
                break
            answer = answers(request)
    shared, kept = parts.cut(weights)
    keep_own(state, {**kept, "memory": client.memory}, payload)
    extra = {
        key: parts.cut(value)[0] if isinstance(value, dict) else value
        for key, value in client.extra.items()
    }
    return {
        **pack(shared),
        **pack_extra(extra),
        "n_rows": answers.n_rows,
        "loss": answers.loss,
        "n_steps": answers.n_steps,
        "lr": float(net.lr),
        "seconds": time.perf_counter() - started,
    }


def settle_in(payload, state, site):
    """Train a newcomer's own parameters under the shared ones, which stay."""
    plan = site.plan
    with quiet_torch():
        net, parts = net_and_parts(payload, state, site)
        start = parts.join(unpack(payload), {})
        answers = _Requests({**payload, "round": 0}, net, parts, state, site)
        shared = frozenset(start) - parts.home
        epochs = plan.n_rounds * plan.local_epochs
        trained = answers(Train(start, epochs=epochs, frozen=shared))
    _, kept = parts.cut(trained.weights)
    state["own"] = {**kept, "memory": {}}
    return {}


class _Requests:
    """Answers a strategy's requests with the client's rows."""

    def __init__(self, payload, net, parts, state, site):
        self.net, self.parts, self.plan = net, parts, site.plan
        self.rng, torch_seed = client_generator(
            state["seed"], payload["round"], state["client"]
        )
        seed_torch(torch_seed)
        if "lr" in payload:
            net.lr = payload["lr"]
        self.Z, self.target = tensors(net, state, site)
        self.n_rows, self.loss, self.n_steps = len(self.Z), 0.0, 0

    def __call__(self, request):
        if isinstance(request, Train):
            return self._train(request)
        set_weights(self.net, request.weights)
        if isinstance(request, Evaluate):
            return evaluate(self.net, self.Z, self.target) / self.n_rows
        if isinstance(request, Represent):
            return self._represent()
        raise ClientError(
            f"client_update asked for {request!r}; it may ask for Train, Evaluate or "
            "Represent"
        )

    def _train(self, request):
        net = self.net
        set_weights(net, request.weights)
        epochs = self.plan.local_epochs if request.epochs is None else request.epochs
        size = self.plan.batch_size(net, self.n_rows)
        with objective(net, request, self.parts) as batch:
            self.loss, self.n_steps = local_epochs(
                net, self.Z, self.target, epochs, self.rng, size, batch
            )
            lr = float(net.lr)
        weights = get_weights(net)
        weights |= {name: request.weights[name] for name in request.frozen}
        return Trained(weights, self.loss, self.n_steps, lr)

    def _represent(self):
        net = self.net
        net.module_.eval()
        with representations(output_layer(net, self.parts.last)) as seen:
            with torch.inference_mode():
                net.infer(self.Z)
        return seen[0].cpu().numpy().copy()
