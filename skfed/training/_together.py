"""Rounds of many clients at once, where a federation runs them in one process."""

import warnings

import torch

from ..exceptions import EngineWarning
from ._client import handle
from ._engine import FEWEST, Engine
from ._job import Job, answer_alike
from ._local import quiet_torch
from ._own import own_entries, without_own
from ._rows import tensors, without_rows
from ._scopes import leave, stored
from ._stack_rows import StackRows

PROBE_ROWS = 6  # on which a stacked gradient is compared to a plain one


class Handler:
    """The client side of a fit: ``handle``, and rounds of many clients at once.

    Calling it does one task at one client, wherever that is. A federation whose clients
    share a process may give several broadcasts to :meth:`together` instead, and gets
    the same answers.

    Parameters
    ----------
    engine : {"auto", "stacked", "fused", "loop"}
        How clients are trained.

    Attributes
    ----------
    name, reason : str
        The engine that trained the main fit's clients, and why that one.
    """

    def __init__(self, engine="auto"):
        self.engine, self.name = engine, "loop"
        self.reason = "the federation trains its clients one by one"
        self._engines: dict = {}  # {id of a net: (net, Engine)}
        self._rows: dict = {}  # {id of a net: StackRows}

    def __call__(self, task, payload, state, site):
        """Do one task at one client."""
        return handle(task, payload, state, site)

    def __getstate__(self):
        return {**self.__dict__, "_engines": {}, "_rows": {}}

    def kept(self, ask, states):
        """Return what a journal keeps of clients' states after a task.

        Rounds are not trained again: what clients keep of their nets is written. All
        other tasks are done again, since fitted steps and rows are not written.

        Parameters
        ----------
        ask : Broadcast
            What they have done.
        states : dict
            Of all clients.

        Returns
        -------
        kept : dict or None
            Nested plain values; None if the task is to be done again.
        """
        if ask.task not in ("train", "evaluate"):
            return None
        asked = ask.clients if ask.task == "train" else ()
        own = [own_entries(stored(ask.payload, states[client])) for client in asked]
        return {"own": own, "engine": [self.name, self.reason]}

    def restore(self, ask, kept, states):
        """Put what :meth:`kept` returned back into the clients' states."""
        if ask.task == "train":
            if not ask.payload.get("scope"):
                self._note(ask, *kept["engine"])
            for client, own in zip(ask.clients, kept["own"], strict=True):
                inner = stored(ask.payload, states[client])
                inner = {**without_own(inner), **own}
                if ask.payload.get("scope"):
                    leave(ask.payload, states[client], inner)
                else:
                    states[client] = inner

    @staticmethod
    def result(state):
        """Return what of a client's state the server makes its Pipeline of."""
        return without_rows(state)

    def takes(self, ask):
        """Tell whether a broadcast is better done for all its clients at once."""
        if ask.task != "train":
            return False
        if self.engine == "loop" or len(ask.clients) < FEWEST:
            few = f"fewer than {FEWEST} clients train in a round"
            self._note(ask, "loop", "engine='loop'" if self.engine == "loop" else few)
            return False
        return True

    def together(self, asks, states, sites):
        """Let the clients of some broadcasts train.

        Parameters
        ----------
        asks : list of Broadcast
            Of different scopes; :meth:`takes` each.
        states, sites : dict
            Of all clients. States of clients that do not fail are replaced.

        Returns
        -------
        answers : list of dict
            ``{client: payload or Failure}`` for each broadcast.
        """
        with quiet_torch():
            nets = self._nets(asks, states, sites)
            told: dict = {}
            jobs = [
                Job(ask, client, states[client], sites[client], told)
                for ask in asks
                for client in ask.clients
            ]
            todo = [job for job in jobs if job.failure is None]
            for job in todo:
                job.engine, job.rows = nets[id(job.turn.net)]
            while todo:
                groups: dict = {}
                for job in todo:
                    groups.setdefault(job.alike(), []).append(job)
                for key, members in groups.items():
                    answer_alike(members, key)
                todo = [job for job in todo if job.waits()]
            found: dict = {id(ask): {} for ask in asks}
            for job in jobs:
                found[id(job.ask)][job.client] = job.close(states)
            return [found[id(ask)] for ask in asks]

    def _nets(self, asks, states, sites):
        """Return ``{id of a net: (its engine, the rows of its clients)}``."""
        found: dict = {}
        for ask in asks:
            for client in ask.clients:
                key = ask.payload.get("scope", ""), client
                state, plan = _stored(ask.payload, client, states, sites)
                net = _net(ask.message(client), state, plan)
                engine = self._engine(net, state, plan)
                if id(net) not in found:
                    self._note(ask, engine.name, engine.reason)
                    found[id(net)] = engine, self._rows.get(id(net))
                rows = found[id(net)][1]
                if engine.name != "loop" and not (rows and rows.holds(key, state)):
                    rows = self._stack(net, state, plan, asks, states, sites)
                    self._rows = {**self._kept(found), id(net): rows}
                    found[id(net)] = engine, rows
        return found

    def _kept(self, found):
        """Return the stacks of nets that train now; others are not asked again."""
        return {key: rows for key, (_, rows) in found.items() if rows is not None}

    def _engine(self, net, state, plan):
        if id(net) not in self._engines:
            Z, target = tensors(net, state, plan.task)
            if not len(Z):
                return Engine("loop", net, False, Z, target)
            few, ragged = torch.arange(PROBE_ROWS) % len(Z), not plan.own_lr
            engine = Engine(self.engine, net, ragged, Z[few], target[few])
            self._engines[id(net)] = net, engine
        return self._engines[id(net)][1]

    @staticmethod
    def _stack(net, state, plan, asks, states, sites):
        """Put together the rows of all clients that share a client's net."""
        members, width = {}, state["z"].shape[1]
        for ask in asks:
            scope = ask.payload.get("scope", "")
            wide = {c: _stored(ask.payload, c, states, sites) for c in sites}
            for client, (kept, own) in wide.items():
                if own is plan and "z" in kept and kept["z"].shape[1] == width:
                    members[scope, client] = kept
        return StackRows(net, members, plan.task)

    def _note(self, ask, name, reason):
        """Remember what trains the main fit; say if it is not what was asked for."""
        if ask.payload.get("scope") or (self.name, self.reason) == (name, reason):
            return
        self.name, self.reason = name, reason
        if self.engine in ("stacked", "fused") and name != self.engine:
            warnings.warn(
                f"engine={self.engine!r} cannot be used, and engine {name!r} trains "
                f"instead: {reason}",
                EngineWarning,
                stacklevel=2,
            )


def _stored(payload, client, states, sites):
    """Return what a client keeps for the fit of a message, and that fit's recipe."""
    plan = sites[client].plan
    if payload.get("scope"):
        plan = plan.variant(payload["network"])
    return stored(payload, states[client]), plan


def _net(message, state, plan):
    """Return the net of a client's rows."""
    return plan.built_net(state["z"].shape[1], message["n_outputs"])
