"""One optimizer for a stack of weights, by which each client's are as with its own."""

from typing import Any

import torch
from torch import optim


class StackSGD:
    """Stochastic gradient descent with a learning rate for each client.

    It makes the steps of :class:`torch.optim.SGD`, whose rate is one for all, and does
    not load torch's compiler.

    Parameters
    ----------
    lr : tensor (k,)
        Learning rates, in the order of the stack.
    momentum, dampening, weight_decay, nesterov, maximize : float, bool
        As for :class:`torch.optim.SGD`.
    """

    def __init__(
        self,
        lr,
        momentum=0.0,
        dampening=0.0,
        weight_decay=0.0,
        nesterov=False,
        maximize=False,
    ):
        alike = bool((lr == lr[0]).all())
        self.lr = float(lr[0]) if alike else lr
        self.momentum, self.dampening = momentum, dampening
        self.weight_decay, self.nesterov, self.maximize = (
            weight_decay,
            nesterov,
            maximize,
        )
        self.buffers: dict = {}

    @property
    def descent(self):
        """Learning rate and weight decay, if a step needs no more; else None."""
        plain = isinstance(self.lr, float) and not self.momentum and not self.maximize
        return (self.lr, self.weight_decay) if plain else None

    def step(self, stacks, gradients):
        """Make a step with the first clients' weights, in place.

        Parameters
        ----------
        stacks : list of tensor (k, ...)
            Weights of all clients.
        gradients : list of tensor (a, ...)
            Of the first ``a``, which still train.
        """
        for i, (stack, g) in enumerate(zip(stacks, gradients, strict=True)):
            p = stack[: len(g)]
            if self.maximize:
                g = g.neg()
            if self.weight_decay:
                g = g.add(p, alpha=self.weight_decay)
            if self.momentum:
                if i in self.buffers:
                    b = self.buffers[i][: len(g)]
                    b.mul_(self.momentum).add_(g, alpha=1 - self.dampening)
                else:
                    b = self.buffers[i] = g.clone()
                g = g.add(b, alpha=self.momentum) if self.nesterov else b
            if isinstance(self.lr, float):
                p.add_(g, alpha=-self.lr)
            else:
                rate = self.lr[: len(g)].to(p).reshape(-1, *[1] * (p.ndim - 1))
                p.addcmul_(g, -rate)  # the same bits


class StackOptimizer:
    """Any of torch's elementwise optimizers on the clients that still train.

    Parameters
    ----------
    make : callable
        ``make(parameters)`` returns an optimizer.
    """

    def __init__(self, make):
        self.make = make
        self.descent = None
        self.live: list = []
        self.optimizer: Any = None

    def step(self, stacks, gradients):
        """Make a step with the first clients' weights, as :meth:`StackSGD.step`."""
        n = len(gradients[0])
        if not self.live or n < len(self.live[0]):
            self._cut(stacks, n)
        for p, g in zip(self.live, gradients, strict=True):
            p.grad = g
        self.optimizer.step()

    def _cut(self, stacks, n):
        """Go on with the first ``n`` clients; all have made equally many steps."""
        old, before = self.live, self.optimizer
        self.live = [torch.nn.Parameter(stack[:n]) for stack in stacks]
        self.optimizer = self.make(self.live)
        for p, q in zip(self.live, old, strict=False):
            self.optimizer.state[p] = {
                key: value[:n] if torch.is_tensor(value) and value.dim() else value
                for key, value in before.state[q].items()
            }


def optimizer_for(net, names, rates):
    """Return the optimizer of a stack, by the net's settings.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net.
    names : list of str
        The parameters that are trained.
    rates : tensor (k,)
        The clients' learning rates; alike unless :func:`takes_any_rates`.
    """
    if takes_any_rates(net):
        _, settings = net.get_params_for_optimizer("optimizer", [])
        return StackSGD(rates, **{k: settings[k] for k in _SGD if k in settings})

    def make(parameters):
        named = list(zip(names, parameters, strict=True))
        args, settings = net.get_params_for_optimizer("optimizer", named)
        if not hasattr(net, "optimizer__lr"):
            settings["lr"] = float(rates[0])
        return net.optimizer(*args, **settings)

    return StackOptimizer(make)


_SGD = ("momentum", "dampening", "weight_decay", "nesterov", "maximize")


def takes_any_rates(net):
    """Tell whether clients with other learning rates can share a stack."""
    if net.optimizer is not optim.SGD:
        return False
    own = {key for key in vars(net) if key.startswith("optimizer__")}
    return own <= {f"optimizer__{name}" for name in (*_SGD, "foreach")}
