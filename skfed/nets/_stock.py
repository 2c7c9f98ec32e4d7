"""What of a net's training is skorch's and torch's own, and what is the user's."""

from collections import Counter

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, GradientNormClipping
from torch import optim

# a net that has one of these of its own trains in a way that only itself knows
TRAINS = (
    "train_step",
    "train_step_single",
    "get_train_step_accumulator",
    "initialize_optimizer",
    "get_params_for_optimizer",
    "_step_optimizer",
    "_zero_grad_optimizer",
    "notify",
    "on_grad_computed",
)
# they treat each element by itself, so that a stack gives the bits of single nets
ELEMENTWISE = (
    optim.SGD, optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax,
    optim.RMSprop, optim.Adagrad, optim.Adadelta, optim.Rprop, optim.ASGD,
)  # fmt: skip
WHOLE = ("fused", "differentiable", "capturable")  # settings that are not elementwise


def own_training(net):
    """Return what a net does in training that is not skorch's, or None."""
    for name in TRAINS:
        if getattr(type(net), name, None) is not getattr(NeuralNet, name, None):
            return f"the net has a {name} of its own"
    if len(net._modules) + len(net._criteria) + len(net._optimizers) != 3:
        return "the net has several modules, criteria or optimizers"
    return None


def watchers(net):
    """Return ``(name, callback)`` of those that look at gradients."""
    plain = Callback.on_grad_computed
    return [(n, c) for n, c in net.callbacks_ if type(c).on_grad_computed is not plain]


def trains_plainly(net):
    """Tell whether a step is a gradient and a step of the optimizer, seen by nobody."""
    known = net.optimizer in ELEMENTWISE  # others may call for the loss again
    return known and own_training(net) is None and not watchers(net)


def not_elementwise(net):
    """Return why a stack of weights would not be trained as each alone, or None."""
    own = own_training(net)
    if own:
        return own
    if net.optimizer not in ELEMENTWISE:
        name = getattr(net.optimizer, "__name__", net.optimizer)
        return f"the optimizer {name} may look at a client's weights as a whole"
    whole = [name for name in WHOLE if getattr(net, f"optimizer__{name}", False)]
    if whole:
        return f"the optimizer's setting {whole[0]!r} changes its arithmetic"
    for name, callback in watchers(net):
        if type(callback) is not GradientNormClipping:
            return f"the callback {name!r} looks at gradients"
    criterion = net.criterion_
    if isinstance(criterion, torch.nn.Module) and list(criterion.parameters()):
        return "the criterion has parameters"
    parameters = net.module_.named_parameters(remove_duplicate=False)
    if max(Counter(id(p) for _, p in parameters).values()) > 1:
        return "two names share a parameter"
    return None


def clips(net):
    """Return limit and kind of the norm of each callback that clips gradients."""
    found = [c for _, c in watchers(net) if type(c) is GradientNormClipping]
    return [
        (float(c.gradient_clip_value), float(c.gradient_clip_norm_type))
        for c in found
        if c.gradient_clip_value is not None
    ]
