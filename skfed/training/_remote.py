"""A fit at real sites: the same fit, between telling the recipe and keeping the end."""

from ..federation import Broadcast
from ._answers import needed, without_failures
from ._keep import end
from ._recipe import encode_plan
from ._server import federate_groups


def federate_sites(groups, monitor=None, narrow=False):
    """Fit groups of clients that do not share the server's memory, as a generator.

    Parameters
    ----------
    groups : Groups
        Who predicts what.
    monitor : Monitor, default=None
        Told about rounds.
    narrow : bool, default=False
        Whether labels that a client never had shall get probability 0.

    Raises
    ------
    RecipeError
        If a parameter of the recipe cannot be sent.
    """
    clients = groups.result.clients
    told = groups.told(lambda group: {"recipe": encode_plan(group.plan)})
    least = needed(groups.plan, len(clients))
    ask = Broadcast("prepare", clients=clients, min_replies=least, **told)
    groups.keep(without_failures(groups.result, ask, (yield ask), drop=True))
    yield from federate_groups(groups, monitor)
    yield from end(groups, narrow)
