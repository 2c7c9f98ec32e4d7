"""What a client keeps of a net for itself: columns, parameters, a strategy's memory.

It is in ``state["own"]``: "columns" are the private input columns of matrices that
read the input, "home" whole parameters, "memory" what the strategy remembers.
``state["own_round"]`` is the round that wrote it, and ``state["own_kept"]`` what the
best round before had, for early stopping.
"""

import numpy as np

from ._weights import join_private, split_private

ENTRIES = ("own", "own_round", "own_kept")  # of a state


class Parts:
    """Which parameters of a net stay at home, as a whole or in some columns.

    Parameters
    ----------
    start : dict
        Initial weights of the whole net, ``{name: array}``.
    inputs : sequence of str
        Names of the matrices that read the input.
    private : bool array of shape (q,)
        The input columns that stay at the client.
    home : frozenset of str
        Names of the parameters that stay there as a whole.
    buffers : frozenset of str, default=frozenset()
        Names that are no parameters.
    head : frozenset of str, default=frozenset()
        Names of the parameters that act on the outputs alone.
    """

    def __init__(
        self, start, inputs, private, home, buffers=frozenset(), head=frozenset()
    ):
        self.start, self.private, self.home = start, private, home
        self.buffers, self.head = buffers, head
        self.inputs = [name for name in inputs if name not in home]
        self.last = head - set(inputs)  # whose input is a row's representation

    def cut(self, weights):
        """Return what may leave of some weights, and what stays, by kind."""
        home = {name: w for name, w in weights.items() if name in self.home}
        rest = {name: w for name, w in weights.items() if name not in self.home}
        inputs = [name for name in self.inputs if name in rest]
        shared, columns = split_private(rest, inputs, self.private)
        return shared, {"columns": columns, "home": home}

    def join(self, shared, own):
        """Return the weights of the whole net, the client's own ones put back."""
        full = join_private(shared, own.get("columns", {}), self.inputs, self.private)
        if not self.home:
            return full
        return {**self.start, **full, **own.get("home", {})}

    def widened(self, values, columns):
        """Return the server's per-parameter arrays with private columns, or 0 there."""
        inputs = [name for name in self.inputs if name in values]
        return join_private(values, columns, inputs, self.private)

    def free(self, values):
        """Return per-parameter arrays, 0 or left out where something stays at home."""
        return self.widened(self.cut(values)[0], {})


def own_of(state):
    """Return what the client keeps, by kind."""
    return state.get("own", {})


def keep_own(state, own, payload):
    """Remember what a round made, unless its training diverged."""
    if not any(own.values()) or not _finite(own):
        return
    if state.get("own_round", 0) <= payload["best_round"]:
        state["own_kept"] = own_of(state)
    state.update(own=_kept(own), own_round=payload["round"])


def forget_void(state, payload):
    """Forget what was made before the training started anew."""
    if state.get("own_round", 0) < payload["since"]:
        for key in ENTRIES:
            state.pop(key, None)


def own_entries(state):
    """Return the entries of a state that rounds change."""
    return {key: state[key] for key in ENTRIES if key in state}


def without_own(state):
    """Return a copy of a state without the entries that rounds change."""
    return {key: value for key, value in state.items() if key not in ENTRIES}


def restore_own(state, best_round):
    """Go back to what the best round had."""
    if "own_kept" in state and state["own_round"] > best_round:
        state["own"] = state["own_kept"]


def _kept(value):
    """Return arrays of their own, which hold no other client's in memory."""
    if isinstance(value, dict):
        return {key: _kept(part) for key, part in value.items()}
    return value.copy() if getattr(value, "base", None) is not None else value


def _finite(value):
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return bool(np.isfinite(value).all())


def personal(strategy, parts, shared_weights, shared, own):
    """Return the weights with which a client predicts."""
    weights = parts.join(shared_weights, own)
    opened = opened_message(shared, parts, own)
    return strategy.personal_weights(weights, opened, own.get("memory", {}))


def opened_message(shared, parts, own):
    """Return a strategy's message with the client's own columns put into its arrays."""
    columns = own.get("columns", {})
    return {
        key: dict(parts.widened(value, columns)) if isinstance(value, dict) else value
        for key, value in shared.items()
    }
