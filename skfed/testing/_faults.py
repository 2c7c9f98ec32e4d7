"""A federation whose clients go wrong as they are told, for tests of whole fits."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator

from ..federation import Failure, InProcessFederation
from ..federation._protocol import lost_state, timed_out
from ..federation._tree import digest

KINDS = ("raise", "hang", "late", "lost", "nan", "shape", "missing", "names")


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a client.

    Parameters
    ----------
    client : hashable
        Whose fault it is.
    task : str
        In which task.
    kind : str
        "raise" fails without having done anything, "hang" does not answer in time,
        "late" neither, but has done the task by then; "lost" has forgotten everything.
        The others do the task and answer wrongly: "nan" in place of real numbers,
        "shape" with a row more in all arrays, "missing" without an entry, and "names"
        with another name for it.
    times : int, default=1
        How often, from the first such task on.
    entry : str, default=None
        The entry of which the last two tell; None is all.
    inner : bool, default=False
        Whether it goes wrong in the fits of a personalizer, and not in the main one.

    Examples
    --------
    >>> from skfed.testing import Fault
    >>> Fault("b", "train", "nan", times=2).kind
    'nan'
    """

    client: Hashable
    task: str
    kind: str
    times: int = 1
    entry: str | None = None
    inner: bool = False


class FaultyFederation(BaseEstimator):
    """Run clients in this process, some of which go wrong as they are told.

    Clients count the messages that they have answered, as real sites do, so that those
    that are late or have forgotten everything are found out and brought back.

    Parameters
    ----------
    faults : sequence of Fault, default=()
        What goes wrong.
    interrupt : int, default=None
        Number of broadcasts after which KeyboardInterrupt is raised, as by a user.

    See Also
    --------
    skfed.InProcessFederation : The same without faults.

    Examples
    --------
    >>> from skfed.testing import Fault, FaultyFederation
    >>> FaultyFederation([Fault("b", "train", "raise")]).interrupt is None
    True
    """

    def __init__(self, faults=(), interrupt=None):
        self.faults = faults
        self.interrupt = interrupt

    def open(self, handle, sites):
        """Start a session of one fit.

        Parameters
        ----------
        handle : callable
            ``handle(task, payload, state, site) -> payload``, run at the client.
        sites : dict
            ``{client name: Site}``.

        Returns
        -------
        session : object
            Answers broadcasts, rightly or wrongly.
        """
        unknown = {fault.kind for fault in self.faults} - set(KINDS)
        if unknown:
            raise ValueError(f"no such faults: {sorted(unknown)}; there are {KINDS}")
        inner = InProcessFederation().open(handle, sites)
        return _Session(inner, self.faults, self.interrupt)


class _Session:
    """Clients with an envelope around each message, and faults."""

    may_lose = True

    def __init__(self, inner, faults, interrupt):
        self.inner, self.sites, self.states = inner, inner.sites, inner.states
        self.kept = inner.kept
        self.left = {fault: fault.times for fault in faults}
        self.interrupt, self.n_broadcasts = interrupt, 0
        self.counts: dict = dict.fromkeys(inner.sites, 0)
        self.last: dict = {}  # of each client: digest of the last message, and answer

    def broadcast(self, ask):
        """Return right and wrong answers."""
        if self.n_broadcasts == self.interrupt:
            raise KeyboardInterrupt
        self.n_broadcasts += 1
        found, due = {}, {}
        for client in ask.clients:
            fault = due[client] = self._due(ask, client)
            if fault == "lost":
                self.counts[client] = self.last[client] = None
            early = self._unfit(ask, client)
            if early is None and fault in ("raise", "hang"):
                early = (
                    timed_out(20) if fault == "hang" else Failure("OSError: no disk")
                )
            if early is not None:
                found[client] = early
        able = tuple(c for c in ask.clients if c not in found)
        answers = self.inner.broadcast(replace(ask, clients=able)) if able else {}
        for client, answer in answers.items():
            if not isinstance(answer, Failure):
                self.counts[client] += 1
                answer = _wrong(answer, due[client])
                self.last[client] = digest(ask.message(client)), answer
            found[client] = timed_out(20) if due[client] == "late" else answer
        return {client: found[client] for client in ask.clients}

    def replay(self, asks, answers, kept):
        """Bring the clients to where they were."""
        for found in answers:
            for client, answer in found.items():
                self.counts[client] += not isinstance(answer, Failure)
        return self.inner.replay(asks, answers, kept)

    def _due(self, ask, client):
        """Return the kind of the fault that is due, and count it."""
        for fault, left in self.left.items():
            inner = bool(ask.payload.get("scope"))
            mine = (fault.client, fault.task, fault.inner) == (client, ask.task, inner)
            if mine and left:
                self.left[fault] -= 1
                return fault.kind if fault.entry is None else (fault.kind, fault.entry)
        return None

    def _unfit(self, ask, client):
        """Return what a client says to a message that it cannot answer now."""
        number, known = ask.number(client), self.counts[client]
        if number == 0:
            self.states[client], self.counts[client] = {}, 0
            return None
        if number == known:
            return None
        last = self.last.get(client)
        if known is not None and number == known - 1 and last is not None:
            if last[0] == digest(ask.message(client)):
                return last[1]
        return lost_state(known, number)


def _wrong(answer, fault):
    """Return an answer as a fault makes it."""
    kind, entry = fault if isinstance(fault, tuple) else (fault, None)
    wrong = {}
    for name, value in answer.items():
        if entry in (None, name):
            if kind == "missing":
                continue
            name = f"{name}?" if kind == "names" else name
            value = SPOILED[kind](value) if kind in SPOILED else value
        wrong[name] = value
    return wrong


def _not_finite(value):
    if isinstance(value, float):
        return float("nan")
    real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return np.full_like(value, np.nan) if real else value


def _longer(value):
    if not isinstance(value, np.ndarray):
        return value
    rows = np.atleast_1d(value)
    return np.concatenate([rows, np.zeros_like(rows, shape=(1, *rows.shape[1:]))])


SPOILED = {"nan": _not_finite, "shape": _longer}
