"""The only loop: a server's generator, and the session that carries its questions."""

import traceback
import uuid
from dataclasses import replace

from ._ledger import Ledger, describe
from ._payload import check_payload
from ._printable import printable
from ._protocol import Failure, raise_failures, scope_of
from ._tree import digest


def drive(algorithm, session, ledger=None, journal=None):
    """Run a server generator over a federation's session: the only loop.

    Parameters
    ----------
    algorithm : generator
        Yields a :class:`Broadcast`, is sent ``{client: payload or Failure}`` in the
        order of ``Broadcast.clients``; or yields a list of them that wait for none of
        each other, and is sent a list. Returns the result.
    session : object
        Has ``broadcast(ask) -> {client: payload or Failure}``, and may have
        ``broadcast_all(asks)``, which returns a list of such answers. With
        ``may_lose = True``, clients that answer ``Failure(..., lost=True)`` are sent
        again all that they have answered, and asked once more. With ``checked = True``
        it vouches that answers are payloads; else they are looked at here.
    ledger : Ledger, default=None
        Records every message.
    journal : Journal, default=None
        Gives the answers that it has, and gets those of every further step.

    Returns
    -------
    result : object
        What the generator returns.

    Raises
    ------
    ClientError, TooFewClientsError
        If fewer clients answer than the broadcast needs.
    CheckpointError
        If the journal is of another fit, or cannot be written.
    """
    ledger = Ledger() if ledger is None else ledger
    fit = uuid.uuid4().hex if journal is None else journal.fit
    course = Course(session, ledger, fit)
    answers = None  # send(None) starts the generator
    while True:
        try:
            asked = algorithm.send(answers)
        except StopIteration as end:
            if journal is not None:
                journal.end()
            return end.value
        asks = asked if isinstance(asked, list) else [asked]
        asks = course.numbered(asks)
        found = None if journal is None else journal.recorded(asks, session)
        if found is None:
            found = course.ask(asks)
            for ask, own in zip(asks, found, strict=True):
                failures = _failures(ask, own)
                if failures:
                    algorithm.close()
                    raise_failures(ask, failures)
            if journal is not None:
                journal.write(asks, found, session)
        else:
            course.replayed(asks, found)
        course.count(asks, found)
        answers = found if isinstance(asked, list) else found[0]


