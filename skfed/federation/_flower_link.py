"""What carries bytes to named sites and back, over any grid of Flower."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from ..exceptions import ClientError, ClientFailureWarning
from ._flower_exchange import Exchange
from ._flower_messages import HELLO, question, site_of

PULLS = 16  # answers that are fetched at a time


@dataclass(frozen=True, order=True)
class Place:
    """Where a client is now; another one after its site was restarted."""

    node_id: int
    since: str = ""


class Link:
    """Named sites, of which each is asked by number.

    A site is known by its own name, and under no other than the one that its key was
    registered with, if that was named. A client that gives no answer in time is *away*:
    it is asked for its name only, without waiting, until it tells it or is restarted.

    Parameters
    ----------
    grid : Grid
        Flower's way to its nodes.
    poll : float
        Seconds between looks for answers.

    Attributes
    ----------
    places : dict
        ``{client: Place}`` of all that have told their name.
    away : dict
        ``{client: (its Place, why)}`` of those that gave no answer.
    refused : list of str
        Which sites are not who they say.
    """

    def __init__(self, grid, poll):
        self.grid, self.poll = grid, poll
        self.places: dict = {}
        self.away: dict = {}
        self.refused: list = []
        self._names: dict = {}  # {Place: name}
        self._asked: dict = {}  # {id of a "hello": Place}
        self._looked = 0.0
        self._online: set = set()
        self._pool = ThreadPoolExecutor(PULLS, thread_name_prefix="skfed-flower")
        self._pulls: dict = {}  # {id of a message: Future of its answer}

    def close(self):
        """Fetch nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def meet(self, clients, n_sites, patience):
        """Wait for the sites of a fit and return their names, sorted.

        Parameters
        ----------
        clients : sequence of str or None
            Who takes part; None takes all that are there.
        n_sites : int
            How many have to be there when ``clients`` is None.
        patience : float
            Seconds to wait for them.
        """
        end = time.monotonic() + patience
        while True:
            self.look()
            missing = self._missing(clients, n_sites)
            if not missing:
                return tuple(sorted(self.places if clients is None else clients))
            if time.monotonic() > end:
                known = sorted(self.places) or "none"
                text = (
                    f"{missing} not connected within {patience:g} s; connected are "
                    f"{known}: start the other sites, or look into their output"
                )
                raise ClientError("\n".join([text, *self.refused]))
            time.sleep(self.poll)

    def _missing(self, clients, n_sites):
        if clients is None:
            waiting = any(place in self._online for place in self._asked.values())
            few = n_sites - len(self.places)
            return f"{max(few, 1)} of {n_sites} sites are" if few > 0 or waiting else ""
        names = [name for name in clients if name not in self.places]
        return f"sites {names} are" if names else ""

    def exchange(self, requests, timeout):
        """Ask some clients and wait for the answers.

        Parameters
        ----------
        requests : dict
            ``{client: list of bytes}``.
        timeout : float
            Seconds to wait.

        Returns
        -------
        answers : dict
            ``{client: list of bytes, or Failure}``.
        """
        return Exchange(self, requests, timeout).run()

    def pulled(self, keys):
        """Return ``[(id of a message, answer)]`` of those that have come in.

        Each is fetched for itself, in a thread: fetching waits for minutes where a site
        was killed while it sent its answer.
        """
        for key in keys:
            if key not in self._pulls:
                self._pulls[key] = self._pool.submit(self._pull, key)
        wait([self._pulls[key] for key in keys], timeout=self.poll)
        done = [key for key in keys if self._pulls[key].done()]
        found = [(key, self._pulls.pop(key).result()) for key in done]
        return [(key, message) for key, message in found if message is not None]

    def _pull(self, key):
        return next(iter(self.grid.pull_messages([key])), None)

    def is_online(self, client):
        """Tell whether a client is connected and has told its name."""
        return self.places.get(client) in self._online

    def lose(self, client, reason):
        """Take down that a client gave no answer, and do not wait for it again."""
        self.away[client] = (self.places.get(client), reason)

    def look(self, every=0.0):
        """See who is connected, ask newcomers for their names, and hear who is back."""
        now = time.monotonic()
        if now - self._looked < every:
            return
        self._looked = now
        nodes = {
            Place(n.node_id, n.last_activated_at): n for n in self.grid.get_nodes()
        }
        self._online = set(nodes)
        self._hear({place.node_id: node.name for place, node in nodes.items()})
        known = set(self._names) - {place for place, _ in self.away.values()}
        unknown = sorted(set(nodes) - known - set(self._asked.values()))
        if unknown:
            ids = self.grid.push_messages([question(p.node_id, HELLO) for p in unknown])
            self._asked |= {i: p for i, p in zip(ids, unknown, strict=True) if i}

    def _hear(self, registered):
        """Take in the names that sites have told."""
        for key, message in self.pulled(self._asked):
            place = self._asked.pop(key)
            if message.has_error() or place not in self._online:
                continue
            name = site_of(message)
            text = self._stranger(name, place, registered)
            self._names[place] = "" if text else name
            if text:
                self.refused.append(text)
                warnings.warn(text, ClientFailureWarning, stacklevel=2)
            else:
                self.places[name] = place
                self.away.pop(name, None)

    def _stranger(self, name, place, registered):
        """Say why a site is not who it says, or return ""."""
        given = registered[place.node_id]
        if name is None:
            return f"a node named {given!r} is no site of skfed and is left out"
        if given and given != name:
            return (
                f"the site with the key registered for {given!r} calls itself {name!r} "
                "and is left out; correct the name in its configuration"
            )
        other = self.places.get(name)
        if given or other is None or other.node_id == place.node_id:
            return ""
        if other in self._online and registered[other.node_id]:
            return (
                f"a site calls itself {name!r}, which another key is registered for, "
                "and is left out"
            )
        return ""  # keys without names: the latest counts, for it may be a restart
