"""What is installed, for reports of problems."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

NEEDED = "numpy", "scipy", "pandas", "scikit-learn", "torch", "skorch", "joblib"


def show_versions():
    """Print the versions of skfed, Python and all packages that skfed can use.

    Put it into every report of a problem. Nothing is imported for it.

    Examples
    --------
    >>> import skfed
    >>> skfed.show_versions()  # doctest: +ELLIPSIS
    <BLANKLINE>
    System
    python            ...
    """
    system = {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
    }
    packages = {name: _version(name) for name in ("skfed", *NEEDED, *_optional())}
    for title, lines in (("System", system), ("Packages", packages)):
        told = [f"{name:<17} {value}" for name, value in lines.items()]
        sys.stdout.write("\n".join(["", title, *told, ""]))


def _optional():
    """Return the packages of the extras that users install, by name."""
    own = "test", "docs", "dev", "bench", "bench-flower"
    found = [
        re.split(r"[^\w.-]", line)[0]
        for line in requires("skfed") or []
        if "extra ==" in line and not any(f'"{extra}"' in line for extra in own)
    ]
    return sorted({*found} - {*NEEDED, "skfed"}, key=str.lower)


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
