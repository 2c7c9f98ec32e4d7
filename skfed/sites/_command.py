"""The command of a site: ``skfed-site``."""

import argparse
import sys
import warnings

import numpy as np

from ..data._tables import n_rows
from ..exceptions import ClientError
from ..training._introduce import introduced
from ._flower_command import add_commands
from ._read_config import read_config
from ._source import read_site


def main(arguments=None):
    """Run the command; return its exit status.

    Parameters
    ----------
    arguments : list of str, default=None
        The command line; None takes that of the process.
    """
    given = parser().parse_args(arguments)
    try:
        given.run(given)
    except (ClientError, ImportError) as error:
        text = "; ".join([str(error), *getattr(error, "__notes__", ())])
        sys.stderr.write(f"skfed-site: {text}\n")
        return 1
    return 0


def parser():
    """Return the parser, with a subcommand for each thing to do."""
    command = argparse.ArgumentParser(
        "skfed-site", description="A site of a federation, where its data are."
    )
    tasks = command.add_subparsers(required=True, metavar="COMMAND")
    check = tasks.add_parser("check", help="read the table; show what would be told")
    check.set_defaults(run=_check)
    dry = tasks.add_parser(
        "dry-run", help="print what would leave before the first round; send nothing"
    )
    dry.add_argument("--shapes", action="store_true", help="leave out the values")
    dry.add_argument(
        "--aligner",
        choices=("auto", "factor"),
        default="auto",
        help="the recipe's aligner; 'factor' is for sites whose columns differ",
    )
    dry.set_defaults(run=_dry_run)
    for one in (check, dry):
        one.add_argument("config", metavar="CONFIG", help="the site's TOML file")
    add_commands(tasks)
    return command


def _check(given):
    config = read_config(given.config)
    cohort = read_site(config)
    table, target = cohort.tables[config.name], cohort.targets[config.name]
    rules = config.policy
    n = n_rows(table)
    _say(f"site {config.name!r}: {n} rows, {table.shape[1]} columns\n")
    lines = [("column", "type", "missing", "")]
    for name in table.columns:
        column = table[name]
        note = "looks like an identifier" if _identifies(column) else ""
        lines.append((name, str(column.dtype), str(column.isna().sum()), note))
    _table(lines)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind = introduced(config.name, target, "auto").task
    _say(f"\ntarget {', '.join(config.target)}: {kind}")
    if kind in ("binary", "multiclass"):
        _say(f"  labels: {np.unique(target).tolist()}")
    _say("\ntold to the server when a fit begins:")
    _say("  the names of the columns, the number of rows, the kind of target")
    if kind != "regression":
        _say("  the labels, and how many rows each has (rare ones as their mean)")
    _say("\nthe server may ask for:")
    _say(f"  tasks: {', '.join(rules.tasks)}")
    _say(f"  at most {rules.max_rounds} rounds, {rules.max_folds} folds")
    _say(f"  statistics of at least {rules.min_count} rows")
    _say(f"  classes of {', '.join(rules.classes)}")
    for warning in caught:
        _say(f"\nwarning: {warning.message}")
    if any(_identifies(table[name]) for name in table.columns):
        _say("\nlist the columns that take part as data.columns, without identifiers")
    if n < rules.min_count:
        _say(f"\nwarning: fewer rows than policy.min_count={rules.min_count}")


def _identifies(column):
    """Tell text of which every row has its own."""
    texts = column.dropna()
    text = column.dtype.kind == "O" or str(column.dtype) in ("str", "category")
    return text and len(texts) > 1 and texts.nunique() == len(texts)


def _dry_run(given):
    from ._dry_run import dry_run

    config = read_config(given.config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = dry_run(config, given.aligner)
    for task, payload in answers:
        _say(f"{task}:" if payload else f"{task}: nothing")
        for name, value in payload.items():
            with np.printoptions(threshold=sys.maxsize):
                values = "" if given.shapes else f" = {value!r}"
            _say(f"  {name}{_shape(value)}{values}")
    _say("nothing was sent")


def _shape(value):
    if isinstance(value, np.ndarray):
        return f" {value.dtype} {value.shape}"
    return f" list of {len(value)}" if isinstance(value, list) else ""


def _table(lines):
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        _say("  " + "  ".join(cell.ljust(width) for cell, width in cells).rstrip())


def _say(text):
    sys.stdout.write(text + "\n")
