"""Run a federated step over several clients, as a federation would."""

import pickle

import numpy as np
from sklearn.base import clone

SCALARS = (bool, int, float, str, bytes)


def assert_flat(message):
    """Messages hold arrays without objects, scalars, or lists of one scalar type."""
    for key, value in message.items():
        assert isinstance(key, str)
        if isinstance(value, np.ndarray):
            assert value.dtype.kind != "O", key
        elif isinstance(value, list):
            assert {type(item) for item in value} <= set(SCALARS), key
            assert len({type(item) for item in value}) <= 1, key
        else:
            assert type(value) in SCALARS, key


def run(step, tables, targets=None):
    """Fit a step over {client: table} in its three acts; return {client: step}."""
    tables = dict(sorted(tables.items()))
    targets = targets or dict.fromkeys(tables)
    steps = {client: clone(step) for client in tables}
    shared = None
    for _ in range(clone(step).n_exchanges):
        sent = {}
        for client, X in tables.items():
            sent[client] = steps[client].client_statistics(X, targets[client], shared)
            assert_flat(sent[client])
            steps[client] = pickle.loads(pickle.dumps(steps[client]))
        shared = clone(step).merge(sent, shared)
        assert_flat(shared)
    return {c: steps[c].fit_shared(X, targets[c], shared) for c, X in tables.items()}
