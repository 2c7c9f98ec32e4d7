"""Clients by what they predict: a trunk for all, and for each quantity its own head.

A group's clients have one quantity to predict, and their messages name the parameters
as the group's own net does. At the server the groups' nets are one set of parameters:
the trunk, which all have, and every group's head under its own name. A federation
with a single quantity is a single group, whose names stay as they are.
"""

from ..data._tables import sort_names
from ..exceptions import ClientError
from ._result import Result


class Group:
    """The clients of one quantity, their recipe and what the server knows of them.

    Parameters
    ----------
    name : str
        The quantity.
    plan : Plan
        The recipe of a federation for it.
    result : Result
        What the server knows, in the words of the group's own net.
    """

    def __init__(self, name, plan, result):
        self.name, self.plan, self.result = name, plan, result
        self._members: tuple = (None, frozenset())
        self.heads: frozenset = frozenset()  # parameters that no other group has

    @property
    def members(self):
        """The group's clients, as a set."""
        clients = self.result.clients
        if self._members[0] is not clients:
            self._members = clients, frozenset(clients)
        return self._members[1]

    def server_name(self, name):
        """Return a parameter's name at the server."""
        return f"{name}@{self.name}" if name in self.heads else name

    def to_server(self, values):
        """Return ``{parameter: value}`` under the server's names."""
        if not self.heads:
            return values
        return {self.server_name(name): value for name, value in values.items()}

    def from_server(self, values):
        """Return what of ``{parameter: value}`` the group's net has, by its names."""
        if not self.heads:
            return values
        own = {self.server_name(name): name for name in self.names}
        return {own[key]: value for key, value in values.items() if key in own}

    @property
    def names(self):
        """The net's parameters and buffers."""
        return list(self.result.parts.start)


class Groups:
    """All groups of a fit, and what the server knows of the whole.

    Iterating gives the groups.

    Parameters
    ----------
    plans : dict
        ``{quantity: Plan}``, alike in all that the groups share.
    clients : dict
        ``{quantity: client names}``.

    Attributes
    ----------
    plan : Plan
        The first one, for what they share.
    result : Result
        Of the whole; with a single group the group's own.
    """

    def __init__(self, plans, clients):
        self.plan = next(iter(plans.values()))
        everyone = sort_names(c for own in clients.values() for c in own)
        self.result = Result(clients=tuple(everyone))
        self._groups = [
            Group(name, plan, Result(clients=tuple(sort_names(clients[name]))))
            for name, plan in plans.items()
        ]
        if len(plans) == 1:
            self._groups[0].result = self.result

    @classmethod
    def of_one(cls, plan, result):
        """Return a single group, of which something is known."""
        groups = cls({"": plan}, {"": result.clients})
        groups.result = groups._groups[0].result = result
        return groups

    def __iter__(self):
        return iter(self._groups)

    def __len__(self):
        return len(self._groups)

    def of(self, client):
        """Return the group of a client."""
        if len(self) == 1:
            return self._groups[0]
        return next(g for g in self if client in g.members)

    def split(self, values):
        """Return the groups that have some of ``{client: value}``, each with its own.

        Parameters
        ----------
        values : dict
            By client.
        """
        found = []
        for group in self:
            own = {c: v for c, v in values.items() if c in group.members}
            if own:
                found.append((group, own))
        return found

    def told(self, entries):
        """Return entries of a message that all get alike, and those of each client.

        Parameters
        ----------
        entries : callable
            ``entries(group)`` returns a group's entries.
        """
        if len(self) == 1:
            return {"payload": entries(self._groups[0]), "each": {}}
        each: dict = {}
        for group in self:
            each |= dict.fromkeys(group.result.clients, entries(group))
        return {"payload": {}, "each": each}

    def numbers(self):
        """Return a number for each client, from which its generators are made.

        They are those of a federation of its group alone, so that what a client gains
        by the others' company shows in a comparison, and chance does not.
        """
        return {
            client: {"client": k}
            for group in self
            for k, client in enumerate(group.result.clients)
        }

    def keep(self, clients):
        """Go on with some clients only; a group without any is gone."""
        self.result.clients = tuple(c for c in self.result.clients if c in clients)
        for group in self:
            own = group.result.clients
            group.result.clients = tuple(c for c in own if c in clients)
        self._groups = [g for g in self if g.result.clients]

    def share(self, *attributes):
        """Hand attributes of the whole to each group's result."""
        for group in self:
            for name in attributes:
                setattr(group.result, name, getattr(self.result, name))

    def join(self):
        """Make one set of parameters of the groups' nets.

        A trunk that an earlier fit has trained goes before a new one.
        """
        if len(self) > 1:
            self._part()
        weights: dict = {}
        for group in sorted(self, key=lambda group: group.plan.before is None):
            for name, value in group.to_server(group.result.weights).items():
                weights.setdefault(name, value)
        self.result.weights = weights
        self.hand_out()

    def hand_out(self):
        """Hand the server's weights and message to the groups, by their names."""
        weights, shared = self.result.weights, self.result.shared
        for group in self:
            if group.result is self.result:
                continue
            group.result.weights = group.from_server(weights)
            group.result.shared = {
                key: group.from_server(value) if isinstance(value, dict) else value
                for key, value in shared.items()
            }

    def _part(self):
        """Tell heads from trunk; the trunks must be alike."""
        first = next(iter(self))
        for group in self:
            parts = group.result.parts
            group.heads = frozenset(parts.head)
            trunk, wanted = _shapes(group), _shapes(first)
            if trunk != wanted:
                odd = sorted(
                    name
                    for name in {*trunk, *wanted}
                    if trunk.get(name) != wanted.get(name)
                )
                raise ClientError(
                    f"the nets of targets {first.name!r} and {group.name!r} have other "
                    f"parameters before the last layer: {odd[:3]}; give both the same "
                    "module and hidden layers"
                )


def _shapes(group):
    """Return the shapes of a group's trunk."""
    start = group.result.parts.start
    return {n: value.shape for n, value in start.items() if n not in group.heads}
