"""The order in which stacked clients do their batches."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Run:
    """Neighbours in the stack whose batches have the same length.

    Parameters
    ----------
    first, last : int
        Places in the stack, ``first:last``.
    size : int
        Rows of each one's batch.
    """

    first: int
    last: int
    size: int


class Schedule:
    """Who makes which step, for some clients that train together.

    Clients are ranked by their number of steps and rows, most first, so that those
    which still train at any step are a prefix of the stack.

    Parameters
    ----------
    cuts : list of list of int
        Rows of the batches of an epoch, by client.
    epochs : int
        Passes over the rows.

    Attributes
    ----------
    rank : array of shape (k,)
        The clients' positions, in the order of the stack.
    steps : list of list of Run
        What is done at each step, one run after the other.
    places : list of array
        For each step, the rows of its batches in their order: positions in the
        concatenation, over the stack, of each client's epochs of permuted rows.
    last_epoch : array of shape (k,)
        The step at which the last epoch of a client begins, in the order of the stack.
    """

    def __init__(self, cuts, epochs):
        rows = np.array([sum(own) for own in cuts])
        n_steps = np.array([len(own) for own in cuts]) * epochs
        self.rank = np.lexsort((np.arange(len(cuts)), -rows, -n_steps))
        self.n_steps = n_steps[self.rank]
        self.last_epoch = self.n_steps - self.n_steps // epochs
        self.epochs = epochs
        sizes = np.zeros((len(cuts), int(self.n_steps[0])), dtype=np.int64)
        for place, k in enumerate(self.rank):
            sizes[place, : self.n_steps[place]] = np.tile(cuts[k], epochs)
        base = np.concatenate([[0], np.cumsum(rows[self.rank] * epochs)[:-1]])
        starts = base[:, None] + np.cumsum(sizes, axis=1) - sizes
        self._starts, self.sizes = starts, sizes
        self.steps = [_runs(column[column > 0]) for column in sizes.T]
        self.places = [
            _ranges(starts[:n, t], sizes[:n, t])
            for t, n in enumerate((sizes > 0).sum(axis=0))
        ]

    def padded(self, step):
        """Return the rows of a step's batches as one rectangle.

        Parameters
        ----------
        step : int
            The step.

        Returns
        -------
        places : array of shape (a, b)
            As in :attr:`places`; short batches are filled with their last row.
        sizes : array of shape (a,)
            Rows of each client's batch.
        """
        n = int((self.n_steps > step).sum())
        sizes = self.sizes[:n, step]
        at = np.minimum(np.arange(sizes.max()), sizes[:, None] - 1)
        return self._starts[:n, step, None] + at, sizes


def _ranges(starts, sizes):
    """Return ``start, start + 1, ...`` of each range, one after the other."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - (ends - sizes), sizes) + np.arange(ends[-1])


def _runs(sizes):
    """Return the runs of equal batch lengths among the clients that still train."""
    ends = np.flatnonzero(np.diff(sizes, append=-1)) + 1
    starts = np.concatenate([[0], ends[:-1]])
    return [
        Run(int(a), int(b), int(sizes[a])) for a, b in zip(starts, ends, strict=True)
    ]
