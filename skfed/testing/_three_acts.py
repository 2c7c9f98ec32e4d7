"""Run a federated step over several clients, its messages through the wire form."""

import pickle

import numpy as np
from sklearn.base import clone

from ..federation._payload import check_payload, decode_payload, encode_payload


def send(message, sender):
    """Return a message as it arrives: checked, turned into bytes and back."""
    check_payload(message, sender)
    return decode_payload(encode_payload(message))


def fit_together(step, clients, *, backwards=False, pickled=False, upward=None):
    """Fit a step over all clients, as a federation would.

    Parameters
    ----------
    step : FederatedTransformer
        Prototype; it is cloned for every client and for the server.
    clients : dict of (table, array or None)
        ``{client: (X, y)}``, sorted by client.
    backwards : bool, default=False
        Whether the server merges the clients in the opposite order.
    pickled : bool, default=False
        Whether clients' and server's steps are pickled between two acts.
    upward : list, default=None
        Every message that leaves a client is appended, as ``(client, message)``.

    Returns
    -------
    dict of FederatedTransformer
        ``{client: fitted step}``, in the order of ``clients``.
    """
    steps = {name: clone(step) for name in clients}
    server, shared = clone(step), None
    for _ in range(server.n_exchanges):
        sent = {}
        for name, (X, y) in clients.items():
            message = steps[name].client_statistics(X, y, shared)
            sent[name] = send(message, f"client {name!r}")
            if upward is not None:
                upward.append((name, sent[name]))
        if backwards:
            sent = dict(reversed(sent.items()))
        shared = send(server.merge(sent, shared), "the server")
        if pickled:
            steps, server = _through_pickle((steps, server), step)
    for name, (X, y) in clients.items():
        steps[name] = steps[name].fit_shared(X, y, shared)
    return steps


def _through_pickle(steps, step):
    try:
        data = pickle.dumps(steps)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(
            f"{step!r} cannot be pickled between two acts, as sites that keep it in "
            f"bytes need: {error}; define its class in a module, and store no lambda"
        ) from error
    return pickle.loads(data)


def size_of(value):
    """Return the extent of a message's entry, which must not follow the rows."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, list):
        return [size_of(item) for item in value]
    return ()
