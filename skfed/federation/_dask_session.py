"""A fit's clients on Dask workers: who is where, and what happens if one is gone."""

import time
import warnings
from dataclasses import replace

import numpy as np

from ..exceptions import ClientError
from ._dask_host import Host, WorkerLost
from ._protocol import Failure, lost_state, timed_out

GRACE = 5.0  # seconds for a worker to say that its clients did not answer in time
PATIENCE = 60.0  # seconds for a worker to appear where there is none


class DaskSession:
    """One fit's clients, each with a home on a worker.

    A client whose worker dies is lost: it moves to another worker, without its state,
    and says so. One that hangs stays where it is, and fails until it is done; the other
    clients of its worker move away with their states.

    Parameters
    ----------
    client : distributed.Client
        Reaches the workers.
    handle : callable
        The client side of the fit.
    sites : dict
        ``{client: Site}``.
    timeout : float or None
        Seconds for the answers to a broadcast that does not say it.
    more : callable, default=None
        Starts another worker.
    close : callable, default=None
        Gives back what was started for this fit.
    """

    may_lose = True

    def __init__(self, client, handle, sites, timeout, more=None, close=None):
        self.client, self.handle, self.sites = client, handle, sites
        self.timeout, self.more, self._close = timeout, more, close
        self.hosts: dict = {}  # {address: Host}
        self.homes: dict = {}  # {client: Host}
        self.counts: dict = {}  # messages that a client answered since it had no state
        self._states: dict | None = None
        self._place(list(sites), {})
        if len(self.homes) < len(sites):
            raise ClientError(
                "the Dask cluster has no worker that takes clients: there is none, or "
                "a client of an earlier fit hangs on each; start one, or a new cluster"
            )

    def broadcast(self, ask):
        """Return ``{client: payload or Failure}`` for a :class:`Broadcast`."""
        return self.broadcast_all([ask])[0]

    def broadcast_all(self, asks):
        """Return the answers to several broadcasts, by one message to each worker.

        Parameters
        ----------
        asks : list of Broadcast
            They wait for none of each other.

        Returns
        -------
        answers : list of dict
            ``{client: payload or Failure}`` for each.
        """
        self._states = None
        found: list = [{} for _ in asks]
        first = {c: ask for ask in reversed(asks) for c in ask.clients}
        for host in list(self.hosts.values()):
            if host.busy is not None and not host.lost:
                host.look()
                self._evacuate(host)
        self._place([c for c in first if c not in self.homes], {})
        parts: dict = {}
        for client, ask in first.items():
            problem = self._problem(client, ask)
            if problem is None:
                parts.setdefault(self.homes[client], []).append(client)
            else:
                _answer(asks, found, [client], problem)
        new = {c for c, ask in first.items() if ask.fit and ask.number(c) == 0}
        self._run(asks, found, parts, new)
        return [
            {client: answers[client] for client in ask.clients}
            for ask, answers in zip(asks, found, strict=True)
        ]

    def _problem(self, client, ask):
        """Say why a client cannot do its next task, or return None."""
        host = self.homes.get(client)
        if host is None:
            return Failure("there is no worker for it")
        if host.busy is not None:
            return Failure(
                f"its worker is at work for client {host.busy!r}, which hangs"
            )
        if not ask.fit or ask.number(client) in (0, self.counts[client]):
            return None
        return lost_state(self.counts[client] or None, ask.number(client))

    def _run(self, asks, found, parts, new):
        """Send the workers their clients' messages, and gather the answers.

        Clients in ``new`` begin: their first message of the fit is here.
        """
        given = [self.timeout if ask.timeout is None else ask.timeout for ask in asks]
        seconds = min((s for s in given if s is not None), default=None)
        until = None if seconds is None else time.monotonic() + seconds + GRACE
        calls = []
        for host, clients in parts.items():
            own = [_part(ask, clients) for ask in asks]
            begin = tuple(client for client in clients if client in new)
            self.counts |= dict.fromkeys(begin, 0)
            try:
                calls.append((host, clients, host.start("run", own, begin, seconds)))
            except WorkerLost as error:
                self._lose(host)
                _answer(asks, found, clients, _gone(error))
        for host, clients, result in calls:
            try:
                answers, caught, host.busy = host.wait(result, until)
            except WorkerLost as error:
                self._lose(host)
                _answer(asks, found, clients, _gone(error))
            except TimeoutError:  # not even to say that a client hangs
                self._lose(host)
                _answer(asks, found, clients, timed_out(seconds))
            else:
                for target, own in zip(found, answers, strict=True):
                    target.update(own)
                    for client, answer in own.items():
                        self.counts[client] += not isinstance(answer, Failure)
                for warning in caught:
                    warnings.warn(warning, stacklevel=4)
                self._evacuate(host)

    def _place(self, clients, states):
        """Give clients a home, and evenly so; without one they have no state either."""
        hosts = self._free_hosts() if clients else []
        if not hosts:
            return
        parts = np.array_split(np.arange(len(clients)), len(hosts))
        for host, part in zip(hosts, parts, strict=True):
            own = [clients[i] for i in part]
            sites = {client: self.sites[client] for client in own}
            kept = {client: states[client] for client in own if client in states}
            if not own:
                continue
            try:
                host.ask("add", sites, kept)
            except WorkerLost:
                self._lose(host)
                continue
            self.homes |= dict.fromkeys(own, host)
            self.counts |= {client: 0 for client in own if client not in kept}

    def _free_hosts(self):
        """Return the workers where no client hangs, those with few clients first."""
        until, free = time.monotonic() + PATIENCE, self._look_for_hosts()
        stuck = any(host.busy is not None for host in self.hosts.values())
        if not free and stuck:
            if self.more is None:
                return []
            self.more()
            self.more = None
        while not free and time.monotonic() < until:
            time.sleep(0.2)
            free = self._look_for_hosts()
        homes = list(self.homes.values())
        return sorted(free, key=homes.count)

    def _look_for_hosts(self):
        """Return the workers to which clients can be sent, new ones too."""
        alive = list(self.client.scheduler_info()["workers"])
        new = [address for address in alive if address not in self.hosts]
        hosts = {a: Host(self.client, a, self.handle) for a in new}
        for host in hosts.values():  # which start all at once
            host.look()
        self.hosts |= hosts
        return [h for a, h in self.hosts.items() if a in alive and h.usable]

    def _lose(self, host):
        """Forget a worker, and that its clients have a home."""
        host.release()
        self.homes = {c: h for c, h in self.homes.items() if h is not host}

    def _evacuate(self, host):
        """Move the clients that do not hang to other workers, with their states."""
        if host.busy is None:
            return
        others = [c for c, h in self.homes.items() if h is host and c != host.busy]
        if not others or not self._free_hosts():
            return
        try:
            states = host.ask("fetch", others, seconds=PATIENCE)
        except (WorkerLost, TimeoutError):
            self._lose(host)
        else:
            self._place(others, states)

    @property
    def states(self):
        """``{client: state}``, fetched from the workers.

        Only what ``handle.result(state)`` says, if there is that.
        """
        if self._states is None:
            parts: dict = {}
            for client, host in self.homes.items():
                parts.setdefault(host, []).append(client)
            found = States()
            for host, clients in parts.items():
                try:
                    found |= host.ask("results", clients, seconds=self.timeout)
                except (WorkerLost, TimeoutError):
                    self._lose(host)
            self._states = found
        return self._states

    def close(self):
        """Let the workers forget the clients; end what was started for this fit."""
        for host in self.hosts.values():
            host.release()
        if self._close is not None:
            self._close()


class States(dict):
    """Clients' states by name; a client without one was lost."""

    def __missing__(self, client):
        raise ClientError(
            f"client {client!r} was lost with its worker after its last task, and with "
            "it what it had learnt; fit again"
        )


def _part(ask, clients):
    """Return what a worker gets of a broadcast: its own clients' entries."""
    own = set(clients)
    clients = tuple(client for client in ask.clients if client in own)
    each = {client: ask.each[client] for client in clients if client in ask.each}
    return replace(ask, clients=clients, each=each, numbers={}, expects=None)


def _answer(asks, found, clients, answer):
    """Give the same answer for some clients to all broadcasts that ask them."""
    wanted = set(clients)
    for ask, answers in zip(asks, found, strict=True):
        answers.update((client, answer) for client in ask.clients if client in wanted)


def _gone(error):
    return Failure(f"its worker was lost: {error}", lost=True)
