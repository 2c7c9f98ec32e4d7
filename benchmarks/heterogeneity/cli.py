"""Options, the plan, and what is printed at the end."""

import argparse
import re
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from . import real
from .cells import cells, quick_cells
from .methods import BASE, METHODS, chosen, effort
from .pairs import per_client, per_draw
from .run import run_all
from .summary import overall, per_cell, per_method, probabilities
from .verdict import verdicts


def main(arguments=None):
    """Run the command."""
    args = _parser().parse_args(arguments)
    if not real.available():
        print("real data left out, skfed[datasets] is not installed:", *real.SOURCES)
    if args.findings and find_spec("matplotlib") is None:
        raise SystemExit("--findings needs matplotlib: pip install 'skfed[plot]'")
    jobs = plan(args)
    describe(jobs, args.jobs)
    if args.plan or not jobs:
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if args.csv:
            folder = Path(args.csv).with_suffix(".draws")
            folder.mkdir(parents=True, exist_ok=True)
        frame, failures = run_all(jobs, folder, args.jobs, args.resume, args.minutes)
    report(frame, args, failures)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.heterogeneity",
        description="Measure what heterogeneity does to federated learning, on cells "
        "that turn one dial each and on real clients.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="six cells, two draws")
    add("--wide", action="store_true", help="all cells, for about twice the time")
    add("--only", metavar="PATTERN", help="of all cells those whose name this finds")
    add("--seeds", type=int, help="draws of a cell (5; quick: 2)")
    add("--first-seed", type=int, default=0)
    add(
        "--methods",
        metavar="NAMES",
        help="'all' for every aligner and personalizer on some of the cells (or on "
        f"--only's), or names with commas between, of: {', '.join(METHODS)}",
    )
    add(
        "--csv",
        metavar="PATH",
        help="write scores per draw, client and method here; beside it one line per "
        "cell, one per cell and method, and a folder of finished draws",
    )
    add(
        "--resume",
        action="store_true",
        help="keep the draws that --csv's folder has; with --minutes 0, report them",
    )
    add("--jobs", type=int, default=2, help="draws at a time (2)")
    add(
        "--minutes",
        type=float,
        default=60,
        help="begin no draw after these (60); the first seed has every cell",
    )
    add("--findings", metavar="DIR", help="write figures and tables into this folder")
    add("--plan", action="store_true", help="print the plan and stop")
    return parser


def plan(args):
    """Return ``(cell, seed, methods)``, seed by seed: a run cut short has all cells.

    Within a seed the longest draws come first, so that no process waits at the end.
    """
    offered = quick_cells() if args.quick else cells()
    if not (args.quick or args.wide or args.only):
        offered = [cell for cell in offered if not cell.wide]
    asked = [cell for cell in offered if re.search(args.only or "", cell.name)]
    asked.sort(key=lambda cell: -cell.seconds)
    n_seeds = args.seeds or (2 if args.quick else 5)
    methods = chosen(args.methods)
    jobs = []
    for repeat in range(n_seeds):
        for cell in asked:
            few = args.methods == "all" and not (cell.all_methods or args.only)
            wanted = list(BASE) if few else methods
            jobs.append((cell, args.first_seed + repeat, wanted))
    return jobs


def describe(jobs, n_jobs):
    """Print what is going to be run."""
    table = pd.DataFrame(
        [(c.group, c.name, c.seconds * effort(m) / effort(BASE)) for c, _, m in jobs],
        columns=["group", "cell", "seconds"],
    )
    by_group = table.groupby("group", sort=False)
    minutes = by_group["seconds"].sum() / 60 / n_jobs
    for group, names in by_group["cell"]:
        print(
            f"{group}: {names.nunique()} cells, {len(names)} draws, about "
            f"{minutes[group]:.0f} minutes"
        )
    print(f"{len(jobs)} draws, about {minutes.sum():.0f} minutes in {n_jobs} processes")


def report(frame, args, failures=()):
    """Print the tables; write them and draw them where that is asked for."""
    draws = per_draw(_in_order(frame))
    units = per_client(draws)
    table = per_method(draws, units)
    summary = per_cell(table)
    if args.csv:
        path = Path(args.csv)
        numbers = {"index": False, "float_format": "%.6g"}
        draws.drop(columns=["rows", "values", "differences"]).to_csv(path, **numbers)
        summary.to_csv(path.with_suffix(".cells.csv"), **numbers)
        table.to_csv(path.with_suffix(".methods.csv"), **numbers)
    with pd.option_context("display.width", 250, "display.max_columns", None):
        if summary.empty:
            print("\nPer cell: means")
            wide = table.pivot(index="cell", columns="method", values="score")
            wide = wide.reindex(table["cell"].unique())[list(table["method"].unique())]
            print(wide.round(3).to_string())
        else:
            print("\nPer cell: means, and the default's paired difference to local")
            shown = summary.drop(columns=["group", "data", "dial", "n", "overlap"])
            print(shown.round(3).to_string(index=False))
        print("\nPer method, over its cells; differences to local")
        print(overall(table, units).round(3).to_string())
        losses = probabilities(table)
        if not losses.empty:
            print("\nLog-loss and Brier score, means over cells")
            print(losses.round(3).to_string())
        if not summary.empty:
            print("\nPromises of the default estimator")
            print(verdicts(summary, units).to_string(index=False))
    if failures:
        print(f"\n{len(failures)} fits were refused or failed; they are in no mean")
    if args.findings and not summary.empty:
        from .findings import write

        for path in write(args.findings, summary, table, units):
            print("written:", path)


def _in_order(frame):
    """Return the rows by cell, seed and method, however the draws came in."""
    order = {cell.name: place for place, cell in enumerate(cells())}
    order |= {method: place for place, method in enumerate(METHODS)}
    return frame.sort_values(
        ["cell", "seed", "method"],
        key=lambda column: column.map(order) if column.name != "seed" else column,
        kind="stable",
        ignore_index=True,
    )
