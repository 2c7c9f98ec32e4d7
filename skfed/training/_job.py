"""One client's part of a round that is worked on beside others'."""

import time
from typing import Any

import torch

from ..exceptions import ClientError
from ..federation._payload import check_payload
from ..federation._protocol import failure
from ..strategies import Train
from ._client_round import answer, drive
from ._engine import FEWEST
from ._scopes import entered, leave, muted
from ._stack import train_stack
from ._turn import Turn, opened


class Job:
    """A client's turn, its state on the way, and what went wrong.

    Parameters
    ----------
    ask : Broadcast
        What the client is asked.
    client : hashable
        Its name.
    state, site : dict, Site
        Its own; the state is not changed.
    told : dict
        ``{id of a message: what Turn makes of it}``, filled.

    Attributes
    ----------
    turn : Turn
        What the client's strategy asks for.
    failure : Failure or None
        Why the client could not go on.
    engine : Engine
        How its net trains.
    rows : StackRows or None
        Where its rows are.
    """

    def __init__(self, ask, client, state, site, told):
        self.ask, self.client, self.state = ask, client, state
        self.message, self.failure = ask.message(client), None
        self.engine: Any = None
        self.cuts: tuple = ()
        self.rows: Any = None
        self.inner, self.site = entered(self.message, state, site)
        self._attempt(self._open, told)

    def _attempt(self, do, *given):
        """Work for the client; what it raises is its failure, not the others'."""
        try:
            if self.message.get("fold", -1) < 0:
                return do(*given)
            with muted(self.message):
                return do(*given)
        except Exception as error:
            self.failure = failure(error)
            return None

    def _open(self, told):
        if id(self.message) not in told:
            told[id(self.message)] = opened(self.message)
        known = told[id(self.message)]
        self.turn = Turn(self.message, self.inner, self.site, told=known)

    def waits(self):
        """Tell whether the client's strategy waits for an answer."""
        return self.failure is None and self.turn.request is not None

    def alike(self):
        """Return a key of requests that can be answered together, or None."""
        turn, request, engine = self.turn, self.turn.request, self.engine
        if engine.name == "loop" or not isinstance(request, Train):
            return None
        if request.penalty is not None or turn.epochs(request) < 1:
            return None
        try:
            self.cuts = tuple(turn.batch_sizes())
        except ClientError:  # which the loop raises in this client's name
            return None
        rate = None if engine.takes_any_rates else turn.lr * request.lr_scale
        return id(turn.net), turn.epochs(request), frozenset(request.frozen), rate

    def go_on(self, given, seconds):
        """Hand an answer to the strategy."""
        self.turn.seconds += seconds
        self._attempt(self.turn.go_on, given)

    def alone(self):
        """Answer by the plain loop: all requests, or where a stack can, this one."""
        started = time.perf_counter()
        if self.engine.name == "loop":
            self._attempt(drive, self.turn)
            self.turn.seconds += time.perf_counter() - started
            return
        given = self._attempt(self._answer)
        if self.failure is None:
            self.go_on(given, time.perf_counter() - started)

    def _answer(self):
        """Answer a request, with what the net draws from the turn's generator."""
        own = self.turn.generator()
        torch.default_generator.set_state(own.get_state())
        given = answer(self.turn)
        own.set_state(torch.default_generator.get_state())
        return given

    def close(self, states):
        """Return the client's answer, and keep its state unless it failed."""
        reply = None if self.failure else self._attempt(self._reply)
        if self.failure is not None:
            return self.failure
        if self.message.get("scope"):
            leave(self.message, states[self.client], self.inner)
        else:
            states[self.client] = self.inner
        return reply

    def _reply(self):
        reply = self.turn.message()
        check_payload(reply, f"client {self.client!r}")
        return reply


def answer_alike(jobs, key):
    """Answer requests with the same key (see :meth:`Job.alike`)."""
    if key is None or len(jobs) < FEWEST:
        for job in jobs:
            job.alone()
        return
    started = time.perf_counter()
    first = jobs[0]
    places = [job.rows.place(job.message.get("scope", ""), job.client) for job in jobs]
    turns, cuts = [job.turn for job in jobs], tuple(job.cuts for job in jobs)
    before = [turn.drawn() for turn in turns]
    try:
        found = train_stack(turns, cuts, places, first.rows, first.engine)
    except Exception:  # the loop finds out whose fault it is
        for job, drawn in zip(jobs, before, strict=True):
            job.turn.draw_again(drawn)
            job.alone()
        return
    each = (time.perf_counter() - started) / len(jobs)
    for job, given in zip(jobs, found, strict=True):
        job.go_on(given, each)
