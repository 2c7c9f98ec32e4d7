"""The ledger: every array and scalar that crossed a client's border."""

import json
from functools import lru_cache

import numpy as np
import pandas as pd

COLUMNS = [
    "scope", "round", "direction", "client", "task", "name", "shape", "dtype", "bytes",
]  # fmt: skip


class Ledger:
    """Record of all messages of a fit.

    Attributes
    ----------
    messages : list of tuples
        ``(scope, round, direction, client, task, entries)``; ``entries`` describes
        the payload by name, shape, dtype and bytes.

    Examples
    --------
    >>> from skfed.federation import Ledger
    >>> ledger = Ledger()
    >>> ledger.record(1, "up", "a", "train", [("w", (3, 2), "float64", 48)])
    >>> ledger.sizes()
    {(1, 'up', 'a'): 48}
    """

    def __init__(self):
        self.messages = []
        self._known: dict = {}

    def record(self, round, direction, client, task, entries, scope=""):
        """Add one message.

        Parameters
        ----------
        round : int
            Communication round, 0 before training.
        direction : {"down", "up"}
            To the client, or from it.
        client : hashable
            The client's name.
        task : str
            The task of the broadcast.
        entries : sequence of tuple
            Name, shape, dtype and bytes of each entry of the payload.
        scope : str, default=""
            Which of several fits the message belongs to; "" is the main one.
        """
        # most messages of a fit look alike: each look is kept once
        entries = tuple(entries)
        entries = self._known.setdefault(entries, entries)
        self.messages.append((scope, round, direction, client, task, entries))

    def to_frame(self):
        """Return one row per array or scalar, as DataFrame.

        Returns
        -------
        frame : DataFrame
            Columns: ``scope`` ("" for the main fit, else the personalizer's member
            and fold), ``round`` (0 before training), ``direction`` ("down" to the
            client, "up" from it), ``client``, ``task``, ``name``, ``shape``,
            ``dtype`` and ``bytes``.
        """
        rows = [
            (*message[:5], *entry) for message in self.messages for entry in message[5]
        ]
        return pd.DataFrame(rows, columns=COLUMNS)

    def sizes(self, scope=""):
        """Return how many bytes each client received and sent in each round.

        Parameters
        ----------
        scope : str, default=""
            The fit whose messages count; "" is the main one.

        Returns
        -------
        sizes : dict
            ``{(round, direction, client): bytes}``.
        """
        found: dict = {}
        for of, round, direction, client, _, entries in self.messages:
            if of != scope:
                continue
            key = (round, direction, client)
            found[key] = found.get(key, 0) + sum(entry[3] for entry in entries)
        return found


def describe(payload):
    """Return ``(name, shape, dtype, bytes)`` for each entry of a payload."""
    return tuple(_describe(name, value) for name, value in payload.items())


@lru_cache
def _dtype_name(dtype):
    return str(dtype)  # which takes longer than all else here


def _describe(name, value):
    if isinstance(value, np.ndarray):
        return name, value.shape, _dtype_name(value.dtype), value.nbytes
    if isinstance(value, list):
        kind = type(value[0]).__name__ if value else "str"
        return name, (len(value),), f"list of {kind}", _length(value)
    return name, (), type(value).__name__, _length(value)


def _length(value):
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return sum(map(len, value))
    if isinstance(value, str):
        return len(value.encode(errors="surrogatepass"))  # an error's may be odd
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 8
    return len(json.dumps(value).encode())