class Course:
    """What clients were sent and have answered: numbers, ledger, and lost clients.

    Parameters
    ----------
    session : object
        Carries the messages.
    ledger : Ledger
        Records them.
    fit : str
        Name of the fit.
    """

    def __init__(self, session, ledger, fit):
        self.session, self.ledger, self.fit = session, ledger, fit
        self.may_lose = getattr(session, "may_lose", False)
        self.vouched = getattr(session, "checked", False)
        self.counts: dict = {}  # messages that a client has answered
        self.past: list = []  # (broadcast, {client: number}) of all that was answered
        self.first: dict = {}  # digest of a client's first answer

    def numbered(self, asks):
        """Return broadcasts with the numbers of their messages."""
        found, counts = [], dict(self.counts)
        for ask in asks:
            numbers = {client: counts.get(client, 0) for client in ask.clients}
            counts |= {client: number + 1 for client, number in numbers.items()}
            found.append(replace(ask, fit=self.fit, numbers=numbers))
        return found

    def count(self, asks, found):
        """Note which messages were answered."""
        for ask, answers in zip(asks, found, strict=True):
            done = {
                client: self.counts.get(client, 0)
                for client, answer in answers.items()
                if not isinstance(answer, Failure)
            }
            self.counts |= {client: number + 1 for client, number in done.items()}
            if not self.may_lose:
                continue
            self.past.append((ask, done))
            for client, number in done.items():
                if number == 0:
                    self.first[client] = digest(answers[client])

    def ask(self, asks):
        """Return the answers to broadcasts, of lost clients too."""
        for ask in asks:
            _record_questions(self.ledger, ask)
        if len(asks) > 1 and hasattr(self.session, "broadcast_all"):
            found = self.session.broadcast_all(asks)
        else:
            found = [self.session.broadcast(ask) for ask in asks]
        found = [
            self._checked(ask, answers)
            for ask, answers in zip(asks, found, strict=True)
        ]
        for ask, answers in zip(asks, found, strict=True):
            _record_answers(self.ledger, ask, answers)
        if self.may_lose:
            self._bring_back(asks, found)
        return found

    def replayed(self, asks, found):
        """Record messages of which a journal tells."""
        for ask in asks:
            _record_questions(self.ledger, ask)
        for ask, answers in zip(asks, found, strict=True):
            _record_answers(self.ledger, ask, answers)

    def _bring_back(self, asks, found):
        """Send lost clients again what they had answered, and ask them once more."""
        lost = {
            client: answer
            for answers in found
            for client, answer in answers.items()
            if isinstance(answer, Failure) and answer.lost
        }
        if not lost:
            return
        problems = self._rebuild(lost, [*self.past, *self._answered(asks, found, lost)])
        counts = {
            client: sum(client in done for _, done in self.past) for client in lost
        }
        for ask, answers in zip(asks, found, strict=True):
            again = []
            for client in [c for c in answers if c in lost]:
                if not isinstance(answers[client], Failure):
                    counts[client] += 1
                elif client in problems:
                    answers[client] = problems[client]
                else:
                    again.append(client)
            if again:
                own = self._once_more(ask, {client: counts[client] for client in again})
                for client, answer in own.items():
                    if isinstance(answer, Failure):
                        answer = replace(answer, lost=False)
                    else:
                        counts[client] += 1
                    answers[client] = answer

    def _answered(self, asks, found, lost):
        """Return what lost clients had answered of these broadcasts before."""
        counts = dict(self.counts)
        for ask, answers in zip(asks, found, strict=True):
            done = {
                client: counts.get(client, 0)
                for client, answer in answers.items()
                if client in lost and not isinstance(answer, Failure)
            }
            counts |= {client: number + 1 for client, number in done.items()}
            yield ask, done

    def _rebuild(self, lost, past):
        """Send clients all that they had answered; return the failures in that."""
        problems: dict = {}
        for ask, done in past:
            numbers = {
                client: number
                for client, number in done.items()
                if client in lost and client not in problems
            }
            if not numbers:
                continue
            for client, answer in self._once_more(ask, numbers).items():
                if isinstance(answer, Failure):
                    text = f"was lost, then failed in {ask.task!r}: {answer.reason}"
                    problems[client] = replace(answer, reason=text, lost=False)
                elif numbers[client] == 0 and digest(answer) != self.first[client]:
                    problems[client] = Failure(
                        "was lost, and came back with another table, or as another site"
                    )
        return problems

    def _once_more(self, ask, numbers):
        """Ask some clients of a broadcast again."""
        ask = replace(ask, clients=tuple(numbers), numbers=numbers)
        _record_questions(self.ledger, ask)
        answers = self._checked(ask, self.session.broadcast(ask))
        _record_answers(self.ledger, ask, answers)
        return answers

    def _checked(self, ask, answers):
        """Return answers by client, those with which something is wrong as failures."""
        found = {client: answers[client] for client in ask.clients}
        if self.vouched and ask.expects is None:
            return found
        for client, answer in found.items():
            if not isinstance(answer, Failure):
                problem = _problem(client, answer, ask.expects, self.vouched)
                found[client] = answer if problem is None else problem
            elif not self.vouched:
                found[client] = replace(
                    answer, reason=printable(answer.reason, keep="\n")
                )
        return found


def _failures(ask, answers):
    """Return the failures of a broadcast that got fewer answers than it needs."""
    found = {c: a for c, a in answers.items() if isinstance(a, Failure)}
    needed = len(ask.clients) if ask.min_replies is None else ask.min_replies
    return found if len(answers) - len(found) < needed else {}


def _problem(client, answer, expects, vouched):
    """Return the failure that an answer is, or None.

    An answer on which a check stumbles is one: no site can end the fit of all.
    """
    try:
        if not vouched:
            check_payload(answer, f"client {client!r}")
        text = None if expects is None else expects(client, answer)
    except Exception as error:
        text = printable(f"{type(error).__name__}: {error}")
        return Failure(f"sent what cannot be checked: {text}", traceback.format_exc())
    return None if text is None else Failure(printable(text))


def _record_answers(ledger, ask, answers):
    scope = scope_of(ask)
    for client, answer in answers.items():
        if isinstance(answer, Failure):
            answer = {"failure": answer.reason + answer.trace}
        ledger.record(ask.round, "up", client, ask.task, describe(answer), scope)


def _record_questions(ledger, ask):
    check_payload(ask.payload, "the server")
    common = describe(ask.payload)
    for client in ask.clients:
        own = ask.each.get(client)
        if own:
            check_payload(own, "the server")
            entries = describe(ask.message(client))
        else:
            entries = common
        ledger.record(ask.round, "down", client, ask.task, entries, scope_of(ask))
