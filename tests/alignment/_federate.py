from sklearn.base import clone

from skfed.federation._payload import check_payload, decode_payload, encode_payload


def send(message, sender):
    """Pass a message over the wire: checked, to bytes and back."""
    check_payload(message, sender)
    return decode_payload(encode_payload(message))


def statistics_of(aligner, clients):
    """Return the first messages of all clients."""
    return {
        name: send(clone(aligner).client_statistics(X, y), name)
        for name, (X, y) in sorted(clients.items())
    }


def federate(aligner, clients):
    """Run the acts over ``{name: (X, y)}``; return ``{name: fitted aligner}``."""
    fitted = {name: clone(aligner) for name in sorted(clients)}
    server, shared = clone(aligner), None
    for _ in range(aligner.n_exchanges):
        statistics = {
            name: send(one.client_statistics(*clients[name], shared), name)
            for name, one in fitted.items()
        }
        shared = send(server.merge(statistics, shared), "server")
    for name, one in fitted.items():
        one.fit_shared(*clients[name], shared)
    return fitted
