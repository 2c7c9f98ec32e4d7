"""The two thin modules that Flower calls an app; what they call is skfed's own."""

FLOWER_VERSION = "1.41.0"

_PROJECT = f"""\
[project]
name = "skfed-app"
version = "1.0.0"
license = {{ file = "LICENSE" }}
dependencies = ["flwr>={FLOWER_VERSION}"]

[tool.flwr.app]
publisher = "skfed"
fab-format-version = 1
flwr-version-target = "{FLOWER_VERSION}"

[tool.flwr.app.components]
serverapp = "skfed_app.server:app"
clientapp = "skfed_app.client:app"

[tool.flwr.app.config]
recipe = ""
out = ""
clients = ""
timeout = 600.0
checkpoint = ""
"""

_LICENSE = """\
The modules of this app only call the installed skfed and are under its license,
BSD-3-Clause.
"""

_SERVER = """\
from skfed.sites import server_app

app = server_app()
"""

_CLIENT = """\
from skfed.sites import client_app

app = client_app()
"""


def app_files():
    """Return the app that ``flwr run`` sends around: ``{path: text}``."""
    return {
        "pyproject.toml": _PROJECT,
        "LICENSE": _LICENSE,
        "skfed_app/__init__.py": "",
        "skfed_app/server.py": _SERVER,
        "skfed_app/client.py": _CLIENT,
    }
