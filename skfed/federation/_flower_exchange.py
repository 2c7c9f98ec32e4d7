"""One question to some sites, until all have answered or the time is over."""

import time

from ._flower_messages import ASK, parts_of, question, site_of
from ._protocol import Failure, timed_out

GONE = 5  # Flower's code of an error that says that the node is not there
TORN = 3, 4  # that a node went away while it sent its answer
GRACE = 60.0  # seconds in which a site that went away may be started again
LOOK = 1.0  # seconds between looks at who is connected
SLACK = 60.0  # seconds that clocks may differ by before a message is thrown away


class Exchange:
    """Questions and answers of one broadcast.

    A client that is connected is asked once. If its site is started again while it is
    waited for, it is asked again.

    Parameters
    ----------
    link : Link
        Knows where clients are.
    requests : dict
        ``{client: list of bytes}``.
    timeout : float
        Seconds to wait.
    """

    def __init__(self, link, requests, timeout):
        self.link, self.requests, self.timeout = link, requests, timeout
        self.answers: dict = {}
        self.sent: dict = {}  # {client: Place that got its question}
        self.asked: dict = {}  # {id of a message: client}
        self.gone: dict = {}  # {client: (until when it may come back, why it is gone)}

    def run(self):
        """Return ``{client: list of bytes, or Failure}``."""
        link, end = self.link, time.monotonic() + self.timeout
        link.look()
        for client in self.requests:
            if client in link.away:
                reason = f"has not been seen since: {link.away[client][1]}"
                self.answers[client] = Failure(reason)
        while self._waiting():
            self._ask()
            self._collect()
            left = end - time.monotonic()
            for client in self._waiting():
                if left <= 0:
                    self._fail(client, timed_out(self.timeout))
                elif self._has_left(client):
                    self._fail(client, Failure(self.gone[client][1]))
            if self._waiting():
                time.sleep(min(link.poll, left))
                link.look(LOOK)
        return {client: self.answers[client] for client in self.requests}

    def _waiting(self):
        return [client for client in self.requests if client not in self.answers]

    def _ask(self):
        """Send their requests to clients that have not got them where they are now."""
        places = self.link.places
        fresh = [
            client
            for client in self._waiting()
            if self.link.is_online(client) and self.sent.get(client) != places[client]
        ]
        if not fresh:
            return
        messages = [
            question(
                places[client].node_id,
                ASK,
                self.requests[client],
                self.timeout + SLACK,
            )
            for client in fresh
        ]
        ids = self.link.grid.push_messages(messages)
        for key, client in zip(ids, fresh, strict=True):
            self.sent[client] = places[client]
            self.gone.pop(client, None)
            if key:
                self.asked[key] = client

    def _collect(self):
        """Put the answers that have come in under their clients' names."""
        for key, message in self.link.pulled(self.asked):
            client = self.asked.pop(key)
            if client in self.answers:
                continue  # of an earlier place; the first answer counts
            if message.has_error():
                self._error(client, message.error)
            elif site_of(message) != client:
                reason = f"answered as a site named {site_of(message)!r}"
                self.answers[client] = Failure(reason)
            else:
                self.answers[client] = _parts(message)

    def _error(self, client, error):
        """Ask again, wait for, or give up a client of which Flower tells an error."""
        reason = f"{error.reason} (Flower's code {error.code})"
        if error.code in TORN:
            self.sent.pop(client, None)
        elif error.code == GONE:
            self.gone[client] = time.monotonic() + GRACE, reason
        else:
            self.answers[client] = Failure(reason)

    def _has_left(self, client):
        """Tell whether a client went away and had time to come back."""
        return client in self.gone and time.monotonic() > self.gone[client][0]

    def _fail(self, client, failure):
        self.answers[client] = failure
        self.link.lose(client, failure.reason)


def _parts(message):
    try:
        return parts_of(message)
    except (KeyError, TypeError, ValueError) as error:
        return Failure(f"the site sent no answer that can be read: {error}")
