"""Local epochs of many clients at once: one batched computation over their weights."""

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, vmap


class Objective(nn.Module):
    """The loss of a batch as a function of all tensors of a net.

    It calls the net's own ``infer`` and ``get_loss``.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    """

    def __init__(self, net):
        super().__init__()
        self.module = net.module_
        if isinstance(net.criterion_, nn.Module):
            self.criterion = net.criterion_
        self.__dict__["net"] = net

    def forward(self, x, y):
        """Return the loss of rows (b, q) and targets."""
        net = self.__dict__["net"]
        return net.get_loss(net.infer(x), y, X=x, training=True)


class Stacked:
    """Gradients of a stack, one client's like those of the plain loop.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    names : list of str
        The parameters that are trained.
    dropouts : Dropouts
        The layers that draw.
    """

    pads = False

    def __init__(self, net, names, dropouts):
        self.objective, self.names, self.dropouts = Objective(net), names, dropouts
        self._together = vmap(grad_and_value(self._loss, has_aux=True))

    def _loss(self, trained, fixed, buffers, x, y, masks):
        own = {name: value.clone() for name, value in buffers.items()}
        values = dict(zip(self.names, trained, strict=True))
        tensors = {f"module.{n}": v for n, v in {**values, **fixed, **own}.items()}
        with self.dropouts.fed(masks):
            loss = functional_call(self.objective, tensors, (x, y))
        return loss, own

    def __call__(self, trained, fixed, buffers, x, y, masks):
        """Return gradients, losses and new buffers of a run.

        Parameters
        ----------
        trained : list of tensor (k, ...)
            The trained parameters.
        fixed, buffers : dict of tensor (k, ...)
            The others, and what normalisation layers keep.
        x, y : tensor (k, b, ...)
            Their batches.
        masks : tuple of tensor (k, b, ...)
            What the net's dropout layers multiply with, in the order of their calls.

        Returns
        -------
        gradients : list of tensor (k, ...)
        losses : tensor (k,)
        buffers : dict of tensor (k, ...)
        """
        if len(x) > 1:
            grads, (losses, own) = self._together(
                tuple(trained), fixed, buffers, x, y, masks
            )
            return list(grads), losses, own
        # alone: plain autograd is cheaper
        one = [value[0].detach().requires_grad_() for value in trained]
        fixed, buffers = (
            {name: value[0] for name, value in group.items()}
            for group in (fixed, buffers)
        )
        masks = tuple(mask[0] for mask in masks)
        with torch.enable_grad():
            loss, own = self._loss(one, fixed, buffers, x[0], y[0], masks)
        grads = [g[None] for g in torch.autograd.grad(loss, one)]
        return grads, loss.detach()[None], {n: v.detach()[None] for n, v in own.items()}
