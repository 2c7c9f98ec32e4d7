"""The communication rounds of a fit: train, combine, judge."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..exceptions import ClientError, ClientFailureWarning
from ..federation import Broadcast
from ..strategies import ServerRound, Strategy, Update
from ..strategies._base import faulty
from ._answers import needed, without_failures
from ._early_stopping import Best
from ._step_size import step_size, usual_curvature
from ._weights import unpack, unpack_extra

HALVINGS = 10  # of the default step size
TOO_FAR = 4  # times the loss at the start


class Training:
    """The rounds, as generators of broadcasts.

    Parameters
    ----------
    plan : Plan
        The recipe.
    result : Result
        What the server knows; its weights, history and rounds are updated.
    owned : dict
        ``{client: bool array}`` of the input columns that a client owns.
    monitor : Monitor
        Told about rounds.
    """

    def __init__(self, plan, result, owned, monitor):
        self.plan, self.result, self.owned = plan, result, owned
        self.monitor, self.best = monitor, Best(plan)
        self.since = 1  # what clients keep from earlier rounds is void
        self.first, self.halvings = result.weights, 0
        self.memory: dict = {}  # of the strategy's server side
        self.start_loss: float | None = None
        if not plan.own_lr:
            self.halvings = HALVINGS
            self._set_lr(step_size(plan.task, result.curvatures))
            self._warn_of_units(plan.task, len(result.names))

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
                model = result.weights, result.shared
                stop = self.best.update(r, losses, model, records)
            if self.monitor.round_end(r, result) or stop:
                break
        if plan.early_stopping:
            (result.weights, result.shared), result.best_round = self.best.kept()
            if self._clients_keep_something():
                yield from self._ask("restore", {"best_round": result.best_round})
        self._warn_of_divergence()

    def _clients_keep_something(self):
        parts, strategy = self.result.parts, self.plan.strategy
        plain = type(strategy)._client_update is Strategy._client_update
        return bool(parts.private.any() or parts.home or not plain)

    def _train(self, r):
        """Make one round; start again with half the default step if it diverged."""
        while True:
            answers = yield from self._updates(r)
            updates = [self._update(*pair) for pair in answers.items()]
            if not (self.halvings and self._diverged(updates, answers)):
                break
            self.halvings -= 1
            self._set_lr(self.result.lr / 2)
            self.since = r
            self.result.weights, self.start_loss = self.first, None
            self.memory = {}
            self._tell(self._server(r))
        if self.start_loss is None:
            self.start_loss = mean_loss(answers.values())
        updates = self._sound(updates, r)
        server = self._server(r)
        aggregate = self.plan.strategy.aggregate
        self.result.weights = aggregate(self.result.weights, updates, server)
        self._tell(server)
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
        payload = {**self.result.message(), **kept}
        return (yield from self._ask("train", payload, r, chosen))

    def _evaluate(self, r):
        return (yield from self._ask("evaluate", self.result.message(), r))

    def _update(self, client, answer):
        owned = self.owned[client]
        return Update(
            client,
            answer["n_rows"],
            unpack(answer),
            dict.fromkeys(self.result.parts.inputs, owned),
            answer["n_steps"],
            answer["lr"],
            unpack_extra(answer),
        )

    def _server(self, r):
        """Return what the server's side of the strategy knows."""
        sizes = {client: self.result.sizes[client] for client in self.result.clients}
        return ServerRound(sizes, r, self.result.parts.buffers, self.memory)

    def _tell(self, server):
        """Settle what goes to the clients besides the weights."""
        message = self.plan.strategy.server_message(self.result.weights, server)
        self.result.shared = message

    def _ask(self, task, payload, r=None, clients=None):
        """Broadcast a task and return the answers of those that did it."""
        clients = self.result.clients if clients is None else clients
        r = self.result.n_rounds if r is None else r
        ask = Broadcast(
            task,
            {**payload, "round": r},
            clients,
            round=r,
            min_replies=needed(self.plan, len(clients)),
        )
        return without_failures(self.result, ask, (yield ask), drop=False)

    def _set_lr(self, lr):
        self.result.net.lr = self.result.lr = lr

    def _diverged(self, updates, answers):
        if any(faulty(self.result.weights, update) for update in updates):
            return True
        if self.start_loss is None:
            return False
        nothing = 1.0  # about the loss of predicting the mean of a scaled target
        if self.plan.task == "classification":
            nothing = np.log(len(self.result.classes))
        return mean_loss(answers.values()) > TOO_FAR * max(nothing, self.start_loss)

    def _warn_of_units(self, task, width):
        """Say that columns are not standardised, which makes the step tiny."""
        usual = step_size(task, [usual_curvature(width, self.result.n_targets)])
        if self.result.lr < usual / 10:
            warnings.warn(
                f"the aligned columns are not standardised, so that the learning rate "
                f"had to be {self.result.lr:.1e}: training will be slow and poor; "
                "put FederatedStandardScaler() behind the encoder (the default encoder "
                "scales)",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _warn_of_divergence(self):
        rounds: list[list[dict]] = [[], []]
        for entry in self.result.history:
            if entry["round"] in (1, self.result.n_rounds):
                rounds[entry["round"] != 1].append(entry)
        if not rounds[1]:
            return
        first, last = map(mean_loss, rounds)
        if not last <= TOO_FAR * max(first, 1e-3):
            warnings.warn(
                f"the training loss rose from {first:.3g} to {last:.3g}; lower net__lr "
                "or standardise the columns, as the default encoder does",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _sound(self, updates, r):
        """Leave out updates that are not finite; raise if too few are left."""
        problems = {u.client: faulty(self.result.weights, u) for u in updates}
        problems = {c: text for c, text in problems.items() if text}
        if not problems:
            return updates
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
        return left


def mean_loss(entries):
    """Return the mean loss per row of clients' entries, of the finite ones if any."""
    entries = list(entries)
    entries = [e for e in entries if np.isfinite(e["loss"])] or entries
    rows = sum(entry["n_rows"] for entry in entries)
    return sum(entry["loss"] * entry["n_rows"] for entry in entries) / rows
