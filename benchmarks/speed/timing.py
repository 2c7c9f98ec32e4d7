"""Marginal rounds, interleaved with the plain loop's, on one core."""

import gc
import math
import os
import time
from dataclasses import dataclass

import numpy as np
import torch

from .workloads import N_CLASSES, WIDTH

SHORT, MOST_ROUNDS = 0.1, 60  # seconds of a set-up that does not disturb


@dataclass(frozen=True)
class Cost:
    """Seconds of processor and of wall time; a difference and a share of costs too."""

    cpu: float
    wall: float

    def __sub__(self, other):
        return Cost(self.cpu - other.cpu, self.wall - other.wall)

    def __truediv__(self, n):
        return Cost(self.cpu / n, self.wall / n)


def pin(core):
    """Keep this process and its children on one core, and torch on one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)


def cost(call, *arguments):
    """Return what a call costs."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    call(*arguments)
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def marginal(run, workload, n):
    """Return the cost of one further round, and of all that is not a round.

    Parameters
    ----------
    run : callable
        Trains, of ``(workload, number of rounds)``.
    workload : Workload
        What is trained.
    n : int
        Further rounds.

    Returns
    -------
    round, setup : Cost
        (cost of 1 + n rounds - cost of 1 round) / n, and the first fit less a round.
    """
    one = cost(run, workload, 1)
    each = (cost(run, workload, 1 + n) - one) / n
    return each, one - each


def enough(n, each, setup):
    """Return how many rounds the next repetition takes: as long as the set-up.

    The difference of two fits is lost in noise where both are set-up for the most part.
    """
    if setup.cpu < SHORT:
        return n
    wanted = setup.cpu / each.cpu if each.cpu > 0 else MOST_ROUNDS
    return max(n, min(math.ceil(wanted), MOST_ROUNDS))


def interleaved(rows, workload, repeats, say=lambda text: None):
    """Measure all rows of a workload, each once per repetition.

    Parameters
    ----------
    rows : dict
        ``{name: Row}``, the plain loop among them.
    workload : Workload
        What is trained.
    repeats : int
        Repetitions, after one round of each to warm up.
    say : callable, default=lambda text: None
        Told what goes on.

    Returns
    -------
    measured : list of dict
        ``workload``, ``row``, ``repetition``, ``cpu``, ``wall``, ``setup_cpu`` in
        seconds.
    """
    live, measured = {}, []

    def tried(name, row, call, *arguments):
        try:
            return call(workload, *arguments)
        except row.may_fail as error:
            live.pop(name, None)
            say(f"{workload.name}: {name} is left out: {error}")

    for name, row in rows.items():
        live[name] = row.more * workload.n_timed
        tried(name, row, row.warm_up)
    for repetition in range(repeats):
        for name, n in list(live.items()):
            row = rows[name]
            if repetition >= getattr(row, "at_most", repeats):
                continue
            torch.set_num_threads(1)  # a library may have thought otherwise
            found = tried(name, row, row.measure, n)
            if found is None:
                continue
            each, setup = found
            if not getattr(row, "timed_inside", False):
                live[name] = enough(n, each, setup)
            if live[name] > 2 * n and repetition + 1 < repeats:
                continue  # these were too few to tell
            measured.append(
                {
                    "workload": workload.name,
                    "row": name,
                    "repetition": repetition,
                    "cpu": each.cpu,
                    "wall": each.wall,
                    "setup_cpu": setup.cpu,
                }
            )
        say(f"{workload.name}: repetition {repetition + 1} of {repeats}")
    return measured


def flops_per_row(n_features):
    """Return the multiplications and additions of a row's training step.

    Two per weight forward and four backward, less the input's gradient, which nobody
    needs.
    """
    layers = (n_features, WIDTH), (WIDTH, WIDTH), (WIDTH, N_CLASSES)
    return 6 * sum(a * b for a, b in layers) - 2 * n_features * WIDTH


def sgemm_peak(size=1024, repeats=8):
    """Return the largest measured rate of a float32 matrix product, in flop/s."""
    A = torch.from_numpy(np.ones((size, size), np.float32))
    out = torch.empty_like(A)
    torch.mm(A, A, out=out)
    times = [cost(lambda: torch.mm(A, A, out=out)).cpu for _ in range(repeats)]
    return 2 * size**3 / min(times)


def limit(workload, peak):
    """Return the seconds that a round's products take at the peak rate."""
    return workload.rows_per_round * flops_per_row(workload.n_features) / peak
