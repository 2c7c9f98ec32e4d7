"""Statistics as messages, and what the server makes of clients that fail."""

import warnings

from ..exceptions import ClientError, ClientFailureWarning
from ..federation import Failure
from ..federation._protocol import raise_failures

STATISTIC = "s/"
MERGE_ERRORS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


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


def merged_without_faulty(result, ask, merge, statistics, drop):
    """Merge the statistics of the clients with which that is possible.

    The others have failed in their task, as in :func:`without_failures`.
    """
    value, faulty = merged(merge, statistics)
    if faulty:
        needed = len(ask.clients) if ask.min_replies is None else ask.min_replies
        if len(statistics) - len(faulty) < max(needed, 1):
            raise_failures(ask, faulty)
        without_failures(result, ask, faulty, drop)
    return value, [client for client in statistics if client not in faulty]


def merged(merge, statistics):
    """Merge statistics; find out whose fault it is if that fails.

    Parameters
    ----------
    merge : callable
        ``merge({client: statistics})``.
    statistics : dict
        Of all clients.

    Returns
    -------
    merged : object
        What it returns for the clients whose statistics can be merged.
    faulty : dict
        ``{client: Failure}`` of the others.
    """
    try:
        return merge(statistics), {}
    except MERGE_ERRORS as error:
        if isinstance(error, ClientError):  # which says what is wrong
            raise
        faulty = _at_fault(merge, statistics)
        if not faulty:
            raise
        rest = {c: s for c, s in statistics.items() if c not in faulty}
        return merge(rest), faulty


def _at_fault(merge, statistics):
    """Return the failures of clients whose statistics cannot be merged."""
    alone = {c: _error(merge, {c: own}) for c, own in statistics.items()}
    found = {c: error for c, error in alone.items() if error is not None}
    if not found:
        for client in statistics:
            rest = {c: own for c, own in statistics.items() if c != client}
            if _error(merge, rest) is None:
                found[client] = "they do not fit the others'"
    if len(found) == len(statistics):  # it is not the clients
        return {}
    text = "sent what cannot be merged"
    return {client: Failure(f"{text}: {why}") for client, why in found.items()}


def _error(merge, statistics):
    try:
        merge(statistics)
    except ClientError:
        return None
    except MERGE_ERRORS as error:
        return f"{type(error).__name__}: {error}"
    return None
