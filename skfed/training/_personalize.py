"""The server's part in personalization: which fits, in which order."""

import warnings
from dataclasses import replace

from ..exceptions import AlignmentWarning
from ..federation import Broadcast
from ..personalization._members import Local, Pooled
from ._answers import needed, prefixed, unprefixed, without_failures
from ._scopes import ScopeError, within


class Personalization:
    """Folds, members and weights after the rounds, as generators of broadcasts.

    Parameters
    ----------
    plan : Plan
        The recipe.
    result : Result
        What the server knows; members and their results are added.
    federate, federate_linear : callable
        The generator functions of a network's and of a linear model's fit.
    """

    def __init__(self, plan, result, federate, federate_linear):
        self.plan, self.result = plan, result
        self.federate, self.federate_linear = federate, federate_linear
        self.inner = replace(
            plan,
            classes=result.classes or None,
            local_heads="local" if result.local_heads else "shared",
            personalizer=None,
            before=None,
        )
        self.lost: dict = {}

    def run(self):
        """Fit the members, gather the evidence, settle the weights."""
        plan, result = self.plan, self.result
        networks = [m for m in plan.members if not isinstance(m, Local)]
        for network in networks:
            yield from self._final(network)
        if plan.personalizer.needs_folds:
            yield from self._folds(networks)
        if any(isinstance(member, Local) for member in plan.members):
            yield from self._ask("own_models", {"classes": result.classes})
        result.members = [n for n in result.members if n not in self.lost]
        self._warn_of_lost()
        if result.members:
            yield from self._weigh()

    def _final(self, network):
        """Fit a network on all rows, unless it is the main one; make its heads."""
        result = self.result
        if network.name:
            try:
                fit = self._fit(network, result.clients)
                result.networks[network.name] = yield from within(fit, network.name)
            except ScopeError as error:
                self._lose(network, error)
                return
        yield from self._heads("finish", network, self._known(network))

    def _folds(self, networks):
        n_folds = self.plan.personalizer.n_folds
        counts = yield from self._ask("split", {"n_folds": n_folds})
        for fold in range(n_folds):
            clients = [c for c, answer in counts.items() if answer["n_rows"][fold]]
            for network in networks:
                if self._is_lost(network):
                    continue
                try:
                    fit = self._fit(network, tuple(clients))
                    known = yield from within(fit, network.name, fold)
                    yield from self._heads("hold_out", network, known, fold)
                except ScopeError as error:
                    self._lose(network, error)

    def _fit(self, network, clients):
        """Return the generator of a member's fit."""
        plan = self.inner
        if network.name:
            plan = replace(plan, **network.changes(plan.min_count))
        if isinstance(network, Pooled):
            return self.federate_linear(plan, clients)
        return self.federate(plan, clients)

    def _known(self, network):
        return self.result.networks.get(network.name, self.result)

    def _heads(self, task, network, known, fold=-1):
        """Ask the clients of a network for its heads."""
        if known.coef is not None:
            payload = {"coef": known.coef}
        else:
            payload = known.message()

        def ask():
            yield Broadcast(task, payload, known.clients)

        if network.name or fold >= 0:
            yield from within(ask(), network.name, fold)
        else:
            yield from self._ask(task, payload)

    def _weigh(self):
        """Exchange statistics of the evidence until the personalizer is done."""
        shared: dict = {}
        common = {"members": self.result.members}
        while not shared.get("done"):
            payload = {**common, **prefixed(shared), "settle": False}
            answers = yield from self._ask("weigh", payload)
            statistics = {client: unprefixed(a) for client, a in answers.items()}
            shared = self.plan.personalizer.merge(statistics, shared)
        self.result.prior = prefixed(shared)
        yield from self._ask("weigh", {**common, **self.result.prior, "settle": True})

    def _ask(self, task, payload):
        clients = self.result.clients
        ask = Broadcast(
            task, payload, clients, min_replies=needed(self.plan, len(clients))
        )
        return without_failures(self.result, ask, (yield ask), drop=False)

    def _lose(self, network, error):
        self.lost.update(dict.fromkeys(network.heads, str(error)))

    def _is_lost(self, network):
        return any(name in self.lost for name in network.heads)

    def _warn_of_lost(self):
        rest = "" if self.result.members else "; clients predict by the shared net"
        for reason in dict.fromkeys(self.lost.values()):
            names = [name for name, why in self.lost.items() if why == reason]
            warnings.warn(
                f"the personalizer goes on without {names}, which could not be fitted: "
                f"{reason}{rest}",
                AlignmentWarning,
                stacklevel=2,
            )
