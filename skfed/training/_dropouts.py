"""Dropout in stacks: each client's masks from a generator of its own."""

import contextlib

import torch
from torch import nn


class Dropouts:
    """The dropout layers of a module, and what their calls look like.

    The plain loop seeds torch's generator for each client, and a layer draws from it
    when it is called. In a stack, the same draws are made beforehand and handed in.

    Parameters
    ----------
    module : torch.nn.Module
        The net's module, in training mode.
    x : tensor (b, q)
        Some rows, to find the order of the calls and the shapes.
    """

    def __init__(self, module, x):
        self.layers = [
            m for m in module.modules() if type(m) is nn.Dropout and m.p and m.training
        ]
        self.calls: list = []
        self._given: list = []
        if not self.layers:
            return
        handles = [layer.register_forward_hook(self._note) for layer in self.layers]
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                module(x)
        finally:
            for handle in handles:
                handle.remove()

    def _note(self, layer, inputs, output):
        (value,) = inputs
        self.calls.append((1 - layer.p, value.shape[1:], value.dtype))

    def masks(self, generators, size):
        """Return what the calls of a batch multiply with, for each client.

        Parameters
        ----------
        generators : list of torch.Generator
            The clients'.
        size : int
            Rows of a batch.
        """
        if not self.calls:
            return ()
        drawn = [
            [
                torch.empty((size, *shape), dtype=dtype)
                .bernoulli_(keep, generator=own)
                .div_(keep)
                for keep, shape, dtype in self.calls
            ]
            for own in generators
        ]
        return tuple(torch.stack(one) for one in zip(*drawn, strict=True))

    @contextlib.contextmanager
    def fed(self, masks):
        """Let the layers multiply with masks instead of drawing, while this lasts."""
        if not self.layers:
            yield
            return
        left = iter(masks)
        for layer in self.layers:
            layer.__dict__["forward"] = lambda x: x * next(left)
        try:
            yield
        finally:
            for layer in self.layers:
                del layer.__dict__["forward"]
