"""What a perceptron is made of, forwards and backwards, for stacked weights."""

import inspect

import torch
from torch import nn
from torch.nn import functional as F


class Gathered(dict):
    """Gradients, kept for an optimizer."""

    def take(self, name, gradient):
        """Take the gradient of some weights."""
        self[name] = gradient

    def product(self, name, a, b):
        """Take a gradient that is the product ``a b``."""
        self[name] = torch.bmm(a, b)


class Descent:
    """Steps of plain gradient descent, made as soon as a gradient is known.

    The product that would be the gradient is added to the weights directly.

    Parameters
    ----------
    values : dict
        ``{name: tensor (k, ...)}``, changed.
    lr, weight_decay : float
        Of all clients.
    """

    def __init__(self, values, lr, weight_decay):
        self.values, self.lr, self.kept = values, lr, 1 - lr * weight_decay

    def take(self, name, gradient):
        """Make a step of some weights."""
        value = self.values[name]
        if self.kept != 1:
            value.mul_(self.kept)
        value.add_(gradient, alpha=-self.lr)

    def product(self, name, a, b):
        """Make a step whose gradient is the product ``a b``."""
        self.values[name].baddbmm_(a, b, beta=self.kept, alpha=-self.lr)


class Linear:
    """``x W' + b`` of each client: one batched product.

    Parameters
    ----------
    weight : str
        Name of the weights.
    bias : str or None
        Name of the bias.
    """

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.names = [weight] if bias is None else [weight, bias]

    def forward(self, values, x):
        """Return outputs (k, b, o) for inputs (k, b, i), and what to remember."""
        w = values[self.weight].transpose(1, 2)
        if self.bias is None:
            return torch.bmm(x, w), x
        return torch.baddbmm(values[self.bias].unsqueeze(1), x, w), x

    def backward(self, values, x, g, trained, gradients, wanted):
        """Hand on the gradients of trained weights; return that of the input."""
        back = torch.bmm(g, values[self.weight]) if wanted[0] else None
        if self.weight in trained:
            gradients.product(self.weight, g.transpose(1, 2), x)
        if self.bias in trained:
            gradients.take(self.bias, g.sum(dim=1))
        return [back]


class ReLU:
    """``max(x, 0)``.

    Attributes
    ----------
    in_place : bool
        Whether nothing else needs the input.
    """

    names: tuple = ()
    in_place = False

    def forward(self, values, x):
        """Return outputs and what to remember."""
        y = torch.relu_(x) if self.in_place else torch.relu(x)
        return y, y

    def backward(self, values, y, g, trained, gradients, wanted):
        """Return the gradient of the input."""
        return [torch.ops.aten.threshold_backward(g, y, 0)]


class Sum:
    """``a + b``, of two inputs of the same shape."""

    names: tuple = ()

    def forward(self, values, a, b):
        """Return outputs and what to remember."""
        if a.shape != b.shape:
            raise TypeError("the module adds outputs of different shapes")
        return a + b, None

    def backward(self, values, saved, g, trained, gradients, wanted):
        """Return the gradients of both inputs."""
        return [g, g]


class Same:
    """The input itself."""

    names: tuple = ()

    def forward(self, values, x):
        """Return outputs and what to remember."""
        return x, None

    def backward(self, values, saved, g, trained, gradients, wanted):
        """Return the gradient of the input."""
        return [g]


class Differentiated:
    """Any function of inputs and weights, whose gradient torch finds.

    Parameters
    ----------
    function : callable
        ``function(values, *inputs)``; inputs may be numbers.
    names : sequence of str, default=()
        The weights that it reads.
    """

    def __init__(self, function, names=()):
        self.function, self.names = function, names

    def forward(self, values, *given):
        """Return outputs and what to remember."""
        inputs = [
            x.detach().requires_grad_() if torch.is_tensor(x) else x for x in given
        ]
        own = {name: values[name].detach().requires_grad_() for name in self.names}
        with torch.enable_grad():
            y = self.function(own, *inputs)
        return y.detach(), (y, inputs, own)

    def backward(self, values, saved, g, trained, gradients, wanted):
        """Hand on the gradients of trained weights; return those of the inputs."""
        y, inputs, own = saved
        leaves = [x for x in inputs if torch.is_tensor(x)] + list(own.values())
        found = list(torch.autograd.grad(y, leaves, g))
        back = [found.pop(0) if torch.is_tensor(x) else None for x in inputs]
        for name, value in zip(own, found, strict=True):
            if name in trained:
                gradients.take(name, value)
        return back


def layer_norm(name, layer):
    """Return layer normalisation over the last axis."""
    parts = [p for p in ("weight", "bias") if getattr(layer, p) is not None]
    names = {part: f"{name}.{part}" for part in parts}

    def function(values, x):
        x = F.layer_norm(x, layer.normalized_shape, eps=layer.eps)
        if "weight" in names:
            x = x * values[names["weight"]].unsqueeze(1)
        return x + values[names["bias"]].unsqueeze(1) if "bias" in names else x

    return Differentiated(function, list(names.values()))


# they treat each element by itself, so that a stack goes through as it is
ELEMENTWISE = (
    nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Tanh, nn.Sigmoid, nn.LogSigmoid, nn.Softplus, nn.Softsign, nn.Hardtanh,
    nn.Hardswish, nn.Hardsigmoid, nn.Tanhshrink, nn.Softshrink,
)  # fmt: skip


def layer_step(name, layer):
    """Return the step of a layer; raise TypeError for one that is not known."""
    if type(layer) is nn.Linear:
        return Linear(f"{name}.weight", None if layer.bias is None else f"{name}.bias")
    if type(layer) is nn.ReLU:
        return ReLU()
    if type(layer) is nn.Identity or (type(layer) is nn.Dropout and not layer.p):
        return Same()
    if type(layer) is nn.LayerNorm and len(layer.normalized_shape) == 1:
        return layer_norm(name, layer)
    if type(layer) in ELEMENTWISE:
        layer = type(layer)(**_settings(layer))  # never in place
        return Differentiated(lambda _, x: layer(x))
    raise TypeError(f"the module has a layer {type(layer).__name__}")


def _settings(layer):
    """Return the settings of a layer, but for working in place."""
    known = inspect.signature(type(layer).__init__).parameters
    return {n: getattr(layer, n) for n in known if hasattr(layer, n) and n != "inplace"}
