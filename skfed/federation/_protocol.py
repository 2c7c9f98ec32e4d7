"""The protocol: what a server asks, what clients answer, and what carries it.

A federation has ``open(handle, sites)``, which returns a *session*, and a session has

``broadcast(ask) -> {client: payload or Failure}``
    Send :meth:`Broadcast.message` to each of ``ask.clients``, and wait for the answers,
    ``ask.timeout`` seconds at most; where that is None, as long as the federation
    says. Who has not answered then is :func:`timed_out`. A task that fails, or whose
    answer did not arrive, leaves the state of its client as it was, as far as the
    server knows.
``broadcast_all(asks) -> [{client: payload or Failure}]``, optional
    Of several broadcasts that wait for none of each other. A client that several of
    them ask does them in their order.
``states``, optional
    ``{client: state}``, only where the server may hold the clients' states.
``kept(asks)`` and ``replay(asks, answers, kept)``, optional
    Where states end with the process: what a journal keeps of them after some
    broadcasts, as nested plain values, and how clients come back to where they were
    then. ``replay`` returns what clients answer that do their tasks again, as
    ``broadcast_all`` does. A session without them has clients that remember by
    themselves, or says that they are lost.
``may_lose``, optional
    True where clients can lose their state and the session finds it out. The driver
    then keeps all that it sent.
``checked``, optional
    True where answers have passed ``check_payload`` already: the clients share the
    server's process. The driver checks those of all other sessions.
``close()``, optional
    Called when the fit has ended, also by an error.

**Envelope.** A session whose clients are elsewhere sends with each message, outside of
the payload, ``ask.fit``, which names the fit, and ``ask.number(client)``, the number of
messages of this fit that the client has answered to the server's knowledge, by anything
but a :class:`Failure`. A client keeps of each fit how many messages it has answered so,
n, and a digest and the answer of the last:

- number 0 begins: whatever it remembers of this fit is forgotten;
- number n is the next message;
- number n - 1 with the digest of the last message gets the same answer again, and
  nothing is done;
- any other number does not fit, nor does any but 0 of a fit that it does not know: it
  answers :func:`lost_state`.

The driver then sends again, from number 0 on, all messages that this client answered,
and asks once more. The same messages give the same state. A client that is lost again
in the same broadcast has failed.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import ClientError, TooFewClientsError
from ._payload import check_payload


@dataclass(frozen=True)
class Broadcast:
    """One request of the server to some clients.

    Parameters
    ----------
    task : str
        What the clients shall do.
    payload : dict
        The message to all of them.
    clients : tuple
        Names of the clients that are asked.
    each : dict, default={}
        Entries for single clients, ``{client: dict}``, merged over ``payload``.
    round : int, default=0
        Communication round, 0 before training.
    timeout : float, default=None
        Seconds to wait for the answers; None waits for all.
    min_replies : int, default=None
        Answers needed to go on; None needs all.
    expects : callable, default=None
        ``expects(client, answer)`` says what is wrong with an answer, or returns None.
        An answer with which something is wrong is a :class:`Failure`. Stays at the
        server.
    fit : str, default=""
        Name of the fit, set by the driver. Travels beside the payload.
    numbers : dict, default={}
        ``{client: number of its messages so far}``, set by the driver. Each client's
        own travels beside the payload.

    Examples
    --------
    >>> from skfed.federation import Broadcast
    >>> ask = Broadcast("count", {"round": 1}, ("a", "b"), each={"b": {"lr": 0.1}})
    >>> ask.message("b")
    {'round': 1, 'lr': 0.1}
    """

    task: str
    payload: dict
    clients: tuple
    each: Mapping[Any, dict] = field(default_factory=dict)
    round: int = 0
    timeout: float | None = None
    min_replies: int | None = None
    expects: Callable | None = None
    fit: str = ""
    numbers: Mapping[Any, int] = field(default_factory=dict)

    def message(self, client):
        """Return what one client receives.

        Parameters
        ----------
        client : hashable
            The client's name.

        Returns
        -------
        message : dict
            The common payload and the client's own entries; not to be changed.
        """
        own = self.each.get(client)
        return {**self.payload, **own} if own else self.payload

    def number(self, client):
        """Return how many messages of the fit a client has answered before this one.

        Parameters
        ----------
        client : hashable
            The client's name.

        Returns
        -------
        number : int
            0 for its first.
        """
        return self.numbers.get(client, 0)


@dataclass(frozen=True)
class Failure:
    """A client's answer when it could not do its task.

    Parameters
    ----------
    reason : str
        Type and text of the exception.
    trace : str, default=""
        The traceback at the client.
    error : Exception, default=None
        The exception itself where the client shares the server's process.
    lost : bool, default=False
        Whether the client lacks the state that the message needs: it is new, or
        remembers another number of messages. The driver brings it back.

    Examples
    --------
    >>> from skfed.federation import Failure
    >>> Failure("ValueError: no rows").reason
    'ValueError: no rows'
    """

    reason: str
    trace: str = ""
    error: Exception | None = None
    lost: bool = False


@dataclass(frozen=True)
class Site:
    """What a client owns; nothing of it leaves except through ``handle``.

    Parameters
    ----------
    name : hashable
        The client's name.
    table : table of shape (n_k, d_k)
        Its rows, or a :class:`~skfed.data.TablePath` from which to read them.
    target : array of shape (n_k,)
        Its target; None with a path, or without one.
    plan : object
        The recipe of the fit that all parties agreed on.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.federation import Broadcast, InProcessFederation, Site
    >>> sites = {"a": Site("a", np.ones((3, 2)), np.zeros(3), plan=None)}
    >>> def count(task, payload, state, site):
    ...     return {"n_rows": len(site.table)}
    >>> session = InProcessFederation().open(count, sites)
    >>> session.broadcast(Broadcast("count", {}, ("a",)))
    {'a': {'n_rows': 3}}
    """

    name: Any
    table: Any
    target: Any
    plan: Any


def call_client(handle, task, payload, state, site):
    """Run one task at a client and turn its exception into a :class:`Failure`."""
    try:
        answer = handle(task, payload, state, site)
        check_payload(answer, f"client {site.name!r}")
    except Exception as error:
        return failure(error)
    return answer


def failure(error):
    """Return an exception that is being handled as a client's answer."""
    return Failure(f"{type(error).__name__}: {error}", traceback.format_exc(), error)


