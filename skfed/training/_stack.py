"""Answers many clients' requests for local epochs at once."""

import numpy as np
import torch

from ._stack_gradients import Corrections, clipped
from ._stack_optimizer import optimizer_for
from ._stack_weights import stack, unstack


def train_stack(turns, cuts, places, rows, engine):
    """Answer requests for local epochs that differ in numbers alone.

    Parameters
    ----------
    turns : list of Turn
        The clients', with the same net and the same frozen parameters.
    cuts : tuple of tuple of int
        Rows of the batches of an epoch, by client.
    places : list of int
        Where each client's rows begin in ``rows``.
    rows : StackRows
        Everybody's rows.
    engine : Engine
        How the net's gradients are stacked.

    Returns
    -------
    answers : list of Trained
        In the order of the turns.
    """
    work = _Work(turns, cuts, places, rows, engine)
    with torch.no_grad():
        work.run()
    return work.answers()


class _Work:
    def __init__(self, turns, cuts, places, rows, engine):
        net, first = turns[0].net, turns[0].request
        self.turns, self.rows, self.engine = turns, rows, engine
        self.plan = engine.schedule(cuts, turns[0].epochs(first))
        ranked = [turns[k] for k in self.plan.rank]
        self.order = np.concatenate(
            [
                turn.rng.permutation(turn.n_rows) + places[k]
                for k, turn in zip(self.plan.rank, ranked, strict=True)
                for _ in range(self.plan.epochs)
            ]
        )
        net._set_training(True)
        like = {**dict(net.module_.named_parameters()), **engine.buffers(net)}
        weights = [turn.request.weights for turn in ranked]
        stacks = {n: stack([w[n] for w in weights], like[n]) for n in like}
        self.names = engine.trained(net, first.frozen)
        self.trained = [stacks[name] for name in self.names]
        self.buffers = {name: stacks[name] for name in engine.buffers(net)}
        self.fixed = {
            name: value
            for name, value in stacks.items()
            if name not in self.names and name not in self.buffers
        }
        self.corrections = Corrections(ranked, self.names, like)
        rates = [turn.lr * turn.request.lr_scale for turn in ranked]
        self.optimizer = optimizer_for(
            net, self.names, torch.tensor(rates, dtype=torch.float64)
        )
        self.gradients = engine.gradients(net, self.names)
        self.generators = engine.generators(ranked)
        self.losses = np.zeros(len(turns))

    def run(self):
        """Make all steps."""
        order = torch.from_numpy(self.order)
        pads = self.gradients.pads
        one_step = self._padded if pads else self._unpadded
        plain = pads and not self.corrections and not self.engine.clips
        self.descent = self.optimizer.descent if plain else None
        for step in range(int(self.plan.n_steps[0])):
            gradients = one_step(step, order)
            if gradients is None:
                continue
            gradients = self.corrections.added(self.trained, gradients)
            for limit, kind in self.engine.clips:
                gradients = clipped(gradients, limit, kind)
            self.optimizer.step(self.trained, gradients)

    def _unpadded(self, step, order):
        """Return the gradients of a step, by runs of equal batches."""
        pick = order[torch.from_numpy(self.plan.places(step))].to(self.rows.Z.device)
        Z, target = (p.index_select(0, pick) for p in (self.rows.Z, self.rows.target))
        found, start = [], 0
        for run in self.plan.runs(step):
            here = slice(run.first, run.last)
            end = start + (run.last - run.first) * run.size
            x, y = (p[start:end].unflatten(0, (-1, run.size)) for p in (Z, target))
            fixed, buffers = (
                {n: v[here] for n, v in g.items()} for g in (self.fixed, self.buffers)
            )
            masks = self.engine.dropouts.masks(self.generators[here], run.size)
            trained = [value[here] for value in self.trained]
            gradients, losses, buffers = self.gradients(
                trained, fixed, buffers, x, y, masks
            )
            for name, value in buffers.items():
                self.buffers[name][here] = value
            self._note(step, here, losses, run.size)
            found.append(gradients)
            start = end
        if len(found) == 1:
            return found[0]
        return [torch.cat(own) for own in zip(*found, strict=True)]

    def _padded(self, step, order):
        """Return the gradients of a step, all batches in one rectangle."""
        places, sizes = self.plan.padded(step)
        n, longest = places.shape
        pick = order[torch.from_numpy(places.ravel())].to(self.rows.Z.device)
        x, y = (
            part.index_select(0, pick).unflatten(0, (n, longest))
            for part in (self.rows.Z, self.rows.target)
        )
        rows = torch.from_numpy(sizes)[:, None]
        shares = (torch.arange(longest) < rows).to(x) / rows.to(x)
        gradients, losses = self.gradients(
            [value[:n] for value in self.trained],
            {name: value[:n] for name, value in self.fixed.items()},
            x,
            y,
            shares,
            self.descent,
        )
        self._note(step, slice(0, n), losses, sizes)
        return gradients

    def _note(self, step, here, losses, n_rows):
        """Add the losses of those clients that are in their last epoch."""
        last = step >= self.plan.last_epoch[here]
        if last.any():
            losses = self.engine.summed(losses, n_rows)
            self.losses[here] += np.where(last, losses, 0.0)

    def answers(self):
        """Return what each client gets."""
        stacks = dict(zip(self.names, self.trained, strict=True))
        weights = unstack({**stacks, **self.fixed, **self.buffers}, self.plan.rank)
        place = np.argsort(self.plan.rank)
        return [
            turn.trained(
                weights[k],
                float(self.losses[place[k]]) / turn.n_rows,
                int(self.plan.n_steps[place[k]]),
            )
            for k, turn in enumerate(self.turns)
        ]
