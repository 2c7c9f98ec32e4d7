"""The commands of a site that speak Flower: ``run``, ``supernode`` and ``app``."""

import os
import sys
from pathlib import Path

from ..exceptions import ClientError
from ..federation._flower_app import app_files
from ..federation._flower_messages import need_flower
from ._flower_site import serve
from ._read_config import read_config
from ._runner import SiteRunner


def add_commands(tasks):
    """Add the subcommands to those of ``skfed-site``.

    Parameters
    ----------
    tasks : argparse subparsers
        Of the command.
    """
    run = tasks.add_parser("run", help="connect to the SuperLink and answer; stays up")
    run.set_defaults(run=_run)
    run.add_argument(
        "--poll",
        type=float,
        default=0.2,
        metavar="SECONDS",
        help="between questions for messages (default: 0.2)",
    )
    node = tasks.add_parser(
        "supernode", help="start Flower's own SuperNode; it executes the app it is sent"
    )
    node.set_defaults(run=_supernode)
    node.add_argument(
        "--port", type=int, default=9094, help="of the node itself (default: 9094)"
    )
    for one in (run, node):
        one.add_argument("config", metavar="CONFIG", help="the site's TOML file")
    app = tasks.add_parser("app", help="write the app that 'flwr run' takes")
    app.set_defaults(run=_app)
    app.add_argument("directory", metavar="DIRECTORY")


def _run(given):
    config = _with_flower(given.config)
    runner, place = SiteRunner(config), config.flower
    serve(
        runner.answer,
        runner.name,
        config.state,
        place.superlink,
        place.root_certificates,
        place.key,
        given.poll,
    )


def _supernode(given):
    need_flower()
    config, file = _with_flower(given.config), Path(given.config).resolve()
    place = config.flower
    command = ["flower-supernode", "--superlink", place.superlink]
    command += ["--host", "127.0.0.1", "--port", str(given.port)]
    if place.root_certificates is None:
        command += ["--insecure"]
    else:
        command += ["--root-certificates", str(place.root_certificates)]
    if place.key is not None:
        command += ["--auth-supernode-private-key", str(place.key)]
    command += ["--node-config", f'config="{file}"']
    program = Path(sys.executable).with_name(command[0])
    os.execv(program, command)


def _app(given):
    directory = Path(given.directory)
    for path, text in app_files().items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _with_flower(path):
    config = read_config(path)
    if config.flower is None:
        raise ClientError(
            f"{path}: the section [flower] is missing, which names the SuperLink"
        )
    return config
