"""Weights as messages: state dicts to named arrays and back, private columns apart."""

import numpy as np
import torch

from ..nets._places import places

PREFIX = "w/"
EXTRA = "x/"


def get_weights(net):
    """Return a copy of a net's parameters and buffers as ``{name: array}``."""
    known = places(net.module_)
    tensors = {name: where[key] for name, (where, key) in known.items()}
    tensors = tensors or net.module_.state_dict()
    return {name: value.numpy(force=True).copy() for name, value in tensors.items()}


def set_weights(net, weights):
    """Load ``{name: array}`` into a net, in place."""
    known = places(net.module_)
    own = {name: where[key] for name, (where, key) in known.items()}
    plain = own.keys() == weights.keys() and all(
        own[name].shape == value.shape for name, value in weights.items()
    )
    if not plain:  # torch says what is wrong, or knows what a module keeps besides
        net.module_.load_state_dict(
            {name: torch.as_tensor(np.array(value)) for name, value in weights.items()}
        )
        return
    with torch.no_grad():
        for name, value in weights.items():
            own[name].copy_(torch.from_numpy(np.require(value, requirements="W")))


def pack(weights):
    """Return weights as entries of a payload."""
    return {PREFIX + name: value for name, value in weights.items()}


def unpack(payload):
    """Return the weights in a payload."""
    cut = len(PREFIX)
    return {k[cut:]: v for k, v in payload.items() if k.startswith(PREFIX)}


def pack_extra(values):
    """Return what a strategy sends besides the weights as entries of a payload."""
    entries: dict = {}
    for key, value in values.items():
        if isinstance(value, dict):
            parts = {n: np.asarray(part) for n, part in value.items()}
            entries |= {f"{EXTRA}{key}/{name}": part for name, part in parts.items()}
        else:
            entries[EXTRA + key] = (
                value.item() if isinstance(value, np.generic) else value
            )
    return entries


def unpack_extra(payload):
    """Return what :func:`pack_extra` packed."""
    found: dict = {}
    for entry, value in payload.items():
        if entry.startswith(EXTRA):
            key, nested, name = entry[len(EXTRA) :].partition("/")
            if nested:
                found.setdefault(key, {})[name] = value
            else:
                found[key] = value
    return found


def split_private(weights, inputs, private):
    """Cut the private input columns out of the matrices that read the input.

    Parameters
    ----------
    weights : dict of arrays
        Full weights; matrices named in ``inputs`` have shape (h, q).
    inputs : sequence of str
        Names of these matrices.
    private : bool array of shape (q,)
        The columns that stay at the client.

    Returns
    -------
    shared, own : dict of arrays
        What may leave, and the private columns (h, n_private) by name.
    """
    if not private.any():
        return weights, {}
    shared = dict(weights)
    own = {}
    for name in inputs:
        shared[name] = np.ascontiguousarray(weights[name][:, ~private])
        own[name] = np.ascontiguousarray(weights[name][:, private])
    return shared, own


def join_private(shared, own, inputs, private):
    """Undo :func:`split_private`; absent private columns are zero."""
    if not private.any():
        return shared
    full = dict(shared)
    for name in inputs:
        matrix = np.zeros((len(shared[name]), len(private)), dtype=shared[name].dtype)
        matrix[:, ~private] = shared[name]
        if name in own:
            matrix[:, private] = own[name]
        full[name] = matrix
    return full
