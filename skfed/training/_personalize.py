"""The server's part in personalization: which fits, in which order."""

import warnings
from dataclasses import replace
from functools import partial

from ..data._tables import sort_names
from ..exceptions import AlignmentWarning
from ..federation import Broadcast
from ..personalization._members import Local, Pooled
from . import _expected
from ._answers import (
    merged_without_faulty,
    needed,
    prefixed,
    unprefixed,
    without_failures,
)
from ._groups import Groups
from ._scopes import ScopeError, side_by_side, within


class Personalization:
    """Folds, members and weights after the rounds, as generators of broadcasts.

    Parameters
    ----------
    groups : Groups
        Recipes, and what the server knows; members and their results are added.
    federate_groups, federate_linear : callable
        The generator functions of a network's and of a linear model's fit.
    """

    def __init__(self, groups, federate_groups, federate_linear):
        self.groups = groups
        self.plan, self.result = groups.plan, groups.result
        self.federate_groups = federate_groups
        self.federate_linear = federate_linear
        self.lost: dict = {}  # {(group, network): why}

    def run(self):
        """Fit the members, gather the evidence, settle the weights."""
        networks = self._networks()
        for network, groups in networks:
            yield from self._final(network, groups)
        if self.plan.personalizer.needs_folds:
            yield from self._folds(networks)
        members = [member for group in self.groups for member in group.plan.members]
        if any(isinstance(member, Local) for member in members):
            message = self.groups.told(lambda group: {"classes": group.result.classes})
            yield from self._ask("own_models", message)
        for group in self.groups:
            lost = {name for network in self._lost(group) for name in network.heads}
            found = group.result.members
            group.result.members = [name for name in found if name not in lost]
        self._warn_of_lost()
        for group in self.groups:
            if group.result.members:
                yield from self._weigh(group)

    def _networks(self):
        """Return what has to be fitted, and the groups that want it together.

        Clients with other quantities share a network's trunk, but no pooled linear
        model, which has nothing but a head.
        """
        found: dict = {}
        for group in self.groups:
            for member in group.plan.members:
                if isinstance(member, Local):
                    continue
                apart = group.name if isinstance(member, Pooled) else None
                found.setdefault((apart, member.name), (member, []))[1].append(group)
        return list(found.values())

    def _final(self, network, groups):
        """Fit a network on all rows, unless it is the main one; make its heads."""
        known = {group.name: group.result for group in groups}
        if network.name:
            try:
                clients = [c for group in groups for c in group.result.clients]
                fit = self._fit(network, groups, clients)
                known = yield from within(fit, network.name)
                yield from self._heads("finish", network, known)
            except ScopeError as error:
                self._lose(network, groups, error)
                return
            for group in groups:
                if group.name in known:
                    group.result.networks[network.name] = known[group.name]
            return
        yield from self._heads("finish", network, known)

    def _folds(self, networks):
        n_folds = self.plan.personalizer.n_folds
        ask = {"payload": {"n_folds": n_folds}, "each": {}}
        counts = yield from self._ask("split", ask, expects=_expected.dealt(n_folds))
        for network, groups in networks:
            if self._is_lost(network, groups):
                continue
            folds = []
            for fold in range(n_folds):
                clients = {c for c, answer in counts.items() if answer["n_rows"][fold]}
                folds.append(self._fold(network, groups, clients, fold))
            for problem in (yield from side_by_side(folds)):
                if problem is not None:
                    self._lose(network, groups, problem)
                    break

    def _fold(self, network, groups, clients, fold):
        """Fit a network without a fold; return why that cannot be done, or None."""
        try:
            fit = self._fit(network, groups, clients)
            known = yield from within(fit, network.name, fold)
            yield from self._heads("hold_out", network, known, fold)
        except ScopeError as error:
            return error
        return None

    def _fit(self, network, groups, clients):
        """Fit a member for some clients of some groups; return the groups' results."""
        plans, own = {}, {}
        for group in groups:
            taken = tuple(c for c in group.result.clients if c in clients)
            if taken:
                own[group.name], plans[group.name] = taken, inner(group, network)
        if not plans:
            return {}
        if isinstance(network, Pooled):
            (name,) = plans
            return {name: (yield from self.federate_linear(plans[name], own[name]))}
        fitted = Groups(plans, own)
        yield from self.federate_groups(fitted)
        return {group.name: group.result for group in fitted}

    def _heads(self, task, network, known, fold=-1):
        """Ask the clients of a network for its heads."""
        if not known:
            return
        clients, message = _models(known)

        def ask():
            yield Broadcast(task, clients=clients, **message)

        if network.name or fold >= 0:
            yield from within(ask(), network.name, fold)
        else:
            yield from self._ask(task, message)

    def _weigh(self, group):
        """Exchange statistics of the evidence until the personalizer is done."""
        shared: dict = {}
        common = {"members": group.result.members}
        personalizer, clients = group.plan.personalizer, group.result.clients
        check = _expected.statistics
        while not shared.get("done"):
            payload = {**common, **prefixed(shared), "settle": False}
            ask = self._broadcast("weigh", {"payload": payload}, clients, check)
            answers = without_failures(self.result, ask, (yield ask), drop=False)
            if not answers:
                group.result.members = []
                return
            statistics = {client: unprefixed(a) for client, a in answers.items()}
            merge = partial(personalizer.merge, shared=shared)
            shared, _ = merged_without_faulty(
                self.result, ask, merge, statistics, drop=False
            )
        group.result.prior = prefixed(shared)
        payload = {**common, **group.result.prior, "settle": True}
        yield from self._ask("weigh", {"payload": payload}, clients)

    def _ask(self, task, message, clients=None, expects=None):
        ask = self._broadcast(task, message, clients, expects)
        return without_failures(self.result, ask, (yield ask), drop=False)

    def _broadcast(self, task, message, clients=None, expects=None):
        everyone = self.result.clients
        clients = everyone if clients is None else clients
        least = needed(self.plan, len(everyone))
        if least is not None:  # as many may fail among some as among all
            least = max(least - (len(everyone) - len(clients)), 0)
        return Broadcast(
            task, clients=clients, min_replies=least, expects=expects, **message
        )

    def _lose(self, network, groups, error):
        for group in groups:
            self.lost[group.name, network.name] = str(error)

    def _is_lost(self, network, groups):
        return any((group.name, network.name) in self.lost for group in groups)

    def _lost(self, group, reason=None):
        """Return a group's networks that could not be fitted (for a reason)."""
        return [
            network
            for network in group.plan.members
            if (group.name, network.name) in self.lost
            and reason in (None, self.lost[group.name, network.name])
        ]

    def _warn_of_lost(self):
        members = [name for group in self.groups for name in group.result.members]
        rest = "" if members else "; clients predict by the shared net"
        for reason in dict.fromkeys(self.lost.values()):
            lost = [n for group in self.groups for n in self._lost(group, reason)]
            names = list(dict.fromkeys(name for n in lost for name in n.heads))
            warnings.warn(
                f"the personalizer goes on without {names}, which could not be fitted: "
                f"{reason}{rest}",
                AlignmentWarning,
                stacklevel=2,
            )


def inner(group, network):
    """Return the recipe of a member's fit inside the main one."""
    plan = replace(
        group.plan,
        classes=group.result.classes or None,
        local_heads="local" if group.result.local_heads else "shared",
        personalizer=None,
        before=None,
    )
    if network.name:
        plan = replace(plan, **network.changes(plan.min_count))
    return plan


def _models(known):
    """Return the clients of some results, and a message with each one's model."""
    models = {
        name: {"coef": one.coef} if one.coef is not None else one.message()
        for name, one in known.items()
    }
    clients = tuple(c for one in known.values() for c in one.clients)
    if len(known) == 1:
        return clients, {"payload": next(iter(models.values()))}
    each = {c: models[name] for name, one in known.items() for c in one.clients}
    return tuple(sort_names(clients)), {"payload": {}, "each": each}
