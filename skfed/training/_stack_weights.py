"""Weights of many clients as one tensor a parameter, and back."""

import numpy as np
import torch


def stack(values, like):
    """Return arrays of the same parameter, one a client, as a tensor (k, ...).

    Parameters
    ----------
    values : list of array
        By client; the same object where all start from the server's.
    like : tensor
        The net's own, for type and device.
    """
    first = values[0]
    if all(value is first for value in values):
        one = torch.as_tensor(np.array(first)).to(like)
        return one.expand(len(values), *one.shape).clone()
    found = np.stack([np.asarray(value) for value in values])
    return torch.as_tensor(found).to(like)


def unstack(stacks, rank):
    """Return ``{name: array}`` for each client, in the clients' order.

    Parameters
    ----------
    stacks : dict
        ``{name: tensor (k, ...)}`` in the order of the stack.
    rank : array of shape (k,)
        The client at each place of the stack.
    """
    arrays = {n: value.detach().cpu().numpy() for n, value in stacks.items()}
    found: list = [None] * len(rank)
    for place, k in enumerate(rank):
        found[k] = {name: array[place, ...] for name, array in arrays.items()}
    return found
