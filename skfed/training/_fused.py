"""Stacked multilayer perceptrons: a batched product a layer, short batches padded."""

import copy
import operator

import torch
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn
from torch.fx import Node, symbolic_trace
from torch.nn import functional as F

from ..nets._losses import TargetwiseBCELoss, TargetwiseMSELoss
from ..nets._prototype import is_binary
from ._fused_steps import (
    Descent,
    Differentiated,
    Gathered,
    Linear,
    ReLU,
    Sum,
    layer_step,
)

FUNCTIONS = {
    operator.sub, operator.mul, operator.neg, torch.sub, torch.mul, torch.tanh,
    torch.sigmoid, F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.mish, F.softplus,
    F.tanh, F.sigmoid, F.logsigmoid,
}  # fmt: skip
METHODS = {"tanh", "sigmoid", "sub", "mul", "neg"}


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
        self.names, self.trained = names, frozenset(names)
        self.loss = _loss_of(net)
        self.steps = _steps(net.module_)
        first = self.steps[0][0]
        moves = {first: False}  # whether trained weights stand before
        for node, step, inputs in self.steps[1:]:
            moves[node] = bool(self.trained & set(step.names)) or any(
                moves[i] for i in inputs if isinstance(i, Node)
            )
        self.moves = moves

    def __call__(self, trained, fixed, Z, target, shares, descent=None):
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
        descent : tuple of float, default=None
            Learning rate and weight decay of a step of plain gradient descent, which is
            made with the weights in place; no gradients are returned then.
        """
        values = {**fixed, **dict(zip(self.names, trained, strict=True))}
        known, saved = {self.steps[0][0]: Z}, {}
        for node, step, inputs in self.steps[1:]:
            given = [known[i] if isinstance(i, Node) else i for i in inputs]
            known[node], saved[node] = step.forward(values, *given)
        g, losses = self.loss(known[node], target, shares)
        back = {node: g}
        gathered = Gathered()
        gradients = Descent(values, *descent) if descent else gathered
        for node, step, inputs in reversed(self.steps[1:]):
            g = back.pop(node, None)
            if g is None or not self.moves[node]:
                continue
            wanted = [isinstance(i, Node) and self.moves[i] for i in inputs]
            found = step.backward(
                values, saved[node], g, self.trained, gradients, wanted
            )
            for i, own, is_wanted in zip(inputs, found, wanted, strict=True):
                if is_wanted:
                    back[i] = back[i] + own if i in back else own
        if descent:
            return None, losses
        return [gathered[name] for name in self.names], losses


def _steps(module):
    """Return ``(node, step, inputs)`` in order; the first is the input itself."""
    found: list = []
    try:
        graph = symbolic_trace(module).graph
    except Exception as error:  # whatever a module's forward does with a stand-in
        raise TypeError(f"the module cannot be traced: {error}") from error
    for node in graph.nodes:
        if node.op == "output":
            if node.args[0] is not found[-1][0]:
                raise TypeError("the module's output is not what it computes last")
            continue
        if any(isinstance(value, Node) for value in node.kwargs.values()):
            raise TypeError(f"the module gives {node.target} tensors by keyword")
        if node.op == "placeholder":
            if found:
                raise TypeError("the module takes more than one input")
            step = None
        elif node.op == "call_module":
            step = layer_step(node.target, module.get_submodule(node.target))
        else:
            step = _called(node)
        found.append((node, step, node.args if found else ()))
    makers = {node: step for node, step, _ in found}
    for _, step, inputs in found:
        if isinstance(step, ReLU):  # a linear layer's output is needed by nobody else
            (x,) = inputs
            step.in_place = isinstance(makers[x], Linear) and len(x.users) == 1
    return found


def _called(node):
    """Return the step of a function or method that a module's forward calls."""
    target, keywords = node.target, node.kwargs
    tensors = all(isinstance(value, Node) for value in node.args)
    if node.op == "call_function":
        if target in (torch.relu, F.relu):
            return ReLU()
        if target in (operator.add, torch.add) and tensors and not keywords:
            return Sum()
        if target in FUNCTIONS:
            return Differentiated(lambda _, *inputs: target(*inputs, **keywords))
    if node.op == "call_method":
        if target == "relu":
            return ReLU()
        if target in METHODS:
            return Differentiated(
                lambda _, x, *rest: getattr(x, target)(*rest, **keywords)
            )
    raise TypeError(f"the module calls {node.target}")


# the mean over rows of what each of them adds
BY_ROW = (
    nn.CrossEntropyLoss, nn.NLLLoss, nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss,
    nn.HuberLoss, nn.BCELoss, nn.BCEWithLogitsLoss, TargetwiseBCELoss,
    TargetwiseMSELoss,
)  # fmt: skip
STOCK = (NeuralNet.get_loss, NeuralNetClassifier.get_loss)


def _loss_of(net):
    """Return what computes a loss's gradient by the outputs, and its clients' means."""
    criterion = net.criterion_
    name = type(criterion).__name__
    if type(criterion) not in BY_ROW or criterion.reduction != "mean":
        raise TypeError(f"the criterion {name} may not be a mean over rows")
    if getattr(criterion, "weight", None) is not None:
        raise TypeError(f"the criterion {name} weighs rows")
    if getattr(criterion, "ignore_index", -1) >= 0:
        raise TypeError(f"the criterion {name} ignores a label")
    if type(net).get_loss not in STOCK:
        raise TypeError("the net has a get_loss of its own")
    smooth = getattr(criterion, "label_smoothing", 0)
    if type(criterion) is nn.CrossEntropyLoss and not smooth:
        return _cross_entropy
    if type(criterion) in (nn.MSELoss, TargetwiseMSELoss):
        return _squares if type(criterion) is nn.MSELoss else _added_squares
    return _AnyLoss(net)


def _cross_entropy(out, target, shares):
    log_p = torch.log_softmax(out, dim=2)
    label = target.unsqueeze(2)
    losses = -(log_p.gather(2, label).squeeze(2) * shares).sum(dim=1)
    g = log_p.exp_()
    g.scatter_add_(2, label, torch.full_like(label, -1, dtype=g.dtype))
    return g.mul_(shares.unsqueeze(2)), losses


def _squares(out, target, shares):
    g, losses = _added_squares(out, target, shares)
    width = out.shape[2]
    return (g / width, losses / width) if width > 1 else (g, losses)


def _added_squares(out, target, shares):
    difference = out - target
    g = difference * (2 * shares).unsqueeze(2)
    return g, (g * difference).sum(dim=(1, 2)) / 2


class _AnyLoss:
    """A loss whose gradient torch finds, by the net's own ``get_loss``.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    """

    def __init__(self, net):
        self.net = net
        self.criterion = copy.copy(net.criterion_)
        self.criterion.reduction = "none"
        self.squeezes = is_binary(net)

    def __call__(self, out, target, shares):
        out = out.detach().requires_grad_()
        with torch.enable_grad():
            losses = (self._rows(out, target) * shares).sum(dim=1)
            (g,) = torch.autograd.grad(losses.sum(), out)
        return g, losses.detach()

    def _rows(self, out, target):
        """Return the loss of each row (k, b)."""
        k, b = out.shape[:2]
        flat = out.flatten(0, 1)
        if self.squeezes and flat.shape[1] == 1:
            flat = flat[:, 0]
        net, criterion = self.net, self.net.criterion_
        try:
            net.criterion_ = self.criterion
            rows = net.get_loss(flat, target.flatten(0, 1), training=True)
        finally:
            net.criterion_ = criterion
        return rows.reshape(k, b, -1).mean(dim=2)
