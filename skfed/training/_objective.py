"""What a strategy adds to a client's training: pull, shift, frozen parts, penalty."""

import contextlib

import numpy as np
import torch

from ..nets._parts import output_layer, representations


@contextlib.contextmanager
def objective(net, request, parts):
    """Train the net, while this lasts, by the request's objective.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net, its weights loaded.
    request : Train
        What the strategy asks for.
    parts : Parts
        What stays at home, and so follows its own gradient.

    Yields
    ------
    batch : list
        To hold the positions of the current batch's rows, for a penalty.
    """
    named = dict(net.module_.named_parameters())
    with contextlib.ExitStack() as stack:
        frozen = [named[name] for name in request.frozen if name in named]
        trained = [p for p in frozen if p.requires_grad]
        for p in trained:
            p.requires_grad_(False)
        stack.callback(lambda: [p.requires_grad_(True) for p in trained])
        for name, hook in _gradient_hooks(named, request, parts.free).items():
            if named[name].requires_grad:
                handle = named[name].register_post_accumulate_grad_hook(hook)
                stack.callback(handle.remove)
        if request.lr_scale != 1.0:
            stack.callback(setattr, net, "lr", net.lr)
            net.lr = net.lr * request.lr_scale
        batch: list = []
        if request.penalty is not None:
            layer = output_layer(net, parts.last)
            seen = stack.enter_context(representations(layer))
            _add_penalty(net, request.penalty, seen, batch, stack)
        yield batch


def _gradient_hooks(named, request, free):
    """Return ``{name: hook}`` that adds shift + pull (w - anchor) to a gradient."""
    pulls = request.pull != 0
    anchor = request.weights if request.anchor is None else request.anchor
    if not pulls and request.shift is None:
        return {}
    ones = free({n: np.ones(p.shape, np.float32) for n, p in named.items()})
    shifts = {} if request.shift is None else free(request.shift)
    hooks = {}
    for name, p in named.items():
        if name not in ones:
            continue
        shift = mask = fixed = None
        if name in shifts:
            shift = torch.as_tensor(shifts[name]).to(p)
        if pulls and name in anchor:
            fixed = torch.as_tensor(np.array(anchor[name])).to(p)
            mask = request.pull * torch.as_tensor(ones[name]).to(p)
        if shift is not None or fixed is not None:
            hooks[name] = _hook(shift, mask, fixed)
    return hooks


def _hook(shift, mask, fixed):
    def add(p):
        if shift is not None:
            p.grad.add_(shift)
        if fixed is not None:
            p.grad.addcmul_(mask, p.detach() - fixed)

    return add


def _add_penalty(net, penalty, seen, batch, stack):
    """Add a penalty to the loss that the net's own train step computes."""
    plain = net.get_loss

    def get_loss(y_pred, y_true, X=None, training=False):
        loss = plain(y_pred, y_true, X=X, training=training)
        if not training:
            return loss
        return loss + penalty(seen[0], batch[0]).to(loss.dtype)

    net.__dict__["get_loss"] = get_loss
    stack.callback(net.__dict__.pop, "get_loss")
