"""The parts of a net that strategies treat apart: output layer, normalisation."""

import contextlib

import torch
from sklearn.base import clone
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..exceptions import ClientError
from ._later import optimizer_later
from ._prototype import OUTPUT_NAMES, is_binary, net_dtype


def output_parameters(net, n_inputs):
    """Return the names of the parameters whose row j acts on output j alone.

    Found by a backward pass from each of the first two outputs, so that it holds for
    any module, whatever its layers are called. A skip connection belongs to them. A
    net with one output is looked at as it would be with two, if it can have two: no
    other output is there to tell its last layer from others with one row.
    """
    net = _with_two_outputs(net)
    module = net.module_
    module.eval()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        x = torch.randn(64, n_inputs, dtype=net_dtype(net)).to(net.device)
        out = net.infer(x)
        out = out.reshape(len(out), -1)
        k = out.shape[1]
        named = {
            name: p
            for name, p in module.named_parameters()
            if p.requires_grad and p.shape[:1] == (k,)
        }
        if not named:
            return frozenset()
        grads = [
            torch.autograd.grad(
                (out[:, j] * torch.randn_like(out[:, j])).sum(),
                list(named.values()),
                allow_unused=True,
                retain_graph=True,
            )
            for j in range(min(k, 2))
        ]
    found = set()
    for i, name in enumerate(named):
        own = [g[i] for g in grads]
        if any(g is None for g in own):
            continue
        elsewhere = [
            torch.cat([g[:j], g[j + 1 :]]).any().item() for j, g in enumerate(own)
        ]
        if own[0][0].any() and not any(elsewhere):
            found.add(name)
    return frozenset(found)


def _with_two_outputs(net):
    """Return a net with a second output; the net itself if it has several, or can't."""
    widths = [f"module__{name}" for name in OUTPUT_NAMES]
    single = {key: 2 for key in widths if vars(net).get(key) == 1}
    if not single or is_binary(net):
        return net
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        wide = clone(net).set_params(verbose=0, **single)
        with optimizer_later(wide):
            return wide.initialize()


def normalization_parameters(net):
    """Return the names of parameters and buffers of batch normalisation layers."""
    return frozenset(
        f"{prefix}.{name}" if prefix else name
        for prefix, layer in net.module_.named_modules()
        if isinstance(layer, _BatchNorm)
        for name in layer.state_dict()
    )


def all_parameters(net):
    """Return the names of all parameters and buffers."""
    return frozenset(net.module_.state_dict())


def output_layer(net, last):
    """Return the layer whose input is the representation of a row.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    last : set of str
        Parameters that act on the outputs alone and do not read the input.

    Raises
    ------
    ClientError
        If the net has no hidden layer before a linear output layer.
    """
    layers = [
        layer
        for prefix, layer in net.module_.named_modules()
        if isinstance(layer, nn.Linear) and f"{prefix}.weight" in last
    ]
    if not layers:
        raise ClientError(
            "the strategy needs a representation of rows, but the net has no hidden "
            "layer before a linear output layer; use a module such as "
            "SkipMLP(hidden=32)"
        )
    return layers[-1]


@contextlib.contextmanager
def representations(layer):
    """Give a list that holds the last input of a layer after each forward pass."""
    seen: list = []

    def keep(_, inputs):
        seen[:] = [inputs[0]]

    handle = layer.register_forward_pre_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()
