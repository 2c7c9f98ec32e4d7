"""The journal of a fit: a directory from which it goes on where it was interrupted.

A file a step: digests of what the server asked, all answers, and what the clients kept
of it where their states end with the process. The server's side is not saved: it is a
generator, which comes to the same state by the same answers.
"""

import json
import os
import re
import sys
import tempfile
import uuid
import zipfile
from pathlib import Path

from ..exceptions import CheckpointError
from ._protocol import Failure
from ._tree import digest, load_tree, save_tree

FORMAT = 1
HEAD = "head.json"
PART = ".part-"  # of a file that is being written
STEP = re.compile(r"\d{6,}\.npz")
UNREADABLE = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


class Journal:
    """What has happened in a fit, written as it happens.

    Parameters
    ----------
    directory : path
        Where it is; made if it does not exist.

    Attributes
    ----------
    head : dict
        What the fit is; empty if the journal is new.
    n_steps : int
        Steps that are written.

    Raises
    ------
    CheckpointError
        If the directory holds something else, or cannot be written.
    """

    def __init__(self, directory):
        self.directory = Path(directory)
        self.head = self._read_head()
        self.n_steps = self._count()
        self.position = 0  # of the next step

    @property
    def fit(self):
        """Name of the fit."""
        return self.head["fit"]

    def begin(self, **about):
        """Say what the fit is; refuse to go on with another.

        Parameters
        ----------
        **about : int or dict
            ``seed``, and dicts ``recipe``, ``clients`` with texts by name.
        """
        if not self.head:
            head = {"format": FORMAT, "skfed": _version(), "fit": uuid.uuid4().hex}
            self.head = {**head, **about}
            text = json.dumps(self.head, indent=1).encode()
            self._write(HEAD, lambda file: file.write(text))
            return
        # else it would be found out after hours
        self._write(".writable", lambda file: None)
        for name in os.listdir(self.directory):
            if name.startswith((".writable", PART)):
                (self.directory / name).unlink()
        found = _differences(self.head, about)
        if found:
            raise self._refused(
                f"is of another fit: {'; '.join(found[:5])}. Give another directory, "
                "or delete this one to begin anew"
            )

    def recorded(self, asks, session):
        """Return the recorded answers to a step, or None if it is still to be done.

        Clients whose states ended with the process are brought to where they were.
        """
        if self.position >= self.n_steps:
            return None
        name, step = _name(self.position), self._read_step(self.position)
        self.position += 1
        if step["asked"] != [digest(_question(ask)) for ask in asks]:
            tasks = ", ".join(sorted({repr(ask.task) for ask in asks}))
            raise self._refused(
                f"tells of other questions than this fit asks in {name} ({tasks}): the "
                f"fit was another, or ran by skfed {self.head['skfed']} (this is "
                f"{_version()}), other versions of libraries or another number of "
                "threads. Go on as it was begun, or give another directory"
            )
        found = [
            {c: _answer(told) for c, told in zip(ask.clients, answers, strict=True)}
            for ask, answers in zip(asks, step["answers"], strict=True)
        ]
        if hasattr(session, "replay"):
            again = session.replay(asks, found, step["kept"])
            self._compare(asks, found, again)
        return found

    def _compare(self, asks, found, again):
        """Refuse if clients answer other than they did."""
        for ask, before, now in zip(asks, found, again, strict=True):
            for client, answer in now.items():
                if isinstance(answer, Failure):
                    text = f"failed now: {answer.reason}\n{answer.trace}"
                elif digest(answer) == digest(before[client]):
                    continue
                else:
                    text = "answers other than it did"
                raise self._refused(
                    f"is not of these tables: in task {ask.task!r}, client {client!r} "
                    f"{text}. Give the tables with which the fit was begun, or another "
                    "directory"
                )

    def write(self, asks, found, session):
        """Add a step that has been done."""
        kept = session.kept(asks) if hasattr(session, "kept") else None
        step = {
            "fit": self.fit,
            "asked": [digest(_question(ask)) for ask in asks],
            "answers": [[_told(a) for a in answers.values()] for answers in found],
            "kept": kept,
        }
        self._write(_name(self.position), lambda file: save_tree(file, step))
        self.position += 1
        self.n_steps = self.position

    def end(self):
        """Refuse a journal that tells of more than the fit asked."""
        if self.position < self.n_steps:
            raise self._refused(
                f"goes on after the fit has ended, with {_name(self.position)}: it was "
                "another fit, or a callback stopped this one earlier"
            )

    def _read_head(self):
        path = self.directory / HEAD
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            if self.directory.is_dir() and any(self._others()):
                raise self._refused(
                    f"is not empty and has no {HEAD}: it is no checkpoint of skfed. "
                    "Give a new or an empty directory"
                ) from None
            return {}
        except OSError as error:
            raise self._refused(f"cannot be read: {error}") from error
        try:
            head = json.loads(text)
            version = head["format"]
        except UNREADABLE as error:
            raise self._refused(
                f"has a {HEAD} that cannot be read: {error}. Give another directory"
            ) from error
        if version != FORMAT:
            raise self._refused(
                f"has format {version!r}, and this version of skfed reads format "
                f"{FORMAT}; it was written by skfed {head.get('skfed')}"
            )
        return head

    def _others(self):
        """Return the names of files that no interrupted write has left."""
        return [n for n in os.listdir(self.directory) if not n.startswith(".")]

    def _count(self):
        """Return the number of steps; refuse if one is missing before the last."""
        if not self.head:
            return 0
        names = sorted(filter(STEP.fullmatch, os.listdir(self.directory)), key=_number)
        for number, name in enumerate(names):
            if _number(name) != number:
                raise self._refused(
                    f"lacks {_name(number)}, but has {name}: put the file back, or "
                    "delete all later ones to go on from there"
                )
        return len(names)

    def _read_step(self, number):
        name = _name(number)
        try:
            step = load_tree(self.directory / name)
            fit = step["fit"]
        except (*UNREADABLE, OSError) as error:
            raise self._refused(
                f"has a damaged file, {name} ({type(error).__name__}: {error}): put it "
                "back from a copy, or delete it and all later ones to go on from there"
            ) from error
        if fit != self.fit:
            raise self._refused(f"has a file of another checkpoint, {name}")
        return step

    def _write(self, name, save):
        """Write a file at once: whoever reads it finds all of it or nothing."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            place, part = tempfile.mkstemp(prefix=PART, dir=self.directory)
            try:
                with open(place, "wb") as file:
                    save(file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, self.directory / name)
            except BaseException:
                os.unlink(part)
                raise
        except OSError as error:
            raise self._refused(f"cannot be written: {error}") from error

    def _refused(self, text):
        return CheckpointError(f"the checkpoint {str(self.directory)!r} {text}")


def _version():
    return sys.modules[__name__.partition(".")[0]].__version__


def _name(number):
    return f"{number:06d}.npz"


def _number(name):
    return int(name.partition(".")[0])


def _question(ask):
    """Return what of a broadcast decides the answers."""
    names = [repr(client) for client in ask.clients]
    each = [ask.each.get(client) or {} for client in ask.clients]
    each = each if any(each) else []
    return [ask.task, ask.round, names, ask.payload, each]


def _told(answer):
    """Return an answer as plain values."""
    if isinstance(answer, Failure):
        return [answer.reason, answer.trace]
    return answer


def _answer(told):
    return Failure(*told) if isinstance(told, list) else told


def _differences(head, about):
    """Say in which a fit differs from the one that was begun."""
    found = []
    if head.get("seed") != about["seed"]:
        found.append(
            f"the seed was {head.get('seed')} and is {about['seed']} (random_state)"
        )
    before, now = head.get("clients", {}), about["clients"]
    if before.keys() != now.keys():
        gone = [f"without {name}" for name in before if name not in now]
        new = [f"with {name}" for name in now if name not in before]
        found.append(f"the clients are others ({', '.join(new + gone)})")
    other = [n for n in before if n in now and before[n] != now[n]]
    if other:
        found.append(f"the table or target of {', '.join(other)} has changed")
    before, now = head.get("recipe", {}), about["recipe"]
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name, "absent"), now.get(name, "absent")
        if old != new:
            found.append(f"{name} was {old} and is {new}")
    return found
