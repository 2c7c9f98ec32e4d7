"""Fits inside a fit: the same federation without some rows, or otherwise aligned.

A *scope* names such a fit. Its messages carry the name, every client keeps its state
for it apart in ``state["scopes"]``, and its failure does not end the main fit.
"""

import contextlib
import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..exceptions import (
    AlignmentWarning,
    ClientError,
    NegativeControlWarning,
    StrategyWarning,
)
from ..federation import Failure

REPEATED = (
    AlignmentWarning,
    NegativeControlWarning,
    ConvergenceWarning,
    StrategyWarning,
)


class ScopeError(ClientError):
    """A fit inside a fit could not be made."""


def scope_name(network, fold):
    """Return the name of the fit of a member's network, without a fold's rows if any.

    Parameters
    ----------
    network : str
        The member; "" is the estimator's own network.
    fold : int
        The fold that is left out; -1 leaves out none.
    """
    name = network or "main"
    return f"{name}, fold {fold + 1}" if fold >= 0 else name


def within(algorithm, network="", fold=-1):
    """Drive the generator of a fit inside another: it yields, and gets, its messages.

    Parameters
    ----------
    algorithm : generator
        A fit's server side.
    network : str, default=""
        The member whose network it fits; "" is the estimator's own.
    fold : int, default=-1
        Fold whose rows are left out at all clients; -1 leaves out none.

    Raises
    ------
    ScopeError
        If too few clients answer, or the server's part fails.
    """
    scope = scope_name(network, fold)
    entries = {"scope": scope, "network": network, "fold": fold}
    answers = None
    while True:
        try:
            with warnings.catch_warnings():
                _ignore_repeated(fold)
                ask = algorithm.send(answers)
        except StopIteration as end:
            return end.value
        except ValueError as error:  # a step's, or our own
            raise ScopeError(f"{scope}: {error}") from error
        payload = {**ask.payload, **entries}
        answers = yield replace(ask, payload=payload, min_replies=0)
        failures = [
            f"client {client!r}: {answer.reason}"
            for client, answer in answers.items()
            if isinstance(answer, Failure)
        ]
        needed = len(ask.clients) if ask.min_replies is None else ask.min_replies
        if len(answers) - len(failures) < max(needed, 1):
            algorithm.close()
            raise ScopeError(f"{scope}: {failures[0] if failures else 'no client'}")


def side_by_side(algorithms):
    """Drive generators that do not need each other, each message beside the others'.

    Where clients share a process, they do the work of all at once.

    Parameters
    ----------
    algorithms : list of generator
        They yield a :class:`Broadcast` of scopes of their own at a time.

    Returns
    -------
    values : list
        What they return.
    """
    values: list = [None] * len(algorithms)
    answers: dict = dict.fromkeys(range(len(algorithms)))
    while True:
        asks = {}
        for i, answer in answers.items():
            try:
                asks[i] = algorithms[i].send(answer)
            except StopIteration as end:
                values[i] = end.value
        if not asks:
            return values
        found = yield list(asks.values())
        answers = dict(zip(asks, found, strict=True))


def in_scope(tasks, task, payload, state, site):
    """Do a task of a fit inside the fit, at the client.

    Parameters
    ----------
    tasks : dict
        The functions behind the tasks.
    task, payload, state, site : object
        As for ``handle``; ``state`` is the main fit's.
    """
    inner, site = entered(payload, state, site)
    with muted(payload):
        answer = tasks[task](payload, inner, site)
    leave(payload, state, inner)
    return answer


def stored(payload, state):
    """Return what a client keeps for the fit of a message; empty before its first."""
    scope = payload.get("scope")
    return state.get("scopes", {}).get(scope, {}) if scope else state


def entered(payload, state, site):
    """Return a copy of what a client keeps for the fit of a message, and its site."""
    inner = dict(stored(payload, state))
    if not payload.get("scope"):
        return inner, site
    if payload["fold"] >= 0:
        inner["rows"] = np.flatnonzero(state["folds"] != payload["fold"])
    return inner, replace(site, plan=site.plan.variant(payload["network"]))


def leave(payload, state, inner):
    """Keep what a client has now for the fit of a message."""
    scope = payload["scope"]
    scopes = dict(state.get("scopes", {}))
    found = inner.pop("held_out", None)
    if found is None:
        scopes[scope] = inner
    else:  # the fold has told all it knows
        scopes.pop(scope, None)
        state["evidence"] = _extended(state, found, state["folds"] == payload["fold"])
    state["scopes"] = scopes


@contextlib.contextmanager
def muted(payload):
    """Leave out, in folds, what the fit on all rows warns of as well."""
    if payload.get("fold", -1) < 0:
        yield
        return
    with warnings.catch_warnings():
        _ignore_repeated(payload["fold"])
        yield


def _ignore_repeated(fold):
    """Leave out, in folds, the warnings that the fit on all rows gives as well."""
    if fold >= 0:
        for category in REPEATED:
            warnings.simplefilter("ignore", category)


def _extended(state, found, held):
    """Return the evidence with the predictions for a fold's rows."""
    evidence = dict(state.get("evidence", {}))
    for name, values in found.items():
        known = evidence.get(name)
        if known is None:
            known = np.full((len(held), *values.shape[1:]), np.nan)
        known = known.copy()
        known[held] = values
        evidence[name] = known
    return evidence
