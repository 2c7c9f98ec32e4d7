"""What a federated method decides: who trains, how, and what the server makes of it."""

import math

import numpy as np
from sklearn.base import BaseEstimator

from ..exceptions import ClientError
from ._messages import ServerRound, Train
from ._sampling import SAMPLERS


class Strategy(BaseEstimator):
    """Base class of federated strategies.

    There is one training loop in the package, and strategies are hooks in it. A method
    writes what it does otherwise than federated averaging, under the names of the
    public methods with an underscore:

    - on the client, ``_client_update``, a generator that asks for local epochs and
      returns the weights to send, ``_kept_at_home``, the parameters that never
      leave, and ``_personal_weights``, with which the client predicts;
    - on the server, ``_aggregate`` (must be written) and ``_server_message``, what goes
      out besides the weights.

    Nothing is kept on the object: what lasts from round to round is in the ``memory``
    of :class:`ClientRound`, which stays at the client, and of :class:`ServerRound`.
    Both hold arrays, numbers and dicts of arrays, so that they survive a restart.

    A method that trains even a single client differently from :class:`FedAvg` says why
    in the class attribute ``differs_alone``, a text; see
    :func:`skfed.testing.check_strategy`. ``tasks`` names the tasks it can do, and
    ``one_label`` says that it needs each row to have one label, not several.

    Examples
    --------
    A server that goes half the way to the clients' mean, and a client that is held to
    where it started:

    >>> import numpy as np
    >>> from skfed.strategies import FedAvg, Strategy, Train, Update
    >>> class HalfWay(FedAvg):
    ...     differs_alone = "the server's step is half the clients' mean step"
    ...     def _client_update(self, client):
    ...         trained = yield Train(client.weights, pull=0.1)
    ...         return trained.weights
    ...     def _aggregate(self, weights, updates, server):
    ...         mean = super()._aggregate(weights, updates, server)
    ...         return {name: (weights[name] + mean[name]) / 2 for name in weights}
    >>> updates = [Update(client, 10, {"bias": np.array([4.0])}) for client in "ab"]
    >>> HalfWay().aggregate({"bias": np.zeros(1)}, updates)
    {'bias': array([2.])}
    >>> isinstance(HalfWay(), Strategy)
    True
    """

    differs_alone: str = ""
    tasks: tuple = ("classification", "regression")
    one_label: bool = False

    _parameter_constraints: dict = {}

    def select(
        self, clients, fraction, rng, at_least=1, *, sampling="uniform", server=None
    ):
        """Return the clients of a round, in sorted order.

        Parameters
        ----------
        clients : sequence
            All clients, sorted by name.
        fraction : float
            Share of the clients that train, in (0, 1].
        rng : numpy.random.Generator
            The round's generator.
        at_least : int, default=1
            Clients that a round needs.
        sampling : {"uniform", "size", "round_robin"}, default="uniform"
            Without replacement: each client as likely, or by its rows, or all in turn.
        server : ServerRound, default=None
            The round; needed for the last two.

        Returns
        -------
        chosen : tuple
            Client names.
        """
        share = math.ceil(round(fraction * len(clients), 9))
        n = min(len(clients), max(share, at_least))
        if n == len(clients):
            return tuple(clients)
        server = ServerRound() if server is None else server
        return tuple(
            clients[i] for i in sorted(SAMPLERS[sampling](clients, n, rng, server))
        )

    def kept_at_home(self, net, n_inputs):
        """Return the names of the parameters and buffers that never leave a client.

        Parameters
        ----------
        net : skorch.NeuralNet
            The initialised net.
        n_inputs : int
            Its input columns.

        Returns
        -------
        names : frozenset of str
            None of them by default.
        """
        return frozenset(self._kept_at_home(net, n_inputs))

    def client_update(self, client):
        """Train at a client: a generator of requests, which returns weights.

        Parameters
        ----------
        client : ClientRound
            What the client knows. Its ``memory`` and ``extra`` may be written.

        Returns
        -------
        weights : dict
            ``{parameter name: array}`` of the whole net. What is kept at home is not
            sent, and is there again in the next round.

        Yields
        ------
        request : Train, Evaluate or Represent
            Answered by a :class:`Trained`, a float, or an array (n, h).
        """
        return self._client_update(client)

    def personal_weights(self, weights, shared, memory):
        """Return the weights with which a client predicts.

        Parameters
        ----------
        weights : dict
            ``{parameter name: array}`` of the whole net, as in :class:`ClientRound`.
        shared : dict
            What the server side sent last.
        memory : dict
            What the client keeps; empty where it never trained.

        Returns
        -------
        weights : dict
            By default as they are.
        """
        return self._personal_weights(weights, shared, memory)

    def server_message(self, weights, server):
        """Return what goes to the clients besides the weights.

        Parameters
        ----------
        weights : dict
            ``{parameter name: array}``, the server's.
        server : ServerRound
            What the server knows.

        Returns
        -------
        shared : dict
            Arrays, numbers, or dicts ``{parameter name: array}``. Nothing by default.
        """
        return self._server_message(weights, server)

    def aggregate(self, weights, updates, server=None):
        """Combine the clients' weights with the server's.

        Parameters
        ----------
        weights : dict
            ``{parameter name: array}`` before the round.
        updates : list of Update
            The clients' answers, sorted by client name.
        server : ServerRound, default=None
            What the server knows; its ``memory`` is written. None is a first round of
            the clients that sent updates.

        Returns
        -------
        weights : dict
            The same names, shapes and dtypes; what no client sent stays.

        Raises
        ------
        ClientError
            If a client's weights have another shape or are not finite.
        """
        problems = {} if isinstance(updates, Sound) else faults(weights, updates)
        if problems:
            raise ClientError(next(iter(problems.values())))
        if server is None:
            server = ServerRound({u.client: u.n_rows for u in updates})
        new = self._aggregate(weights, updates, server)
        sent = {name for update in updates for name in update.weights}
        return {
            name: np.asarray(new[name], dtype=old.dtype) if name in sent else old
            for name, old in weights.items()
        }

    def _kept_at_home(self, net, n_inputs):
        """Return the names of what never leaves a client (hook)."""
        return frozenset()

    def _client_update(self, client):
        """Ask for what a client does, and return the weights to send (hook)."""
        trained = yield Train(client.weights)
        return trained.weights

    def _personal_weights(self, weights, shared, memory):
        """Return the weights with which a client predicts (hook)."""
        return weights

    def _server_message(self, weights, server):
        """Return what goes to the clients besides the weights (hook)."""
        return {}

    def _aggregate(self, weights, updates, server):
        """Return the new weights, in float64 (hook)."""
        raise NotImplementedError


