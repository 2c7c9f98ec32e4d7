"""The configuration of a site: what its file says, section by section."""

from dataclasses import dataclass, field
from pathlib import Path

from ..training._recipe import ALLOWED_CLASSES
from ..training._tasks import TASK_NAMES

COLUMN_TYPES = ("category", "number", "integer", "text", "boolean", "date")
TARGETS = ("auto", "labels", "numbers")


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
