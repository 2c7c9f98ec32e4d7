"""What a site remembers of a fit, in files of its own directory.

The state is a dict of values that tasks replace and never change, so a value is written
when it is new, and a head, written last and at once, says which files hold. A process
that is killed in between leaves the head before, whose files are all there.
"""

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace

from ..federation._payload import dump_state, load_state

HEAD = "head.json"
FORMAT = 1


@dataclass
class Head:
    """Where a site is in a fit.

    Attributes
    ----------
    fit : str
        The fit; "" before the first.
    table : str
        Digest of the table with which it began.
    answered : int
        Its messages that were answered by anything but a failure.
    digest : str
        Of the last of them.
    answer : str
        The file that holds its answer.
    recipe : str
        The file that holds the recipe; "" before there is one.
    trained : dict
        ``{scope: how many rounds were trained}``.
    values : list
        ``[scope, key, file]`` of each value of the state; scope "" is the main fit's.
    scopes : list of str
        The fits inside the fit.
    """

    fit: str = ""
    table: str = ""
    answered: int = 0
    digest: str = ""
    answer: str = ""
    recipe: str = ""
    trained: dict = field(default_factory=dict)
    values: list = field(default_factory=list)
    scopes: list = field(default_factory=list)


class Store:
    """The files of one site's last fit.

    Parameters
    ----------
    directory : Path
        Holds nothing else; made where it is missing.

    Attributes
    ----------
    head : Head
        Where the site is.
    state : dict
        What the client remembers.
    """

    def __init__(self, directory):
        self.directory = directory
        self.head = Head()
        self.state: dict = {}
        self._files: dict = {}  # {(scope, key): (value, file)}
        self._load()

    def refresh(self):
        """Read anew what another process has written since, or what was deleted."""
        if self._seen() != self._stamp:
            self.head, self.state, self._files = Head(), {}, {}
            self._load()

    def _seen(self):
        """Return what tells a head from the next one; None if there is none."""
        try:
            found = os.stat(self.directory / HEAD)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _load(self):
        private(self.directory)  # it holds rows
        self._stamp = self._seen()  # before reading: what comes later is news
        path = self.directory / HEAD
        if self._stamp is None:
            return
        try:
            found = json.loads(path.read_text("utf-8"))
            if found.pop("format", None) != FORMAT:
                return
            head = Head(**found)
            for scope, key, file in head.values:
                self._files[scope, key] = load_state(self.bytes(file)), file
        except Exception:  # whatever became of them: the server sends all again
            self._files = {}
            return
        self.head, self.state = head, self._assembled(head)

    def _assembled(self, head):
        state = {key: v for (scope, key), (v, _) in self._files.items() if not scope}
        inner: dict = {scope: {} for scope in head.scopes}
        for (scope, key), (value, _) in self._files.items():
            if scope:
                inner[scope][key] = value
        return {**state, "scopes": inner} if inner else state

    def begin(self, fit, table):
        """Forget the fit before, and start another; nothing is written yet.

        Parameters
        ----------
        fit : str
            The fit.
        table : str
            Digest of the table that it is made with.
        """
        self.head, self.state, self._files = Head(fit, table), {}, {}
        self._stamp = ()  # of no head on the disk

    def bytes(self, file):
        """Return the bytes of a file that the head names."""
        return (self.directory / file).read_bytes()

    def keep(self, state, digest, answer, recipe=None, trained=None):
        """Write what changed, then the head; all is as before if that fails.

        Nothing is left then of what was written, for the disk may be full.

        Parameters
        ----------
        state : dict
            The client's, after a message.
        digest : str
            Of the message.
        answer : bytes
            Its answer.
        recipe : str, default=None
            The recipe that it brought.
        trained : str, default=None
            The scope of which it trained a round.
        """
        head = replace(self.head, trained=dict(self.head.trained))
        files: dict = {}
        head.answered += 1
        if trained is not None:
            head.trained[trained] = head.trained.get(trained, 0) + 1
        new = f"{head.answered}-{secrets.token_hex(4)}"  # no file is written twice
        try:
            self._write_new(new, head, files, state, digest, answer, recipe)
        except Exception:
            _remove(self.directory.glob(f"{new}*"))
            raise
        self.head, self.state, self._files = head, state, files
        self._stamp = self._seen()
        self._tidy()

    def _write_new(self, new, head, files, state, digest, answer, recipe):
        """Write the new values and the head; fill in what it and ``files`` say."""
        for position, (place, value) in enumerate(_flat(state).items()):
            known = self._files.get(place)
            if known is not None and known[0] is value:
                files[place] = known
                continue
            file = f"{new}-{position}.state"
            self._write(file, dump_state(value))
            files[place] = value, file
        head.digest, head.answer = digest, f"{new}.answer"
        self._write(head.answer, answer)
        if recipe is not None:
            head.recipe = f"{new}.recipe"
            self._write(head.recipe, recipe.encode())
        head.values = [[*place, file] for place, (_, file) in files.items()]
        head.scopes = list(state.get("scopes", {}))
        self._write(HEAD, json.dumps({"format": FORMAT, **asdict(head)}).encode())

    def _write(self, file, data):
        write_whole(self.directory / file, data)

    def _tidy(self):
        """Remove what the head does not name."""
        head = self.head
        wanted = {HEAD, head.answer, head.recipe, *(v[2] for v in head.values)}
        _remove(p for p in self.directory.iterdir() if p.name not in wanted)


def _remove(paths):
    for path in paths:
        with contextlib.suppress(OSError):  # it is tried again after the next message
            path.unlink()


def private(directory):
    """Make a directory of the site's own; nobody else may look into it.

    Parameters
    ----------
    directory : Path
        Made where it is missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # another user's, who said who may
        os.chmod(directory, 0o700)


def write_whole(path, data):
    """Write a file whole or not at all; only its owner may read it."""
    half = path.with_name(f"{path.name}.half")
    mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with open(os.open(half, mode, 0o600), "wb") as file:
            file.write(data)
        os.replace(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def digest_of(data):
    """Return a digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def _flat(state):
    found = {("", key): value for key, value in state.items() if key != "scopes"}
    for scope, inner in state.get("scopes", {}).items():
        found |= {(scope, key): value for key, value in inner.items()}
    return found
