"""All clients in this process, or in joblib workers on this machine."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator

from ._payload import decode_payload, dump_state, encode_payload, load_state
from ._protocol import Failure, call_client
from ._sessions import loaded


class InProcessFederation(BaseEstimator):
    """Run the clients of a federation on this machine.

    Parameters
    ----------
    n_jobs : int, default=None
        Number of joblib workers that share the clients of a broadcast; None is the
        server's own process. Client states travel out and back with every task, so
        workers pay off for heavy clients only. Clients train one by one then; the
        results are the same bits as with ``engine="loop"``.
    isolate : bool, default=False
        Pass every message and every client state through bytes, as a federation
        over several machines does. A test of new aligners and strategies, which
        must not keep anything outside of messages and state.

    See Also
    --------
    skfed.FederatedClassifier : Takes a federation as parameter.

    Examples
    --------
    >>> from skfed.federation import InProcessFederation
    >>> InProcessFederation(n_jobs=2)
    InProcessFederation(n_jobs=2)
    """

    def __init__(self, n_jobs=None, isolate=False):
        self.n_jobs = n_jobs
        self.isolate = isolate

    def open(self, handle, sites):
        """Start a session of one fit.

        Parameters
        ----------
        handle : callable
            ``handle(task, payload, state, site) -> payload``, run at the client.
        sites : dict
            ``{client name: Site}``.

        Returns
        -------
        session : Session
            Answers broadcasts and keeps the clients' states.
        """
        shares = self.n_jobs in (None, 1) and not self.isolate
        n_workers = _n_workers(self.n_jobs)
        sites = {name: loaded(site) for name, site in sites.items()}
        return Session(handle, sites, n_workers, self.isolate, shares)


class Session:
    """One fit's clients: their sites and their states.

    Attributes
    ----------
    states : dict
        ``{client: state dict}``, all that a client remembers between tasks.
    """

    checked = True  # by call_client, and by those who train clients together

    def __init__(self, handle, sites, n_jobs=1, isolate=False, shares=False):
        self.handle = handle
        self.sites = sites
        self.n_jobs = n_jobs
        self.isolate = isolate
        self.shares = shares  # whether clients may be trained together
        self.states: dict = {name: {} for name in sites}

    def broadcast_all(self, asks):
        """Return the answers to several broadcasts, which wait for none of each other.

        Parameters
        ----------
        asks : list of Broadcast
            Of different scopes.

        Returns
        -------
        answers : list of dict
            ``{client: payload or Failure}`` for each.
        """
        shared = [ask for ask in asks if self._shared(ask)]
        if not shared:
            return [self.broadcast(ask) for ask in asks]
        found = self.handle.together(shared, self.states, self.sites)
        known = {id(ask): answers for ask, answers in zip(shared, found, strict=True)}
        return [known.get(id(ask)) or self.broadcast(ask) for ask in asks]

    def kept(self, asks):
        """Return what a journal keeps of the clients' states, or None for nothing.

        For each broadcast what ``handle.kept`` says, if there is that; None where the
        clients had better do their tasks again.
        """
        keep = getattr(self.handle, "kept", None)
        return None if keep is None else [keep(ask, self.states) for ask in asks]

    def replay(self, asks, answers, kept):
        """Bring the clients to where they were after some broadcasts.

        Parameters
        ----------
        asks : list of Broadcast
            Of which a journal tells.
        answers : list of dict
            ``{client: payload or Failure}`` for each.
        kept : list
            What :meth:`kept` returned then.

        Returns
        -------
        again : list of dict
            The answers of clients that did their tasks again.
        """
        again: list = []
        for i, (ask, found) in enumerate(zip(asks, answers, strict=True)):
            done = tuple(c for c, a in found.items() if not isinstance(a, Failure))
            own = None if kept is None else kept[i]
            if own is not None:
                self.handle.restore(ask, own, self.states)
            again.append(
                self.broadcast(replace(ask, clients=done))
                if own is None and done
                else {}
            )
        return again

    def _shared(self, ask):
        """Tell whether the clients of a broadcast work together on it."""
        takes = getattr(self.handle, "takes", None)
        return self.shares and takes is not None and takes(ask)

    def broadcast(self, ask):
        """Return ``{client: payload or Failure}`` for a :class:`Broadcast`."""
        if self._shared(ask):
            return self.handle.together([ask], self.states, self.sites)[0]
        n_parts = min(self.n_jobs, len(ask.clients))
        if n_parts <= 1:
            return dict(
                run_clients(
                    self.handle, ask, ask.clients, self.states, self.sites, self.isolate
                )
            )
        parts = [
            [ask.clients[i] for i in part]
            for part in np.array_split(np.arange(len(ask.clients)), n_parts)
        ]
        found = Parallel(n_jobs=n_parts)(
            delayed(_work)(
                self.handle,
                ask,
                {c: self.states[c] for c in part},
                {c: self.sites[c] for c in part},
                self.isolate,
            )
            for part in parts
        )
        answers = {}
        for part_answers, part_states, caught in found:
            answers.update(part_answers)
            self.states.update(part_states)
            for warning in caught:
                warnings.warn(warning, stacklevel=2)
        return answers


def _n_workers(n_jobs):
    """Return how many processes to use: one inside a worker or among threads.

    Threads would train one shared net and draw from one generator of torch.
    """
    backend, _ = get_active_backend()
    if backend.nesting_level or getattr(backend, "supports_sharedmem", False):
        return 1
    return effective_n_jobs(n_jobs)


def _work(handle, ask, states, sites, isolate):
    """Run some clients in a worker; hand their states and warnings back."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = dict(run_clients(handle, ask, tuple(sites), states, sites, isolate))
    answers = {client: portable(answer) for client, answer in answers.items()}
    return answers, states, [warning.message for warning in caught]


def portable(answer):
    """Return an answer without an exception that cannot leave the worker."""
    if isinstance(answer, Failure):
        try:
            pickle.loads(pickle.dumps(answer.error))
        except Exception:
            return replace(answer, error=None)
    return answer


def run_clients(handle, ask, clients, states, sites, isolate):
    for client in clients:
        message = ask.message(client)
        if isolate:
            message = decode_payload(encode_payload(message))
            states[client] = load_state(dump_state(states[client]))
        before = copy.copy(states[client])
        answer = call_client(handle, ask.task, message, states[client], sites[client])
        if isinstance(answer, dict):
            if isolate:
                states[client] = load_state(dump_state(states[client]))
                answer = decode_payload(encode_payload(answer))
        else:  # a failed task leaves no trace
            states[client] = before
        yield client, answer
