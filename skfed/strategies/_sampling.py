"""Which clients train in a round."""

import numpy as np


def _uniform(clients, n, rng, server):
    """Take each client with the same probability."""
    return rng.choice(len(clients), n, replace=False)


def _size(clients, n, rng, server):
    """Take clients with probabilities in proportion to their rows."""
    rows = np.array([server.sizes.get(client, 1) for client in clients], dtype=float)
    return rng.choice(len(clients), n, replace=False, p=rows / rows.sum())


def _round_robin(clients, n, rng, server):
    """Take the clients in turn, n a round."""
    return (np.arange(n) + (server.round - 1) * n) % len(clients)


SAMPLERS = {"uniform": _uniform, "size": _size, "round_robin": _round_robin}
