"""What is added to the gradients of a stack, client by client."""

import numpy as np
import torch

from ._stack_weights import stack


class Corrections:
    """Shifts and pulls of the clients' requests, as :mod:`._objective` adds them.

    Parameters
    ----------
    turns : list of Turn
        In the order of the stack.
    names : list of str
        The parameters that are trained.
    like : dict of tensor
        The net's own, for types.
    """

    def __init__(self, turns, names, like):
        requests = [turn.request for turn in turns]
        self.parts: list = [None] * len(names)
        pulls = [request.pull for request in requests]
        if not any(pulls) and all(r.shift is None for r in requests):
            return
        shapes = {name: tuple(like[name].shape) for name in names}
        ones = {n: np.ones(shape, np.float32) for n, shape in shapes.items()}
        zeros = {n: np.zeros(shape, np.float32) for n, shape in shapes.items()}
        free = [turn.parts.free(ones) for turn in turns]
        shifts = [
            {} if turn.request.shift is None else turn.parts.free(turn.request.shift)
            for turn in turns
        ]
        anchors = [r.weights if r.anchor is None else r.anchor for r in requests]
        factors = torch.tensor(pulls, dtype=torch.float64)
        for i, name in enumerate(names):
            to = like[name].detach()
            shift = mask = fixed = None
            if any(name in own for own in shifts):
                shift = stack([own.get(name, zeros[name]) for own in shifts], to)
            if any(pulls):
                given = [
                    own.get(name, zeros[name]) if name in anchor else zeros[name]
                    for own, anchor in zip(free, anchors, strict=True)
                ]
                factor = factors.to(to).reshape(-1, *[1] * to.ndim)
                mask = stack(given, to) * factor
                fixed = stack([a.get(name, zeros[name]) for a in anchors], to)
            self.parts[i] = shift, mask, fixed

    def __bool__(self):
        return any(part is not None for part in self.parts)

    def added(self, stacks, gradients):
        """Return the gradients of the first clients with what is added to them."""
        found = []
        for stacked, g, part in zip(stacks, gradients, self.parts, strict=True):
            if part is not None:
                shift, mask, fixed = part
                n = len(g)
                if shift is not None:
                    g = g + shift[:n]
                if mask is not None:
                    g = torch.addcmul(g, mask[:n], stacked[:n] - fixed[:n])
            found.append(g)
        return found


def clipped(gradients, limit, kind):
    """Return gradients with the norm of each client's bounded.

    Parameters
    ----------
    gradients : list of tensor (k, ...)
        By parameter.
    limit, kind : float
        Largest norm, and which norm, as for :func:`torch.nn.utils.clip_grad_norm_`.
    """
    norms = [torch.linalg.vector_norm(g.flatten(1), kind, dim=1) for g in gradients]
    total = torch.linalg.vector_norm(torch.stack(norms, dim=1), kind, dim=1)
    factor = (limit / (total + 1e-6)).clamp(max=1.0)
    return [g * factor.reshape(-1, *[1] * (g.ndim - 1)) for g in gradients]
