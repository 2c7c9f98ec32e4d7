"""Local epochs of many clients at once: one batched computation over their weights."""

import torch
from torch.func import grad_and_value, vmap

from ..nets._places import places
from ._recording import Recorded


class Stacked:
    """Gradients of a stack, one client's like those of the plain loop.

    The net's own ``infer`` and ``get_loss`` are called, while its module holds the
    weights of all clients in place of its own. That happens a few times for a shape;
    from then on their operations are repeated (see :class:`Recorded`).

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
        self.net, self.names, self.dropouts = net, names, dropouts
        self._places = places(net.module_)
        self._simple = Recorded(vmap(grad_and_value(self._plain_loss)), net)
        self._general = Recorded(vmap(grad_and_value(self.loss, has_aux=True)), net)
        self._alone = Recorded(self._one, net)

    def _plain_loss(self, trained, x, y):
        return self.loss(trained, {}, {}, x, y, ())[0]

    def loss(self, trained, fixed, buffers, x, y, masks):
        """Return the loss of one client's batch, and its new buffers.

        Parameters
        ----------
        trained : sequence of tensor
            The trained parameters.
        fixed, buffers : dict of tensor
            The other parameters, and what normalisation layers keep.
        x, y : tensor (b, ...)
            The batch.
        masks : sequence of tensor (b, ...)
            What dropout layers multiply with.
        """
        own = {name: value.clone() for name, value in buffers.items()}
        values = [*zip(self.names, trained, strict=True), *fixed.items(), *own.items()]
        places = [self._places[name] for name, _ in values]
        before = [where[key] for where, key in places]
        try:
            for (where, key), (_, value) in zip(places, values, strict=True):
                where[key] = value
            with self.dropouts.fed(masks):
                out = self.net.infer(x)
                loss = self.net.get_loss(out, y, X=x, training=True)
            # a module may have put other tensors in the place of its buffers
            found = {name: self._places[name] for name in own}
            return loss, {name: where[key] for name, (where, key) in found.items()}
        finally:
            for (where, key), value in zip(places, before, strict=True):
                where[key] = value

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
        if len(x) > 1 and not (fixed or buffers or masks):
            grads, losses = self._simple(tuple(trained), x, y)
            return list(grads), losses, {}
        if len(x) > 1:
            grads, (losses, own) = self._general(
                tuple(trained), fixed, buffers, x, y, masks
            )
            return list(grads), losses, own
        return self._alone(trained, fixed, buffers, x, y, masks)

    def _one(self, trained, fixed, buffers, x, y, masks):
        """Return the same of a single client, by plain autograd: it is cheaper."""
        one = [value[0].detach().requires_grad_() for value in trained]
        fixed, buffers = (
            {name: value[0] for name, value in group.items()}
            for group in (fixed, buffers)
        )
        masks = tuple(mask[0] for mask in masks)
        with torch.enable_grad():
            loss, own = self.loss(one, fixed, buffers, x[0], y[0], masks)
        grads = [g[None] for g in torch.autograd.grad(loss, one)]
        return grads, loss.detach()[None], {n: v.detach()[None] for n, v in own.items()}
