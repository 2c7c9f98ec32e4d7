"""Stacked multilayer perceptrons: a batched product a layer, short batches padded."""

import copy
import operator

import torch
from torch import nn
from torch.fx import Node, symbolic_trace
from torch.nn import functional as F

from ..nets._prototype import is_binary

# they treat each element by itself, so that a stack goes through as it is
ELEMENTWISE = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU,
    nn.Mish, nn.Tanh, nn.Sigmoid, nn.LogSigmoid, nn.Softplus, nn.Softsign, nn.Hardtanh,
    nn.Hardswish, nn.Hardsigmoid, nn.Tanhshrink, nn.Softshrink, nn.Identity,
)  # fmt: skip
FUNCTIONS = {
    operator.add, operator.sub, operator.mul, operator.neg, torch.add, torch.sub,
    torch.mul, torch.relu, torch.tanh, torch.sigmoid, F.relu, F.relu6, F.leaky_relu,
    F.elu, F.gelu, F.silu, F.mish, F.softplus, F.tanh, F.sigmoid, F.logsigmoid,
}  # fmt: skip
METHODS = {"relu", "tanh", "sigmoid", "add", "sub", "mul", "neg"}


class Fused:
    """Gradients of a stack of perceptrons, equal to the plain loop's up to rounding.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net; its module is made of linear layers, layer normalisation,
        elementwise functions and sums.
    names : list of str
        The parameters that are trained.

    Raises
    ------
    TypeError
        If the module does something else; the text says what.
    """

    pads = True

    def __init__(self, net, names):
        self.net, self.names = net, names
        self.criterion = copy.copy(net.criterion_)
        if getattr(self.criterion, "reduction", None) != "mean":
            raise TypeError("the criterion does not take the mean over rows")
        self.criterion.reduction = "none"
        self.squeezes = is_binary(net)
        self.steps = _steps(net.module_)

    def __call__(self, trained, fixed, Z, target, shares):
        """Return gradients and losses of one batch of each client.

        Parameters
        ----------
        trained : list of tensor (k, ...)
            The trained parameters.
        fixed : dict of tensor (k, ...)
            The others.
        Z, target : tensor (k, b, ...)
            The batches, short ones filled with any rows.
        shares : tensor (k, b)
            One over the batch's rows; 0 for what fills it.
        """
        leaves = [value.detach().requires_grad_() for value in trained]
        values = {**fixed, **dict(zip(self.names, leaves, strict=True))}
        with torch.enable_grad():
            losses = (self._rows(values, Z, target) * shares).sum(dim=1)
            gradients = torch.autograd.grad(losses.sum(), leaves)
        return list(gradients), losses.detach()

    def _rows(self, values, Z, target):
        """Return the loss of each row (k, b)."""
        known: dict = {}
        for node, step, arguments in self.steps:
            if step is None:
                known[node] = Z
                continue
            found = [known[a] if isinstance(a, Node) else a for a in arguments]
            known[node] = out = step(values, *found)
        k, b = out.shape[:2]
        flat = out.flatten(0, 1)
        if self.squeezes and flat.ndim == 2 and flat.shape[1] == 1:
            flat = flat[:, 0]
        net, criterion = self.net, self.net.criterion_
        try:
            net.criterion_ = self.criterion
            rows = net.get_loss(
                flat, target.flatten(0, 1), X=Z.flatten(0, 1), training=True
            )
        finally:
            net.criterion_ = criterion
        return rows.reshape(k, b, -1).mean(dim=2)


def _steps(module):
    """Return ``(node, function of weights and inputs, inputs)`` in order."""
    found: list = []
    try:
        graph = symbolic_trace(module).graph
    except Exception as error:  # whatever a module's forward does with a stand-in
        raise TypeError(f"the module cannot be traced: {error}") from error
    for node in graph.nodes:
        if node.op == "output":
            continue
        if node.op == "placeholder":
            if found:
                raise TypeError("the module takes more than one input")
            found.append((node, None, ()))
        elif node.op == "call_module":
            step = _layer(node.target, module.get_submodule(node.target))
            found.append((node, step, node.args))
        elif node.op == "call_function" and node.target in FUNCTIONS:
            found.append((node, _called(node.target, node.kwargs), node.args))
        elif node.op == "call_method" and node.target in METHODS:
            step = _called(operator.methodcaller, node.kwargs, node.target)
            found.append((node, step, node.args))
        else:
            raise TypeError(f"the module calls {node.target}")
    return found


def _called(function, keywords, method=None):
    if any(isinstance(value, Node) for value in keywords.values()):
        raise TypeError(f"the module gives {function} tensors by keyword")
    if method is not None:
        return lambda _, x, *rest: getattr(x, method)(*rest, **keywords)
    return lambda _, *inputs: function(*inputs, **keywords)


def _layer(name, layer):
    """Return a layer as a function of ``{name: stacked tensor}`` and its input."""
    if type(layer) is nn.Linear:
        return _linear(
            f"{name}.weight", f"{name}.bias" if layer.bias is not None else 0
        )
    if type(layer) is nn.LayerNorm and len(layer.normalized_shape) == 1:
        return _layer_norm(name, layer)
    if type(layer) in ELEMENTWISE or (type(layer) is nn.Dropout and not layer.p):
        return lambda _, x: layer(x)
    raise TypeError(f"the module has a layer {type(layer).__name__}")


def _linear(weight, bias):
    def linear(values, x):
        w = values[weight].transpose(1, 2)
        return torch.baddbmm(values[bias][:, None], x, w) if bias else torch.bmm(x, w)

    return linear


def _layer_norm(name, layer):
    def layer_norm(values, x):
        x = F.layer_norm(x, layer.normalized_shape, eps=layer.eps)
        if layer.weight is not None:
            x = x * values[f"{name}.weight"][:, None]
        return x if layer.bias is None else x + values[f"{name}.bias"][:, None]

    return layer_norm
