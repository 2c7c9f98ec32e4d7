"""The communication rounds of a fit: train, combine, judge."""

import warnings
from functools import partial

import numpy as np

from ..exceptions import ClientError, ClientFailureWarning
from ..federation import Broadcast
from ..strategies import ServerRound, Strategy, Update
from ..strategies._base import Sound, faults
from . import _expected
from ._answers import merged, needed, without_failures
from ._balance import Balance, null_loss
from ._early_stopping import Best
from ._round_warnings import (
    TOO_FAR,
    mean_loss,
    warn_of_divergence,
    warn_of_still_heads,
    warn_of_units,
)
from ._step_size import step_size
from ._weights import unpack, unpack_extra

HALVINGS = 10  # of the default step size


class Training:
    """The rounds, as generators of broadcasts.

    Parameters
    ----------
    groups : Groups
        Recipes, and what the server knows; weights, history and rounds are updated.
    owned : dict
        ``{client: bool array}`` of the input columns that a client owns.
    monitor : Monitor
        Told about rounds.
    """

    def __init__(self, groups, owned, monitor):
        self.groups, self.owned = groups, owned
        self.plan, self.result = groups.plan, groups.result
        self.monitor, self.best = monitor, Best(self.plan)
        self.since = 1  # what clients keep from earlier rounds is void
        self.first, self.halvings = self.result.weights, 0
        self.memory: dict = {}  # of the strategy's server side
        self.start_losses: dict = {}  # by group
        self.balance = Balance(groups)
        self.buffers: frozenset = frozenset()
        self.holders: dict = {}
        for group in groups:
            buffers = map(group.server_name, group.result.parts.buffers)
            self.buffers |= frozenset(buffers)
            names = map(group.server_name, group.heads)
            self.holders |= dict.fromkeys(names, group.result.clients)
            if not group.plan.own_lr:
                self.halvings = HALVINGS
                curvatures = group.result.curvatures
                self._set_lr(group, step_size(group.plan.task, curvatures))
                warn_of_units(group)

    def rounds(self):
        """Make the rounds; keep the best one's weights under early stopping."""
        plan, result = self.plan, self.result
        self._tell(self._server(1))
        for r in range(1, plan.n_rounds + 1):
            self.monitor.round_begin(r)
            records = yield from self._train(r)
            result.n_rounds = result.best_round = r
            stop = False
            if plan.early_stopping:
                losses = yield from self._evaluate(r)
                losses = self.balance.comparable(losses)
                model = result.weights, result.shared
                stop = self.best.update(r, losses, model, records)
            self.groups.share("n_rounds", "best_round")
            if self.monitor.round_end(r, self.groups) or stop:
                break
        if plan.early_stopping:
            (result.weights, result.shared), result.best_round = self.best.kept()
            self.groups.hand_out()
            self.groups.share("best_round")
            if self._clients_keep_something():
                ask = {"payload": {"best_round": result.best_round}, "each": {}}
                yield from self._ask("restore", ask)
        warn_of_divergence(self.groups)
        if len(self.groups) > 1:
            warn_of_still_heads(self.groups, self.first)

    def _clients_keep_something(self):
        plain = type(self.plan.strategy)._client_update is Strategy._client_update
        parts = [group.result.parts for group in self.groups]
        return not plain or any(p.private.any() or p.home for p in parts)

    def _train(self, r):
        """Make one round; start again with half the default step if it diverged."""
        while True:
            answers = yield from self._updates(r)
            updates = [self._update(*pair) for pair in answers.items()]
            problems = faults(self.result.weights, updates)
            diverged = self._diverged(problems, answers) if self.halvings else []
            if not diverged:
                break
            self.halvings -= 1
            for group in diverged:
                self._set_lr(group, group.result.lr / 2)
            self.since = r
            self.result.weights, self.start_losses = self.first, {}
            self.memory = {}
            self._tell(self._server(r))
        for group, own in self.groups.split(answers):
            self.start_losses.setdefault(group.name, mean_loss(own.values()))
        updates = self._sound(updates, problems, r)
        told = {update.client: update for update in updates}
        (self.result.weights, server), faulty = merged(partial(self._combine, r), told)
        problems = {c: f"client {c!r} {why.reason}" for c, why in faulty.items()}
        updates = self._sound(updates, problems, r)
        self.memory = server.memory
        self._tell(server)
        sound = {update.client: answers[update.client] for update in updates}
        self.balance.update(sound)
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
        self.result.history += records
        return records

    def _combine(self, r, updates):
        """Return new weights, and what the strategy's server side knows then."""
        server = self._server(r)
        server.memory = dict(self.memory)  # kept if this is not the last try
        combine = self.plan.strategy.aggregate
        return combine(self.result.weights, Sound(updates.values()), server), server

    def _updates(self, r):
        chosen = self.plan.strategy.select(
            self.result.clients,
            self.plan.client_fraction,
            np.random.default_rng((self.plan.seed, r)),
            at_least=needed(self.plan, len(self.result.clients)) or 1,
            sampling=self.plan.client_sampling,
            server=self._server(r),
        )
        kept = {"best_round": self.best.round, "since": self.since}
        message = self.groups.told(lambda group: group.result.message())
        message["payload"] = {**message["payload"], **kept}
        expects = _expected.trained(self.groups)
        return (yield from self._ask("train", message, r, chosen, expects))

    def _evaluate(self, r):
        message = self.groups.told(lambda group: group.result.message())
        expects = _expected.evaluated
        return (yield from self._ask("evaluate", message, r, expects=expects))

    def _update(self, client, answer):
        group = self.groups.of(client)
        inputs = dict.fromkeys(group.result.parts.inputs, self.owned[client])
        return Update(
            client,
            answer["n_rows"],
            group.to_server(unpack(answer)),
            group.to_server(inputs),
            answer["n_steps"],
            answer["lr"],
            {
                key: group.to_server(value) if isinstance(value, dict) else value
                for key, value in unpack_extra(answer).items()
            },
            self.balance.of(group),
        )

    def _server(self, r):
        """Return what the server's side of the strategy knows."""
        sizes = {client: self.result.sizes[client] for client in self.result.clients}
        return ServerRound(sizes, r, self.buffers, self.memory, self.holders)

    def _tell(self, server):
        """Settle what goes to the clients besides the weights."""
        message = self.plan.strategy.server_message(self.result.weights, server)
        self.result.shared = message
        self.groups.hand_out()

    def _ask(self, task, message, r=None, clients=None, expects=None):
        """Broadcast a task and return the answers of those that did it."""
        clients = self.result.clients if clients is None else clients
        r = self.result.n_rounds if r is None else r
        ask = Broadcast(
            task,
            {**message["payload"], "round": r},
            clients,
            each={c: e for c, e in message["each"].items() if c in clients},
            round=r,
            min_replies=needed(self.plan, len(clients)),
            expects=expects,
        )
        return without_failures(self.result, ask, (yield ask), drop=False)

    @staticmethod
    def _set_lr(group, lr):
        group.result.net.lr = group.result.lr = lr

    def _diverged(self, problems, answers):
        """Return the groups whose step is theirs to halve and was too long."""
        found = []
        for group, own in self.groups.split(answers):
            if group.plan.own_lr:
                continue
            start = self.start_losses.get(group.name)
            most = np.inf
            if start is not None:
                most = TOO_FAR * max(null_loss(group), start)
            if problems.keys() & own or mean_loss(own.values()) > most:
                found.append(group)
        return found

    def _sound(self, updates, problems, r):
        """Leave out updates that are not finite; raise if too few are left."""
        if not problems:
            return Sound(updates)
        text = "\n".join(problems.values())
        wanted = self.plan.min_clients or len(updates)
        left = [u for u in updates if u.client not in problems]
        if len(left) < max(min(wanted, len(updates)), 1):
            raise ClientError(f"round {r}: {text}")
        warnings.warn(
            f"round {r} leaves out {list(problems)}: {text}",
            ClientFailureWarning,
            stacklevel=2,
        )
        return Sound(left)
