"""A Dask worker as the server sees it: an actor that may be lost at any time."""

import time

from ._dask_worker import Clients

START = 60.0  # seconds for an actor to be made
LOOK = 1.0  # seconds between two looks whether a silent worker is still there


class WorkerLost(RuntimeError):
    """The actor's worker is gone, or cannot be reached."""


class Host:
    """The actor on one worker.

    Parameters
    ----------
    client : distributed.Client
        Reaches the worker.
    address : str
        The worker's.
    handle : callable
        The client side of the fit.

    Attributes
    ----------
    busy : hashable or None
        The client that did not answer in time, as long as it is at work.
    lost : bool
        Whether the worker was given up.
    """

    def __init__(self, client, address, handle):
        self.client, self.address = client, address
        self.future = client.submit(
            Clients, handle, workers=[address], actor=True, pure=False
        )
        self.actor, self.busy, self.lost = None, None, False

    def start(self, method, *arguments):
        """Call a method of the actor, and return the future of its result."""
        with self.client.as_current():
            try:
                if self.actor is None:
                    self.actor = self.future.result(timeout=START)
                return getattr(self.actor, method)(*arguments)
            except (OSError, RuntimeError) as error:
                raise WorkerLost(str(error)) from error

    def wait(self, result, until=None):
        """Return what a call returned.

        Parameters
        ----------
        result : distributed.ActorFuture
            Of the call.
        until : float, default=None
            Time of :func:`time.monotonic` at which to stop waiting.

        Raises
        ------
        TimeoutError
            If there is no answer then.
        WorkerLost
            If there will be none.
        """
        while True:
            left = LOOK if until is None else max(until - time.monotonic(), 0)
            try:
                return result.result(timeout=min(left, LOOK))
            except TimeoutError:
                if not self.alive():
                    raise WorkerLost(f"{self.address} is gone") from None
                if left < LOOK:
                    raise
            except (OSError, RuntimeError) as error:
                raise WorkerLost(f"{type(error).__name__}: {error}") from error

    def ask(self, method, *arguments, seconds=None):
        """Call a method and return its result."""
        until = None if seconds is None else time.monotonic() + seconds
        return self.wait(self.start(method, *arguments), until)

    @property
    def usable(self):
        """Whether clients can be sent here."""
        return not self.lost and self.busy is None

    def look(self):
        """Ask whether a client hangs there, of this fit or of an earlier one."""
        try:
            self.busy = self.ask("at_work", seconds=START)
        except WorkerLost:
            self.release()
        except TimeoutError:
            self.busy = "unknown"

    def alive(self):
        """Tell whether the actor still exists."""
        return self.future.status == "finished"

    def release(self):
        """Let the worker forget the actor, its clients and their states."""
        self.actor, self.lost = None, True
        self.future.release()