def timed_out(seconds):
    """Return the :class:`Failure` of a client that has not answered in time."""
    return Failure(f"no answer within {seconds:g} s")


def lost_state(found, number):
    """Return the :class:`Failure` of a client that is not where the message needs it.

    Parameters
    ----------
    found : int or None
        Messages of the fit that it has answered; None if it does not know the fit.
    number : int
        The message's number.
    """
    knows = "nothing of this fit" if found is None else f"{found} messages of this fit"
    return Failure(f"knows {knows}, but was sent number {number}", lost=True)


def scope_of(ask):
    """Return which of several fits a broadcast belongs to; "" is the main one."""
    return ask.payload.get("scope", "")


def raise_failures(ask, failures):
    """Raise one error that names the clients which failed, and why."""
    errors = [failure.error for failure in failures.values()]
    alone = len(ask.clients) == 1 and errors[0] is not None
    if alone or isinstance(errors[0], Warning):
        raise errors[0]  # one table, or warnings made errors: as any estimator
    place = f"task {ask.task!r}" + (f" of round {ask.round}" if ask.round else "")
    groups: dict[str, list] = {}
    for client, failure in failures.items():
        groups.setdefault(failure.reason, []).append(client)
    text = "\n".join(
        f"{_some(who)} failed in {place}: {why}" for why, who in groups.items()
    )
    cause = next((error for error in errors if error is not None), None)
    if errors and all(isinstance(error, TypeError) for error in errors):
        raise TypeError(text) from cause
    if errors and all(isinstance(error, ValueError) for error in errors):
        raise ClientError(text) from cause
    traces = "\n".join(failures[who[0]].trace for who in groups.values())
    raise TooFewClientsError(
        f"{len(ask.clients) - len(failures)} of {len(ask.clients)} clients answered in "
        f"{place}, which is less than min_clients asks for.\n{text}\n{traces}"
    ) from cause


def _some(clients, limit=5):
    """Name a few clients and count the rest."""
    if len(clients) == 1:
        return f"client {clients[0]!r}"
    names = ", ".join(repr(client) for client in clients[:limit])
    more = len(clients) - limit
    return f"clients {names}" + (f" and {more} more" if more > 0 else "")
