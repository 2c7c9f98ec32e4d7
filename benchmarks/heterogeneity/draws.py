"""One draw of a cell: what the clients train on, and what they are tested on."""

from typing import NamedTuple


class Split(NamedTuple):
    """Training rows of all clients, and held-out rows of those that are scored.

    ``train`` is ``{client: (table, y)}``, ``test`` is ``{client: (table, y, rows)}``;
    equal numbers in ``rows`` are the same row of the client.
    """

    train: dict
    test: dict


class Draw(NamedTuple):
    """A task, its metric ("accuracy", "r2" or "auc") and one or more splits.

    What a client is predicted in several splits is scored together. ``levels`` tells
    that the targets' levels differ between clients by design of the data, so that
    pooled models see each target centred at its client's training mean. ``spread`` has
    the variance of a client's target in R2 where that of its tested rows will not do.
    """

    task: str
    metric: str
    splits: list
    levels: bool = False
    spread: dict | None = None