class Sound(list):
    """Updates that have been looked at, with nothing wrong."""


def faults(weights, updates):
    """Return ``{client: text}`` of the updates with which something is wrong."""
    if not updates:
        return {}
    suspects: set = set()  # looked at one by one
    for name, value in weights.items():
        values, shape = [update.weights.get(name) for update in updates], value.shape
        whole = _whole(values, shape)
        if whole is not None and np.isfinite(whole).all():
            continue
        if all(value is not None and value.shape == shape for value in values):
            fine = np.isfinite(np.stack(values)).reshape(len(values), -1).all(axis=1)
            suspects |= set(np.flatnonzero(~fine).tolist())
        else:
            suspects |= set(range(len(updates)))
    for i, update in enumerate(updates):
        if update.extra or len(update.weights) != len(weights):
            suspects.add(i)
    found = {updates[i].client: _faulty(weights, updates[i]) for i in sorted(suspects)}
    return {client: text for client, text in found.items() if text}


def _whole(values, shape):
    """Return the array whose rows, of this shape, some arrays are; else None."""
    base = getattr(values[0], "base", None) if values else None
    if getattr(base, "shape", None) != (len(values), *shape):
        return None
    rows = all(v is not None and v.base is base and v.shape == shape for v in values)
    return base if rows else None


def _faulty(weights, update):
    """Say what is wrong with an update, or return None."""
    for name, value in update.weights.items():
        if name not in weights or weights[name].shape != value.shape:
            wanted = weights[name].shape if name in weights else "no such parameter"
            return (
                f"client {update.client!r} sent {name!r} of shape {value.shape}; "
                f"expected {wanted}"
            )
        if not np.isfinite(value).all():
            return (
                f"client {update.client!r} sent weights that are not finite "
                f"({name!r}): its training diverged; lower the net's lr, or "
                "standardise columns and target (target_scaling='client')"
            )
    for name, value in update.extra.items():
        parts = value.values() if isinstance(value, dict) else [value]
        if not all(np.isfinite(part).all() for part in parts):
            return (
                f"client {update.client!r} sent {name!r} that is not finite; lower the "
                "net's lr"
            )
    return None
