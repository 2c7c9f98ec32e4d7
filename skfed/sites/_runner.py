"""The site's side of a fit: bytes in, bytes out, whatever carries them."""

import traceback
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from ..exceptions import ClientError, RecipeError
from ..federation import Failure, Site
from ..federation._bytes import decode_checked
from ..federation._envelope import decode_answer, encode_answer, request_of
from ..federation._ledger import describe
from ..federation._payload import check_payload
from ..federation._protocol import lost_state
from ..preprocessing._disclosure import at_site
from ..training._introduce import introduce
from ..training._recipe import skfed_version
from ..training._recipe_read import decode_plan
from ..training._tasks import TASK_NAMES
from ._config import SiteConfig
from ._fits import FitsOfDay
from ._lock import locked
from ._log import SentLog
from ._model import save_model
from ._policy import Policy, Refusal
from ._read_config import read_config
from ._source import read_site
from ._store import Store, digest_of, private

HELLO = "hello"  # asks for the name; every site answers it
FIT = "fit"  # the directory of the fit's state, in the site's own
FITS = "fits.json"  # how many began today
LOG = "sent.jsonl"
LOCK = "lock"  # of whoever is answering
LONGEST = 100  # characters of a server's own words in the log


class SiteRunner:
    r"""Answers a server's messages for one site, under the site's own rules.

    What carries the bytes is not its business: a transport hands each message to
    :meth:`answer` and sends back what that returns. All that is remembered between
    messages is in the site's directory, so that each may find a new process.

    Parameters
    ----------
    config : SiteConfig, str or Path
        The site's configuration, or its file.

    See Also
    --------
    read_config : The file.
    load_pipeline : What the site predicts by after a fit.

    Notes
    -----
    **What leaves the client:** the answers of the tasks that its policy allows, each
    of which is written in the log before it goes. Of a failure the text leaves only
    where it is skfed's own, which names columns and counts; of any other its type, and
    the log has the rest.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfed.sites import DataConfig, SiteConfig, SiteRunner
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     data = DataConfig(csv=Path("houses.csv"))
    ...     site = SiteConfig("north", ("price",), Path(directory), data)
    ...     answer = SiteRunner(site).answer(b"no message")
    ...     log = (Path(directory) / "sent.jsonl").read_text()
    >>> log[log.index("event") :]
    'event": "refused", "reason": "the message is none: File is not a zip file"}\n'
    """

    def __init__(self, config):
        self.config = config if isinstance(config, SiteConfig) else read_config(config)
        directory, rules = Path(self.config.state), self.config.policy
        self._policy = Policy(rules)
        self._log = SentLog(rules.log or directory / LOG)
        self._directory = directory
        private(directory)
        self._store = Store(directory / FIT)
        self._begun = FitsOfDay(directory / FITS)
        self._cohort: Any = None
        self._digest = ""
        self._plans: tuple = ("", None)  # the file of a recipe, and what it says

    @property
    def name(self):
        """The site's name."""
        return self.config.name

    def answer(self, data):
        """Return the answer to a message; never raises.

        Parameters
        ----------
        data : bytes
            What the server sent.

        Returns
        -------
        answer : bytes
            What the server gets.
        """
        try:
            private(self._directory)
            with locked(self._directory / LOCK):
                self._store.refresh()
                return self._answered(data)
        except Exception:  # nothing leaves that cannot be logged
            return encode_answer(Failure("the site cannot write its log"))

    def _answered(self, data):
        """Answer a message, or refuse it, and log that."""
        try:
            request = request_of(decode_checked(data, self.config.policy.max_bytes))
        except Exception as error:
            self._log.add("refused", reason=str(error))
            return encode_answer(Failure("Refusal: the message cannot be read"))
        place = {
            "fit": request.fit[:LONGEST],
            "number": request.number,
            "task": request.task[:LONGEST],
        }
        scope = request.payload.get("scope")
        if scope:
            place["scope"] = str(scope)[:LONGEST]
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                return self._answer(request, digest_of(data), place)
        except (Refusal, RecipeError) as error:
            self._log.add("refused", **place, reason=str(error))
            return encode_answer(Failure(f"Refusal: {error}"))
        except Exception as error:
            trace = traceback.format_exc()
            self._log.add("failed", **place, reason=str(error), trace=trace)
            return encode_answer(Failure(_told(error)))
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                self._log.add("warned", **place, reason=text)

    def _answer(self, request, digest, place):
        task = request.task
        if type(request.payload.get("scope", "")) is not str:
            raise Refusal("the message's scope is no text")
        if task == HELLO:
            return self._sent({"name": self.name, "skfed": skfed_version()}, place)
        self._policy.check_task(task, TASK_NAMES)
        if task == "introduce":  # before a fit, which it is no part of
            cohort = self._table()
            columns = cohort.target_columns.get(self.name)
            target = cohort.targets[self.name]
            answer = introduce(request.payload, self.name, target, columns)
            return self._sent(answer, place)
        head, number = self._store.head, request.number
        known = request.fit != "" and head.fit == request.fit
        if known and number == head.answered - 1 and head.digest == digest:
            return self._sent_again(self._store.bytes(head.answer), place)
        if task == "prepare":
            return self._begin(request, digest, place)
        if not known or number != head.answered:
            lost = lost_state(head.answered if known else None, number)
            self._log.add("failed", **place, reason=lost.reason)
            return encode_answer(lost)
        return self._work(request, digest, place)

    def _begin(self, request, digest, place):
        """Start a fit with the recipe that the message brings.

        The answer tells the table from another one, in case the site has to be brought
        back later: the driver compares.
        """
        if request.number != 0 or not request.fit:
            raise Refusal("a recipe comes with the first message of a fit")
        recipe, plan = self._policy.read_recipe(request.payload)
        self._policy.check_split(plan)
        cohort = self._table()
        table = cohort.tables[self.name]
        self._policy.check_target(plan, self.name, cohort.targets[self.name])
        if not self._begun.add(self.config.policy.max_fits):
            raise Refusal(
                f"policy.max_fits={self.config.policy.max_fits} fits began today"
            )
        told = {"n_rows": len(table), "columns": list(table.columns)}

        def keep(answer):
            self._store.begin(request.fit, self._table_digest())
            self._store.keep({}, digest, answer, recipe=recipe)

        return self._sent(told, place, keep)

    def _work(self, request, digest, place):
        """Do a task of the fit."""
        from ..training._client import handle

        store, task, payload = self._store, request.task, request.payload
        plan = self._plan()
        self._policy.check_message(task, payload, plan, store.head.trained)
        asked = self._policy.asked(task, payload, plan, store.state)
        cohort = self._table()
        if self._table_digest() != store.head.table:
            raise ClientError(
                f"the table of client {self.name!r} is not that with which the fit "
                "began; fit anew"
            )
        table, target = cohort.tables[self.name], cohort.targets[self.name]
        state = {**store.state, "asked": asked}
        with at_site():
            found = handle(task, payload, state, Site(self.name, table, target, plan))
        check_payload(found, f"client {self.name!r}")
        if self.config.policy.dry_run:
            return self._sent(found, place)

        def keep(answer):
            kept = state.pop("kept", None)
            if kept is not None:
                save_model(self._directory, request.fit, kept)
            trained = payload.get("scope", "") if task == "train" else None
            store.keep(state, digest, answer, trained=trained)

        return self._sent(found, place, keep)

    def _sent(self, payload, place, keep=None):
        """Return an answer as bytes, once the log says that it goes.

        It is kept before, for the log shall not say so of one that a full disk turns
        into a failure. One that is kept, and not yet in the log, has not left: it is
        sent, and logged, when the server asks again.
        """
        told = answer = encode_answer(payload)
        held = self.config.policy.dry_run and place["task"] != HELLO
        if held:
            answer = encode_answer(Failure("Refusal: the site makes a dry run"))
        if keep is not None:
            keep(answer)
        event = "kept back" if held else "sent"
        self._log.add(event, **place, bytes=len(told), entries=_entries(payload))
        return answer

    def _sent_again(self, answer, place):
        """Return the last answer once more, once the log says so."""
        payload = decode_answer(answer, len(answer))
        entries = [] if isinstance(payload, Failure) else _entries(payload)
        told = {"bytes": len(answer), "entries": entries, "again": True}
        self._log.add("sent", **place, **told)
        return answer

    def _plan(self):
        """Return the fit's recipe, read once by a process."""
        file = self._store.head.recipe
        if self._plans[0] != file:
            text = self._store.bytes(file).decode()
            rules = self.config.policy
            given = rules.classes, rules.min_count, rules.anchors
            self._plans = file, decode_plan(text, *given)
        return self._plans[1]

    def _table(self):
        """Return the site's table, read once by a process."""
        if self._cohort is None:
            self._cohort = read_site(self.config)
        return self._cohort

    def _table_digest(self):
        """Return a digest of the site's rows, which stays here."""
        if not self._digest:
            cohort = self._table()
            rows, target = cohort.tables[self.name], cohort.targets[self.name]
            self._digest = digest_of(
                repr(list(rows.columns)).encode()
                + pd.util.hash_pandas_object(rows).to_numpy().tobytes()
                + pd.util.hash_pandas_object(pd.DataFrame(target)).to_numpy().tobytes()
            )
        return self._digest


def _entries(payload):
    """Return what the log says of an answer."""
    return [[name, list(shape), kind, n] for name, shape, kind, n in describe(payload)]


def _told(error):
    """Return what of an exception leaves the site: no text that may hold a cell.

    Texts of ClientErrors hold none (a test reads them all); their notes may, and stay.
    """
    ours = isinstance(error, ClientError)
    if ours and error.__cause__ is None and error.__context__ is None:
        return f"ClientError: {error}"
    return f"{type(error).__name__} at the site, whose log says more"
