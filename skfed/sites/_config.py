"""The configuration of a site: one TOML file, checked before anything is read."""

import difflib
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..exceptions import ClientError
from ..training._recipe import ALLOWED_CLASSES
from ..training._tasks import TASK_NAMES

COLUMN_TYPES = ("category", "number", "integer", "text", "boolean", "date")
TARGETS = ("auto", "labels", "numbers")
NAME = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True)
class DataConfig:
    """Where a site's table is; the section ``[data]`` of its configuration.

    Parameters
    ----------
    csv, parquet : Path, default=None
        A file, relative to the configuration's.
    sql : str, default=None
        A query, for which ``url`` or ``url_env`` says where the database is.
    url : str, default=None
        An SQLAlchemy URL.
    url_env : str, default=None
        The environment variable that holds it, so that no password is in the file.
    index : str, default=None
        Column with the names of the rows, which anchors match by.
    columns : tuple of str, default=()
        The columns that take part, by their names in the source; () is all others.
    types : dict, default={}
        ``{column of the source: type}``: "category", "number", "integer", "text",
        "boolean" or "date".
    rename : dict, default={}
        ``{column of the source: name in the federation}``.
    drop_missing_target : bool, default=False
        Whether rows without a target are left out; they are refused otherwise.
    separator, decimal, encoding : str, default=",", ".", "utf-8"
        How a CSV file is written.
    missing : tuple of str, default=()
        Texts that stand for a missing value, beside the usual ones.
    date_format : str, default=None
        How dates are written, such as "%d.%m.%Y"; None is the ISO form, 2024-03-08.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skfed.sites import DataConfig
    >>> DataConfig(csv=Path("houses.csv"), rename={"m2": "area"}).rename
    {'m2': 'area'}
    """

    csv: Path | None = None
    parquet: Path | None = None
    sql: str | None = None
    url: str | None = None
    url_env: str | None = None
    index: str | None = None
    columns: tuple = ()
    types: dict = field(default_factory=dict)
    rename: dict = field(default_factory=dict)
    drop_missing_target: bool = False
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    missing: tuple = ()
    date_format: str | None = None


@dataclass(frozen=True)
class PolicyConfig:
    """What a site lets a server ask; the section ``[policy]`` of its configuration.

    Parameters
    ----------
    min_count : int, default=5
        Rows that must stand behind any statistic; recipes that want fewer are refused.
    max_rounds : int, default=200
        Most rounds of a fit, and of each fit inside it.
    max_folds : int, default=10
        Most folds of a personalizer.
    max_fits : int, default=100
        Most fits that may begin in a day (UTC).
    tasks : tuple of str, default=all
        Tasks that are answered.
    classes : tuple of str, default=("skfed", "sklearn", "skorch", "torch.nn", ...)
        Packages, modules or classes that a recipe may name. Of these packages only
        what computes is taken, and steps whose columns tell nothing of single rows;
        scikit-learn's other steps have to be listed by their own names.
    max_bytes : int, default=268435456
        Most bytes of a message.
    target : {"auto", "labels", "numbers"}, default="auto"
        What the target is. Labels are told by name, so that recipes which want labels
        are refused where the target holds numbers, or nearly a value for each row; by
        "labels" the site says that each may be told.
    anchors : bool, default=False
        Whether a recipe may ask which rows are there by their names and how alike they
        are, as :class:`~skfed.alignment.AnchorAligner` does.
    dry_run : bool, default=False
        Whether answers are made and logged, but not sent.
    log : Path, default=None
        File to which a line of JSON is added for everything that is sent or refused;
        None is ``sent.jsonl`` in the site's directory.

    Examples
    --------
    >>> from skfed.sites import PolicyConfig
    >>> PolicyConfig(min_count=20).max_rounds
    200
    """

    min_count: int = 5
    max_rounds: int = 200
    max_folds: int = 10
    max_fits: int = 100
    tasks: tuple = TASK_NAMES
    classes: tuple = ALLOWED_CLASSES
    max_bytes: int = 2**28
    target: str = "auto"
    anchors: bool = False
    dry_run: bool = False
    log: Path | None = None


@dataclass(frozen=True)
class FlowerConfig:
    """How a site reaches a SuperLink; the section ``[flower]`` of its configuration.

    Parameters
    ----------
    superlink : str
        Its address, ``host:port``.
    root_certificates : Path, default=None
        The certificate of the authority that signed the SuperLink's; None speaks
        without TLS, which is for tests on one machine.
    key : Path, default=None
        The site's private key, whose public part the SuperLink knows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skfed.sites import FlowerConfig
    >>> config = FlowerConfig("flower.example.org:443", Path("ca.crt"), Path("n.key"))
    >>> config.superlink
    'flower.example.org:443'
    """

    superlink: str
    root_certificates: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class SiteConfig:
    """What a site is and allows, as :func:`read_config` reads it from a file.

    Parameters
    ----------
    name : str
        The client's name in the federation.
    target : tuple of str
        Target column, or columns, by their names in the federation.
    state : Path
        The site's own directory; made where it is missing.
    data : DataConfig
        Where the table is.
    policy : PolicyConfig, default=PolicyConfig()
        What a server may ask.
    flower : FlowerConfig, default=None
        How a SuperLink is reached.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skfed.sites import DataConfig, SiteConfig
    >>> data = DataConfig(csv=Path("houses.csv"))
    >>> config = SiteConfig("north", ("price",), Path("north"), data)
    >>> config.policy.min_count
    5
    """

    name: str
    target: tuple
    state: Path
    data: DataConfig
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    flower: FlowerConfig | None = None


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
