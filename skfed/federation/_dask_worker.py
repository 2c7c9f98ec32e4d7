"""What runs at a Dask worker: some clients, their tables and their states."""

import asyncio
import threading
import warnings
from dataclasses import replace

from threadpoolctl import threadpool_limits

from ._in_process import portable, run_clients
from ._protocol import Failure, failure, timed_out
from ._sessions import loaded

TURN = threading.Lock()  # of the fits that have clients in this process
GIVEN_UP: list = []  # calls that were not waited for


class Clients:
    """An actor that holds clients and does their tasks, one after the other.

    The work is done in a thread, so that the worker can answer while a client hangs.
    No second one is started then: clients of a process share torch's generator, and
    have to take turns, those of other fits too.

    Parameters
    ----------
    handle : callable
        The client side of the fit.
    """

    def __init__(self, handle):
        self.handle = handle
        self.sites: dict = {}
        self.states: dict = {}

    async def add(self, sites, states):
        """Take clients in; those without a state begin with an empty one."""
        self.sites |= sites
        self.states |= {client: states.get(client, {}) for client in sites}

    async def fetch(self, clients):
        """Return the states of clients, as they were before a task that hangs."""
        return {client: self.states[client] for client in clients}

    async def results(self, clients):
        """Return what the server needs of the clients' states after the last task."""
        states = await self.fetch(clients)
        result = getattr(self.handle, "result", None)
        return states if result is None else {c: result(s) for c, s in states.items()}

    async def at_work(self):
        """Return a client that this process waits for in vain, or None."""
        GIVEN_UP[:] = [call for call in GIVEN_UP if not call.ended]
        return GIVEN_UP[0].client if GIVEN_UP else None

    async def run(self, asks, new, timeout):
        """Do broadcasts one after the other.

        Parameters
        ----------
        asks : list of Broadcast
            For clients that are here.
        new : tuple
            Clients that begin again, with an empty state.
        timeout : float or None
            Seconds until those are answered that have not been.

        Returns
        -------
        answers : list of dict
            ``{client: payload or Failure}`` for each broadcast.
        caught : list of Warning
            What the clients warned of.
        busy : hashable or None
            The client that is still at work.
        """
        self.states |= {client: {} for client in new}
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        call = Call(self, asks)
        call.start(lambda: loop.call_soon_threadsafe(done.set))
        try:
            await asyncio.wait_for(done.wait(), timeout)
        except TimeoutError:
            pass
        return *call.close(timeout), await self.at_work()

    def answer(self, ask, client):
        """Return a client's answer, and its state afterwards."""
        try:
            self.sites[client] = loaded(self.sites[client])
        except Exception as error:
            return failure(error), self.states[client]
        # a copy: a task that is given up must not change what is kept
        states = {client: dict(self.states[client])}
        work = run_clients(self.handle, ask, (client,), states, self.sites, False)
        ((_, answer),) = work
        return answer, states[client]


class Call:
    """Broadcasts at work in a thread, which may be given up while a client hangs."""

    def __init__(self, clients, asks):
        self.clients, self.asks = clients, asks
        self.answers: list = [{} for _ in asks]
        self.caught: list = []
        self.client = None
        self.closed = self.ended = False
        self.lock = threading.Lock()

    def start(self, done):
        """Begin; ``done`` is called at the end."""

        def work():
            try:
                self._work()
            finally:
                self.ended = True
                done()

        threading.Thread(target=work, daemon=True).start()

    def _work(self):
        with (
            TURN,
            threadpool_limits(1),  # the condition for the same bits everywhere
            warnings.catch_warnings(record=True) as self.caught,
        ):
            warnings.simplefilter("always")
            for ask, answers in zip(self.asks, self.answers, strict=True):
                for client in ask.clients:
                    self.client = client
                    answer, state = self.clients.answer(ask, client)
                    with self.lock:
                        if self.closed:
                            return
                        answers[client] = portable(answer)
                        self.clients.states[client] = state

    def close(self, timeout):
        """Return all answers, those that are missing as failures, and the warnings."""
        with self.lock:
            self.closed = True
            if not self.ended:
                GIVEN_UP.append(self)
            found = [
                {
                    c: answers[c] if c in answers else self._missing(c, timeout)
                    for c in ask.clients
                }
                for ask, answers in zip(self.asks, self.answers, strict=True)
            ]
            return found, [warning.message for warning in self.caught]

    def _missing(self, client, timeout):
        if timeout is None or self.ended:
            return Failure("its worker gave up the task")
        late = timed_out(timeout)
        if self.client in (client, None):
            return late
        return replace(late, reason=f"{late.reason}: waits for client {self.client!r}")
