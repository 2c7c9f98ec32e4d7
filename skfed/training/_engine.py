"""How the clients of a process are trained: one by one, stacked, or fused."""

import contextlib
import copy
from typing import Any

import torch

from ..nets._stock import clips, not_elementwise
from ._dropouts import Dropouts
from ._fused import Fused
from ._schedule import Schedule
from ._stack_optimizer import takes_any_rates
from ._stacked import Stacked

FEWEST = 3  # clients that a stack is worth
TOLERANCE = 1e-10  # of a stacked gradient in float64


class Engine:
    """What trains a net's clients, and why.

    Parameters
    ----------
    asked : {"auto", "stacked", "fused", "loop"}
        The caller's wish. "auto" is "fused" where batches differ in length from client
        to client, as the default net's do, and "stacked" elsewhere.
    net : skorch.NeuralNet
        The initialised net.
    ragged : bool
        Whether clients have batches of their own length.
    Z, target : tensor
        A few rows, on which stacked gradients are compared to plain ones.

    Attributes
    ----------
    name : {"stacked", "fused", "loop"}
        What was chosen.
    reason : str
        Why.
    """

    def __init__(self, asked, net, ragged, Z, target):
        self.clips: list = []
        self.dropouts: Any = None
        self._made: dict = {}
        self._schedule: tuple = (None, None)
        self.takes_any_rates = takes_any_rates(net)
        self._sums = getattr(net.criterion_, "reduction", "mean") == "sum"
        kinds = {
            "auto": ("fused", "stacked") if ragged else ("stacked",),
            "fused": ("fused", "stacked"),
            "stacked": ("stacked",),
            "loop": (),
        }[asked]
        self.name, reasons = "loop", []
        problem = not_elementwise(net) if kinds else None
        for kind in kinds if problem is None else ():
            problem = self._problem(kind, net, Z, target)
            if problem is None:
                self.name = kind
                break
            reasons.append(f"not {kind}: {problem}")
        if problem and not reasons:
            reasons = [problem]
        self.reason = "; ".join(reasons) or f"engine={asked!r}"

    def _problem(self, kind, net, Z, target):
        """Return why a stack would not do for a net, or None."""
        try:
            with torch.random.fork_rng(devices=[]), _in_float64(net):
                net._set_training(True)
                self.dropouts = Dropouts(net.module_, Z)
                self.clips = clips(net)
                return self._difference(self._make(kind, net), net, Z, target)
        except Exception as error:  # a module may do anything
            return f"{type(error).__name__}: {error}".splitlines()[0][:200]

    def _difference(self, gradients, net, Z, target):
        """Compare gradients of two clients, in float64, to plain ones."""
        names, kept = gradients.names, self.buffers(net)
        wide = _double(target)
        rows = [(Z.double(), wide), (Z.double().flip(0) * 0.9, wide.flip(0))]
        if gradients.pads:
            if self.dropouts.calls or kept:
                return "the module draws, or has buffers"
            rows[1] = rows[1][0][:-1], rows[1][1][:-1]
        state = dict(net.module_.state_dict())
        state |= dict(net.module_.named_parameters())
        each = [{n: _moved(v.detach(), k) for n, v in state.items()} for k in range(2)]
        generators = [torch.Generator().manual_seed(k) for k in range(2)]
        masks = [m.double() for m in self.dropouts.masks(generators, len(Z))]
        plain = Stacked(net, names, self.dropouts)
        wanted = [
            _plain(plain, own, names, kept, x, y, [m[k] for m in masks])
            for k, (own, (x, y)) in enumerate(zip(each, rows, strict=True))
        ]
        stacks = {n: torch.stack([own[n] for own in each]) for n in state}
        trained = [stacks.pop(name) for name in names]
        buffers = {name: stacks.pop(name) for name in kept}
        if gradients.pads:
            x, y, shares = _padded(rows)
            found, losses = gradients(trained, stacks, x, y, shares)
        else:
            x, y = (torch.stack(part) for part in zip(*rows, strict=True))
            found, losses, _ = gradients(trained, stacks, buffers, x, y, masks)
        for k, (loss, single) in enumerate(wanted):
            pairs = [
                (losses[k], loss),
                *zip((g[k] for g in found), single, strict=True),
            ]
            for a, b in pairs:
                if not torch.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE):
                    return "its stacked gradient differs from that of the plain loop"
        return None

    def trained(self, net, frozen):
        """Return the names of the parameters that are trained."""
        named = net.module_.named_parameters()
        return [n for n, p in named if p.requires_grad and n not in frozen]

    def buffers(self, net):
        """Return what the net's module keeps besides parameters."""
        known = net.module_.state_dict()
        return {n: v for n, v in net.module_.named_buffers() if n in known}

    def gradients(self, net, names):
        """Return what computes a stack's gradients by the chosen engine."""
        key = tuple(names)
        if key not in self._made:
            self._made[key] = self._make(self.name, net, names)
        return self._made[key]

    def _make(self, kind, net, names=None):
        names = self.trained(net, ()) if names is None else names
        if kind == "fused":
            return Fused(net, names)
        return Stacked(net, names, self.dropouts)

    def generators(self, turns):
        """Return a generator for each turn whose net draws."""
        if not self.dropouts.calls:
            return [None] * len(turns)
        return [turn.generator() for turn in turns]

    def schedule(self, cuts, epochs):
        """Return the order of batches; of clients that train again, the same one."""
        if self._schedule[0] != (cuts, epochs):
            self._schedule = (cuts, epochs), Schedule(cuts, epochs)
        return self._schedule[1]

    def summed(self, losses, n_rows):
        """Return the sums over rows of some losses, as the criterion reduces them."""
        losses = losses.double().numpy(force=True)
        return losses if self._sums else losses * n_rows


@contextlib.contextmanager
def _in_float64(net):
    """Let the criterion's class weights be in float64 while this lasts."""
    criterion = net.criterion_
    try:
        if isinstance(criterion, torch.nn.Module):
            net.criterion_ = copy.deepcopy(criterion).double()
        yield
    finally:
        net.criterion_ = criterion


def _double(target):
    return target.double() if target.is_floating_point() else target


def _moved(value, k):
    """Return weights in float64, other ones for each client."""
    if not value.is_floating_point():
        return value
    wide = value.double()
    return wide + 0.01 * k * torch.cos(torch.arange(wide.numel())).reshape(wide.shape)


def _plain(objective, own, names, buffers, x, y, masks):
    """Return loss and gradients of one client by plain autograd."""
    trained = [own[name].requires_grad_() for name in names]
    fixed = {n: v for n, v in own.items() if n not in names and n not in buffers}
    kept = {n: v for n, v in own.items() if n in buffers}
    loss, _ = objective.loss(trained, fixed, kept, x, y, masks)
    found = torch.autograd.grad(loss, trained)
    for value in trained:
        value.requires_grad_(False)
    return loss.detach(), found


def _padded(rows):
    """Return the rows of two clients as one batch, the short one filled."""
    longest = max(len(x) for x, _ in rows)
    at = [torch.arange(longest).clamp(max=len(x) - 1) for x, _ in rows]
    x, y = (
        torch.stack([row[j][i] for row, i in zip(rows, at, strict=True)])
        for j in range(2)
    )
    shares = torch.stack(
        [(torch.arange(longest) < len(x)).double() / len(x) for x, _ in rows]
    )
    return x, y, shares
