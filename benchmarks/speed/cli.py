"""The command's arguments, what it runs, and what it writes."""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from . import equality, memory, plots, scaling, verdict, whole_fit
from .peers import PEERS
from .rows import PLAIN, Row, known_rows, own_rows, peer_rows, skfed_name
from .summary import fits_table, scaling_table, scaling_wide, summary, wide
from .timing import interleaved, pin, sgemm_peak
from .workloads import WORKLOADS

PARTS = "rounds", "equality", "memory", "fits"


def parser():
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description="CPU of a round of federated averaging, as a ratio to a plain loop",
    )
    add = made.add_argument
    add("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    add("--rows", "--only", nargs="+", choices=known_rows(), metavar="ROW",
        help="rows beside the plain loop; all by default")  # fmt: skip
    add("--peers", nargs="*", choices=PEERS, metavar="PEER", default=None,
        help=f"other libraries; without names, all of {', '.join(PEERS)}")  # fmt: skip
    add("--repeats", type=int, default=5, help="interleaved repetitions (5)")
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="all of them")
    add("--scaling", action="store_true", help="the sweeps too, for some minutes")
    add("--core", type=int, default=0, help="the core to run on (0)")
    add("--quick", action="store_true", help="few rounds, for a look of a minute or so")
    add("--csv", metavar="DIR", help="write tables and figure to this folder")
    return made


def main(arguments=None):
    """Run the command."""
    args = parser().parse_args(arguments)
    pin(args.core)
    if args.quick:
        args.repeats = min(args.repeats, 2)
    if args.peers == []:  # the option without names
        args.peers = list(PEERS)
    own = own_rows(say)
    if args.rows:
        own = {k: row for k, row in own.items() if k in {PLAIN, *args.rows}}
    rows = own | peer_rows(args.peers or [], say)
    works = [WORKLOADS[name] for name in args.workloads]
    written = Path(args.csv) if args.csv else None
    bars, found, scaled, fits = verdict.of_engines(), None, None, None
    peaks = _memory(works, rows, args) if "memory" in args.parts else []
    bars += verdict.of_memory(peaks)
    if "rounds" in args.parts:
        measured, found = _rounds(works, rows, args, peaks)
        bars += verdict.of_rounds(measured)
    if "equality" in args.parts:
        bars += verdict.of_equality(_equality(works, own, args))
    if args.scaling:
        chosen = {k: r for k, r in own.items() if k == PLAIN or "skfed" in k}
        lines = scaling.measure(chosen, min(args.repeats, 3), say)
        scaled = scaling_table(pd.DataFrame(lines))
        bars += verdict.of_scaling(scaled)
        show("Scaling: CPU ms of a round (over the plain loop)", scaling_wide(scaled))
    if "fits" in args.parts and not args.quick:
        fits = pd.DataFrame(whole_fit.measure(say, min(args.repeats, 3)))
        bars += verdict.of_fits(fits)
        show("Whole fits of the default estimator", fits_table(fits))
    bars = pd.DataFrame(bars)
    show("Bars", bars)
    if written:
        notes = {name: row.note for name, row in rows.items()}
        write(written, found, scaled, fits, bars, notes)


def _rounds(works, rows, args, peaks):
    """Time the rounds; return the measurements and their summary."""
    rate = sgemm_peak()
    say(f"a float32 matrix product makes {rate / 1e9:.0f} GF/s on core {args.core}")
    works = [replace(work, n_timed=1) for work in works] if args.quick else works
    lines = [line for w in works for line in interleaved(rows, w, args.repeats, say)]
    measured = pd.DataFrame(lines)
    few = [peak for peak in peaks if peak["rounds"] == memory.ROUNDS]
    found = summary(measured, rate, few)
    show("CPU of a round over the plain loop", wide(found))
    show("Rounds", found)
    return measured, found


def _equality(works, rows, args):
    """Compare weights; a quick run makes three rounds of two optimizers."""
    works = [work for work in works if work.name in equality.WORKLOADS]
    kinds = [k for k in ("stacked", "fused") if skfed_name(k) in rows]
    names, rounds = list(equality.OPTIMIZERS), None
    if args.quick:
        works, names, rounds = works[:1], ["SGD", "Adam"], 3
    found = equality.differences(works, names, kinds, rounds)
    if found:
        show("Largest difference of any weight", pd.DataFrame(found))
    return found


def _memory(works, rows, args):
    """Measure peak memory, and whether many rounds take more than a few."""
    inside = [name for name, row in rows.items() if isinstance(row, Row)]
    if args.quick:
        works = works[:1]
    settings = {"core": args.core, "say": say}
    found = [p for w in works for p in memory.measure(w, inside, **settings)]
    engines = [name for name in inside if name.startswith("skfed")]
    if works and not args.quick:
        many = (memory.ROUNDS, memory.MANY_ROUNDS)
        both = memory.measure(works[0], engines, many, **settings)
        found += [peak for peak in both if peak["rounds"] == memory.MANY_ROUNDS]
    show("Peak memory over imports", pd.DataFrame(found))
    return found


def write(folder, found, scaled, fits, bars, notes):
    """Write the tables and the figure.

    Parameters
    ----------
    folder : Path
        Where to; made if need be.
    found, scaled, fits : DataFrame or None
        Of :func:`~benchmarks.speed.summary.summary`, of ``scaling_table``, and of
        :func:`~benchmarks.speed.whole_fit.measure`.
    bars : DataFrame
        Of :mod:`~benchmarks.speed.verdict`.
    notes : dict
        What is compared, by row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bars.to_csv(folder / "speed_bars.csv", index=False)
    if found is not None:
        wide(found).to_csv(folder / "speed.csv", index=False)
        found.to_csv(folder / "speed_rounds.csv", index=False, float_format="%.4g")
        kept = [(name, notes[name]) for name in found["row"].unique()]
        lines = pd.DataFrame(kept, columns=["implementation", "what it is"])
        lines.to_csv(folder / "speed_notes.csv", index=False)
        plots.draw(found, folder / "speed.png", scaled)
    if scaled is not None:
        scaling_wide(scaled).to_csv(folder / "speed_scaling.csv", index=False)
    if fits is not None:
        fits_table(fits).to_csv(folder / "speed_fits.csv", index=False)


def show(title, frame):
    """Print a table."""
    text = frame.to_string(index=False, na_rep="", float_format="{:.3g}".format)
    print(f"\n{title}\n{text}", flush=True)


def say(text):
    """Print what goes on."""
    print(text, flush=True)
