"""Statistics as messages, and what the server makes of clients that fail."""

import warnings

from ..exceptions import ClientFailureWarning
from ..federation import Failure

STATISTIC = "s/"


def prefixed(statistics):
    """Return statistics as entries of a payload."""
    return {STATISTIC + name: value for name, value in statistics.items()}


def unprefixed(payload):
    """Return the statistics in a payload."""
    cut = len(STATISTIC)
    return {k[cut:]: v for k, v in payload.items() if k.startswith(STATISTIC)}


def needed(plan, n):
    """Return how many of ``n`` clients have to answer; None is all."""
    return None if plan.min_clients is None else min(plan.min_clients, n)


def without_failures(result, ask, answers, drop):
    """Return the answers of the clients that did their task, and name the others."""
    failed = {c: a for c, a in answers.items() if isinstance(a, Failure)}
    for client, failure in failed.items():
        rest = "goes on without it" if drop else "skips it in this round"
        place = f"{ask.task!r}" + (f" of round {ask.round}" if ask.round else "")
        warnings.warn(
            f"client {client!r} failed in {place}; the fit {rest}. {failure.reason}\n"
            f"{failure.trace}",
            ClientFailureWarning,
            stacklevel=2,
        )
    if drop and failed:
        result.clients = tuple(c for c in result.clients if c not in failed)
    return {c: a for c, a in answers.items() if c not in failed}
