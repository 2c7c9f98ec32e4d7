"""All clients' aligned rows, one after the other, for batches across clients."""

import torch

from ._rows import tensors


class StackRows:
    """Rows and targets of all clients of a fit as two tensors.

    Made once: the clients' states hold views of them from then on.

    Parameters
    ----------
    net : skorch.NeuralNet
        Says how rows and targets are given to it.
    members : dict
        ``{(scope, client): state}``; their rows become views.
    task : str
        What the clients predict: how targets are given to the net.

    Attributes
    ----------
    Z : tensor of shape (n, q)
        Rows.
    target : tensor of shape (n,) or (n, m)
        Targets.
    offset : dict
        ``{(scope, client): place}`` where a client's rows begin.
    """

    def __init__(self, net, members, task):
        parts = {key: tensors(net, state, task) for key, state in members.items()}
        self.Z = torch.cat([Z for Z, _ in parts.values()])
        self.target = torch.cat([target for _, target in parts.values()])
        self.offset, self._seen, start = {}, {}, 0
        for key, (Z, _) in parts.items():
            state = members[key]
            self.offset[key] = start
            if self.Z.device.type == "cpu":
                state["z"] = self.Z[start : start + len(Z)].numpy()
            self._seen[key] = state["z"]
            start += len(Z)

    def place(self, scope, client):
        """Return where a client's rows begin."""
        return self.offset[scope, client]

    def holds(self, key, state):
        """Tell whether the rows of a client's state are here."""
        return self._seen.get(key) is state["z"]
