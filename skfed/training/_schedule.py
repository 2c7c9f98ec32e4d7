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
    n_steps : array of shape (k,)
        Steps of each, in the order of the stack.
    last_epoch : array of shape (k,)
        The step at which its last epoch begins.
    """

    def __init__(self, cuts, epochs):
        rows = np.array([sum(own) for own in cuts])
        n_batches = np.array([len(own) for own in cuts])
        self.rank = np.lexsort((np.arange(len(cuts)), -rows, -n_batches))
        rows, self._n_batches = rows[self.rank], n_batches[self.rank]
        self.epochs, self.n_steps = epochs, self._n_batches * epochs
        self.last_epoch = self.n_steps - self._n_batches
        self._sizes = np.concatenate([cuts[k] for k in self.rank])
        self._first = np.cumsum(self._n_batches) - self._n_batches
        self._rows, self._base = rows, (np.cumsum(rows) - rows) * epochs
        # rows of a client's epoch before each of its batches
        before = np.cumsum(self._sizes) - self._sizes
        self._before = before - np.repeat(before[self._first], self._n_batches)

    def _step(self, step):
        """Return where the batches of a step begin, and their lengths."""
        n = int((self.n_steps > step).sum())
        epoch, batch = np.divmod(step, self._n_batches[:n])
        at = self._first[:n] + batch
        start = self._base[:n] + epoch * self._rows[:n] + self._before[at]
        return start, self._sizes[at]

    def runs(self, step):
        """Return the :class:`Run` of a step, one after the other."""
        return _runs(self._step(step)[1])

    def places(self, step):
        """Return the rows of a step's batches in their order.

        They are positions in the concatenation, over the stack, of each client's epochs
        of permuted rows.
        """
        return _ranges(*self._step(step))

    def padded(self, step):
        """Return the rows of a step's batches as one rectangle.

        Parameters
        ----------
        step : int
            The step.

        Returns
        -------
        places : array of shape (a, b)
            As in :meth:`places`; short batches are filled with their last row.
        sizes : array of shape (a,)
            Rows of each client's batch.
        """
        starts, sizes = self._step(step)
        at = np.minimum(np.arange(sizes.max()), sizes[:, None] - 1)
        return starts[:, None] + at, sizes


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
