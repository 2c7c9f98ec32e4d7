"""A site's file, read and checked before anything else is."""

import difflib
import re
import tomllib
from dataclasses import fields
from pathlib import Path

from ..exceptions import ClientError
from ..training._tasks import TASK_NAMES
from ._config import (
    COLUMN_TYPES,
    TARGETS,
    DataConfig,
    FlowerConfig,
    PolicyConfig,
    SiteConfig,
)

NAME = re.compile(r"[\w.-]{1,64}")
KEYS = {
    "": ("name", "target", "state", "data", "policy", "flower"),
    "data": tuple(f.name for f in fields(DataConfig)),
    "policy": tuple(f.name for f in fields(PolicyConfig)),
    "flower": tuple(f.name for f in fields(FlowerConfig)),
}


def read_config(path):
    """Read and check a site's configuration.

    Parameters
    ----------
    path : str or Path
        A TOML file.

    Returns
    -------
    config : SiteConfig
        Its paths are relative to the file's directory.

    Raises
    ------
    ClientError
        If the file is no TOML, or a key is missing, unknown or of another kind; the
        text names file, key and remedy.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfed.sites import read_config
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory) / "north.toml"
    ...     _ = path.write_text('''
    ... name = "north"
    ... target = "price"
    ... state = "north"
    ... [data]
    ... csv = "houses.csv"
    ... ''')
    ...     read_config(path).target
    ('price',)
    """
    path = Path(path)
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClientError(f"{path} is no TOML file: {error}") from error
    return _Reader(path).config(given)


class _Reader:
    """Checks the tables of one file; every error names the file and the key."""

    def __init__(self, path):
        self.path, self.directory = path, path.resolve().parent

    def config(self, given):
        self._known("", given)
        name = self._text(given, "name", required=True)
        if not NAME.fullmatch(name):
            self._refuse("name", f"is {name!r}; use letters, digits, '_', '.' and '-'")
        target = self._texts(given, "target")
        if not target:
            self._refuse("target", "is missing: name the column to predict")
        state = self._path(given, "state")
        if state is None:
            self._refuse("state", "is missing: name a directory of this site's own")
        data = self._data(self._table(given, "data"))
        policy, flower = self._policy(given), self._flower(given)
        return SiteConfig(name, target, state, data, policy, flower)

    def _data(self, given):
        self._known("data", given)
        kinds = [kind for kind in ("csv", "parquet", "sql") if kind in given]
        if len(kinds) != 1:
            self._refuse("data", f"needs one of csv, parquet and sql, and has {kinds}")
        types = self._named(given, "data.types")
        for column, kind in types.items():
            if kind not in COLUMN_TYPES:
                self._refuse(
                    f"data.types.{column}", f"is {kind!r}; known are {COLUMN_TYPES}"
                )
        places = [key for key in ("url", "url_env") if key in given]
        if kinds == ["sql"] and len(places) != 1:
            self._refuse("data.sql", "needs url or url_env to say where the data are")
        if kinds != ["sql"] and places:
            self._refuse(f"data.{places[0]}", "goes with sql")
        return DataConfig(
            csv=self._path(given, "data.csv"),
            parquet=self._path(given, "data.parquet"),
            sql=self._text(given, "data.sql"),
            url=self._text(given, "data.url"),
            url_env=self._text(given, "data.url_env"),
            index=self._text(given, "data.index"),
            columns=self._texts(given, "data.columns"),
            types=types,
            rename=self._named(given, "data.rename"),
            drop_missing_target=self._flag(given, "data.drop_missing_target"),
            separator=self._text(given, "data.separator") or ",",
            decimal=self._text(given, "data.decimal") or ".",
            encoding=self._text(given, "data.encoding") or "utf-8",
            missing=self._texts(given, "data.missing"),
            date_format=self._text(given, "data.date_format"),
        )

    def _policy(self, given):
        given = self._table(given, "policy") if "policy" in given else {}
        self._known("policy", given)
        found: dict = {}
        for key in ("min_count", "max_rounds", "max_folds", "max_fits", "max_bytes"):
            if key in given:
                found[key] = self._count(given[key], f"policy.{key}")
        for key in ("tasks", "classes"):
            if key in given:
                found[key] = self._texts(given, f"policy.{key}")
        for task in found.get("tasks", ()):
            if task not in TASK_NAMES:
                self._refuse(
                    "policy.tasks", f"has {task!r}; known are {list(TASK_NAMES)}"
                )
        if "target" in given:
            found["target"] = self._text(given, "policy.target")
            if found["target"] not in TARGETS:
                self._refuse("policy.target", f"has to be one of {TARGETS}")
        found["anchors"] = self._flag(given, "policy.anchors")
        found["dry_run"] = self._flag(given, "policy.dry_run")
        return PolicyConfig(log=self._path(given, "policy.log"), **found)

    def _flower(self, given):
        if "flower" not in given:
            return None
        given = self._table(given, "flower")
        self._known("flower", given)
        superlink = self._text(given, "flower.superlink", required=True)
        if not re.fullmatch(r".+:\d+", superlink):
            self._refuse("flower.superlink", f"is {superlink!r}; write host:port")
        return FlowerConfig(
            superlink,
            self._path(given, "flower.root_certificates"),
            self._path(given, "flower.key"),
        )

    def _known(self, section, given):
        for key in given:
            if key in KEYS[section]:
                continue
            close = difflib.get_close_matches(key, KEYS[section], n=1)
            hint = f"did you mean {close[0]!r}" if close else "known are "
            hint += "?" if close else f"{list(KEYS[section])}"
            self._refuse(f"{section}.{key}" if section else key, f"is unknown; {hint}")

    def _table(self, given, key):
        value = given.get(key)
        if not isinstance(value, dict):
            self._refuse(key, f"has to be a section [{key}]")
        return value

    def _text(self, given, key, required=False):
        value = given.get(key.split(".")[-1])
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value:
            self._refuse(key, f"has to be a text, not {value!r}")
        return value

    def _texts(self, given, key):
        value = given.get(key.split(".")[-1], [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self._refuse(key, f"has to be a list of texts, not {value!r}")
        if len(set(value)) < len(value):
            self._refuse(key, f"names something twice: {value}")
        return tuple(value)

    def _named(self, given, key):
        value = given.get(key.split(".")[-1], {})
        texts = isinstance(value, dict) and all(
            isinstance(v, str) for v in value.values()
        )
        if not texts:
            self._refuse(key, "has to be a section of lines such as column = 'text'")
        return value

    def _count(self, value, key):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._refuse(key, f"has to be a whole number of at least 1, not {value!r}")
        return value

    def _flag(self, given, key):
        value = given.get(key.split(".")[-1], False)
        if not isinstance(value, bool):
            self._refuse(key, f"has to be true or false, not {value!r}")
        return value

    def _path(self, given, key):
        value = self._text(given, key)
        return None if value is None else self.directory / value

    def _refuse(self, key, why):
        raise ClientError(f"{self.path}: the key {key!r} {why}")
