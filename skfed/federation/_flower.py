"""Sites that keep their data, reached over Flower."""

import sys

from sklearn.base import BaseEstimator

from ..exceptions import ClientError
from ._envelope import Request, decode_answer, encode_request
from ._flower_link import Link
from ._flower_messages import need_flower
from ._flower_run import OwnRun
from ._protocol import Failure


class FlowerFederation(BaseEstimator):
    """Fit over sites that keep their own data, reached over Flower.

    The sites own the tables: ``fit()`` is given none. Each site runs ``skfed-site run``
    with a configuration of its own, connects to a Flower SuperLink over TLS, and
    executes the skfed that is installed there, within its own policy; no code and no
    pickle is sent. The caller's process is the server of the fit. It starts a run at
    the SuperLink and serves it itself, by modules that Flower does not promise to keep:
    this needs flwr 1.41 and is experimental. The official ``flwr run`` works as well.

    Parameters
    ----------
    superlink : str, default="127.0.0.1:8000"
        Address of the SuperLink, which was started with ``--isolation process``.
    root_certificates : path, default=None
        The certificate of the authority that signed the SuperLink's; None speaks
        without TLS, which is for tests on one machine.
    clients : list of str, default=None
        Names of the sites that take part; None takes those that are connected.
    n_sites : int, default=1
        How many have to be connected when ``clients`` is None.
    patience : float, default=120.0
        Seconds to wait for the sites at the start of a fit.
    timeout : float, default=600.0
        Seconds to wait for the answers to one broadcast, unless the broadcast says
        otherwise. A site that gave no answer is not waited for again until it is seen.
    poll : float, default=0.2
        Seconds between looks for answers.
    grid : flwr.serverapp.Grid, default=None
        The grid of a run that Flower's own server process serves; no run is started
        then, and ``superlink`` is not used.

    Attributes
    ----------
    remote : bool
        True: the sites own the data.

    Raises
    ------
    ImportError
        At ``fit``, if flwr is not installed (``pip install 'skfed[flower]'``).
    ClientError
        At ``fit``, if sites are missing.
    ConnectionError
        If the SuperLink cannot be reached.

    See Also
    --------
    InProcessFederation : All clients in this process.

    Notes
    -----
    What leaves a site is what leaves a client anywhere: names, counts, statistics over
    at least ``min_count`` rows, and parameters of models.

    Examples
    --------
    >>> from skfed import FederatedClassifier
    >>> from skfed.federation import FlowerFederation
    >>> federation = FlowerFederation(
    ...     "flower.example.org:8000",
    ...     root_certificates="ca.crt",
    ...     clients=["north", "south"],
    ... )
    >>> model = FederatedClassifier(federation=federation)
    >>> model.fit()  # doctest: +SKIP
    """

    remote = True

    def __init__(
        self,
        superlink="127.0.0.1:8000",
        *,
        root_certificates=None,
        clients=None,
        n_sites=1,
        patience=120.0,
        timeout=600.0,
        poll=0.2,
        grid=None,
    ):
        self.superlink = superlink
        self.root_certificates = root_certificates
        self.clients = clients
        self.n_sites = n_sites
        self.patience = patience
        self.timeout = timeout
        self.poll = poll
        self.grid = grid

    def open(self, handle=None, sites=None):
        """Start a session of one fit.

        Parameters
        ----------
        handle : callable, default=None
            Not used: sites run their own.
        sites : dict, default=None
            Must be empty: sites own their data.

        Returns
        -------
        session : FlowerSession
            Answers broadcasts; to be closed.
        """
        if sites:
            raise ClientError(
                "the sites of a FlowerFederation own their data; call fit() without"
            )
        if self.n_sites < 1 or (self.clients is not None and not len(self.clients)):
            raise ClientError("a fit needs a site: n_sites=1 or more, or their names")
        need_flower()
        run = None
        if self.grid is None:
            run = _reached(OwnRun, self.superlink, self.root_certificates)
        grid = self.grid if run is None else run.grid
        session = FlowerSession(Link(grid, self.poll), self.timeout, run)
        try:
            session.meet(self.clients, self.n_sites, self.patience)
        except BaseException:
            session.close()
            raise
        return session


class FlowerSession:
    """The sites of one fit.

    Attributes
    ----------
    clients : tuple of str
        Their names, sorted.
    may_lose : bool
        True: a site that was started anew may have lost its state, and says so.
    """

    may_lose = True

    def __init__(self, link, timeout, run=None):
        self.link, self.timeout, self.run = link, timeout, run
        self.clients: tuple = ()

    def meet(self, clients, n_sites, patience):
        """Wait for the sites."""
        self.clients = _reached(self.link.meet, clients, n_sites, patience)

    def broadcast(self, ask):
        """Return ``{client: payload or Failure}`` for a :class:`Broadcast`."""
        return self.broadcast_all([ask])[0]

    def broadcast_all(self, asks):
        """Return the answers to several broadcasts, sent to each site as one message.

        Parameters
        ----------
        asks : list of Broadcast
            A site answers its own in their order.

        Returns
        -------
        answers : list of dict
            ``{client: payload or Failure}`` for each.
        """
        requests: dict = {}
        for ask in asks:
            for client in ask.clients:
                requests.setdefault(client, []).append(_request(ask, client))
        times = [self.timeout if a.timeout is None else a.timeout for a in asks]
        found = _reached(self.link.exchange, requests, max(times))
        parts = {client: iter(_answers(own)) for client, own in found.items()}
        return [
            {
                client: found[client]
                if isinstance(found[client], Failure)
                else next(parts[client], NOTHING)
                for client in ask.clients
            }
            for ask in asks
        ]

    def close(self):
        """End the run, if this process serves it; as failed, if an error ended it."""
        self.link.close()
        if self.run is not None:
            error = sys.exc_info()[1]
            self.run.close("" if error is None else repr(error))


NOTHING = Failure("answered fewer requests than it was sent")


def _request(ask, client):
    number = ask.number(client)
    return encode_request(Request(ask.task, ask.message(client), ask.fit, number))


def _answers(own):
    return () if isinstance(own, Failure) else map(decode_answer, own)


def _reached(call, *arguments):
    """Call what speaks with the SuperLink; say so if that is not there."""
    import httpx

    try:
        return call(*arguments)
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"the SuperLink cannot be reached: {error}. Once it can, a fit with "
            "checkpoint= goes on where it was"
        ) from error
