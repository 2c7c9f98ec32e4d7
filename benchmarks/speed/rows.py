"""The rows of the table: what is timed, and what to know about it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import engines, naive, plain
from .peers import PEERS
from .timing import marginal

PLAIN, NAIVE = "plain loop", "naive skorch"


@dataclass(frozen=True)
class Row:
    """One implementation.

    Attributes
    ----------
    run : callable
        Trains from the start, of ``(workload, number of rounds)``; returns the state
        dict.
    note : str
        What is compared, and where it is not the same.
    more : int
        Rounds that are timed for one of the plain loop's: several where they are short.
    may_fail : tuple of type
        Errors of the first round for which a row is left out.
    """

    run: Callable
    note: str
    more: int = 1
    may_fail: tuple = ()

    def warm_up(self, workload):
        """Make one round."""
        self.run(workload, 1)

    def measure(self, workload, n):
        """Return the cost of a marginal round of n, and of the set-up."""
        return marginal(self.run, workload, n)


def skfed_name(engine):
    """Return the name of an engine's row."""
    return f"skfed {engine}"


def known_rows():
    """Return ``{name: Row}`` of all but the peers, with engines that may not run."""
    found = {
        PLAIN: Row(plain.run, plain.NOTE),
        NAIVE: Row(naive.skorch_nets, naive.SKORCH_NOTE),
        "scikit-learn partial_fit": Row(naive.sklearn_network, naive.SKLEARN_NOTE),
    }
    for engine in engines.ENGINES:
        more = 1 if engine == "loop" else 4
        run = partial(engines.run, engine=engine)
        found[skfed_name(engine)] = Row(run, engines.NOTES[engine], more)
    return found


def own_rows(say=lambda text: None):
    """Return the rows of :func:`known_rows` that run; say which engines do not."""
    found = known_rows()
    for engine in engines.ENGINES:
        problem = engines.problem(engine)
        if problem:
            say(f"engine {engine!r} is skipped: {problem}")
            del found[skfed_name(engine)]
    return found


def peer_rows(names, say=lambda text: None):
    """Return ``{name: row}`` of other libraries, and say which are not installed.

    Parameters
    ----------
    names : sequence of str
        Keys of :data:`PEERS`.
    say : callable, default=lambda text: None
        Told what is left out.
    """
    found = {}
    for name in names:
        try:
            peer = PEERS[name]()
        except ImportError as error:
            say(f"{name} is skipped, install the extra `bench`: {error}")
            continue
        isolated = getattr(peer, "measure", None)
        found[name] = peer if isolated else Row(peer.run, peer.NOTE, 1, (Exception,))
    return found
