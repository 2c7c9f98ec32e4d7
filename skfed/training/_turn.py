"""A client's part of a round: its strategy's procedure, between two messages."""

from typing import Any

import torch

from ..strategies import ClientRound, Trained
from ._local import batch_sizes, client_generator, client_torch_seed
from ._own import forget_void, keep_own, opened_message, own_of
from ._rows import net_and_parts
from ._weights import pack, pack_extra, unpack, unpack_extra


def opened(payload):
    """Return the weights in a payload, and the strategy's message."""
    return unpack(payload), unpack_extra(payload)


class Turn:
    """What one client does in a round, driven from outside.

    The strategy's procedure asks for local epochs, a loss or a representation;
    whoever drives the turn looks at :attr:`request`, works, and hands the answer to
    :meth:`go_on`, until there is no request left.

    Parameters
    ----------
    payload : dict
        The server's message.
    state, site : dict, Site
        The client's.
    procedure : callable, default=None
        ``procedure(client_round)`` returns the generator of requests; None is the
        strategy's.
    told : tuple, default=None
        What :func:`opened` makes of the payload, if that is known.

    Attributes
    ----------
    request : Train, Evaluate, Represent or None
        What the procedure waits for; None when it has ended.
    rng : numpy.random.Generator
        Order of the rows.
    lr : float
        The learning rate that requests scale.
    """

    def __init__(self, payload, state, site, procedure=None, told=None):
        self.payload, self.state, self.site = payload, state, site
        self.seconds = 0.0
        forget_void(state, payload)
        own = own_of(state)
        weights, shared = opened(payload) if told is None else told
        self.net, self.parts = net_and_parts(payload, state, site)
        self._draws = state["seed"], payload["round"], state["client"]
        self.rng = client_generator(*self._draws)
        self.lr = payload.get("lr", self.net.lr)
        self.n_rows = len(state["z"])
        self.loss, self.n_steps = 0.0, 0
        self._generator = None
        self._client = ClientRound(
            weights=dict(self.parts.join(weights, own)),
            shared=opened_message(shared, self.parts, own),
            memory=dict(own.get("memory", {})),
            home=self.parts.home,
            target=state["target"][state["fit_rows"]],
            n_classes=state.get("n_classes", 0),
            min_count=site.plan.min_count,
        )
        procedure = procedure or site.plan.strategy.client_update
        self._procedure = procedure(self._client)
        self.request: Any = None
        self.weights: dict = {}
        self.go_on(None)

    @property
    def torch_seed(self):
        """Seed of what the net draws."""
        return client_torch_seed(*self._draws)

    def generator(self):
        """Return the generator of what the net draws in this turn."""
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.torch_seed)
        return self._generator

    def drawn(self):
        """Return how far the turn's generators are."""
        own = None if self._generator is None else self._generator.get_state()
        return self.rng.bit_generator.state, own

    def draw_again(self, drawn):
        """Go back to where the generators were."""
        self.rng.bit_generator.state, own = drawn
        if own is None:
            self._generator = None
        else:
            self.generator().set_state(own)

    def batch_sizes(self):
        """Return the rows of the batches of an epoch."""
        size = self.site.plan.batch_size(self.net, self.n_rows)
        return batch_sizes(self.n_rows, size, self.net.module_)

    def epochs(self, request):
        """Return the passes over the rows that a request asks for."""
        return self.site.plan.local_epochs if request.epochs is None else request.epochs

    def trained(self, weights, loss, n_steps):
        """Return the answer to a request for local epochs, and remember it."""
        request, self.loss, self.n_steps = self.request, loss, n_steps
        weights = {**weights, **{n: request.weights[n] for n in request.frozen}}
        return Trained(weights, loss, n_steps, float(self.lr * request.lr_scale))

    def go_on(self, answer):
        """Hand the answer to the procedure, and look at what it asks next."""
        try:
            self.request = self._procedure.send(answer)
        except StopIteration as end:
            self.weights, self.request = end.value, None

    def message(self):
        """Keep what stays at the client, and return what may leave."""
        client = self._client
        shared, kept = self.parts.cut(self.weights)
        keep_own(self.state, {**kept, "memory": client.memory}, self.payload)
        extra = {
            key: self.parts.cut(value)[0] if isinstance(value, dict) else value
            for key, value in client.extra.items()
        }
        return {
            **pack(shared),
            **pack_extra(extra),
            "n_rows": self.n_rows,
            "loss": self.loss,
            "n_steps": self.n_steps,
            "lr": float(self.lr),
            "seconds": self.seconds,
        }
