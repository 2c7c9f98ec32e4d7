"""Peak memory over imports, of one implementation in a fresh process.

Rows and labels are made elsewhere and read from a file, so that the making of them does
not count. Imports end with a first optimizer, which loads a good part of torch.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from .rows import known_rows, peer_rows
from .timing import cost, pin
from .workloads import WORKLOADS

ROUNDS, MANY_ROUNDS = 3, 200
COMMAND = "import sys; from benchmarks.speed.memory import child; child(sys.argv[1])"
KILO = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss in bytes


def peak():
    """Return the largest resident memory so far, in bytes.

    The kernel's own counter, where there is one: ``ru_maxrss`` of a process starts with
    what the process that started it had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO


def measure(workload, names, rounds=(ROUNDS,), core=0, say=lambda text: None):
    """Measure rows one after the other.

    Parameters
    ----------
    workload : Workload
        One of :data:`WORKLOADS`.
    names : sequence of str
        Rows of the table that train in their own process.
    rounds : sequence of int, default=(ROUNDS,)
        Rounds of the fits, from few to many, all in one process.
    core : int, default=0
        The core to run on.
    say : callable, default=lambda text: None
        Told what goes on.

    Returns
    -------
    rows : list of dict
        ``workload``, ``row``, ``rounds``, ``peak`` in bytes over imports, and ``cpu``,
        the seconds of the fit.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.npz")
        X, y = (np.concatenate(part) for part in zip(*workload.clients, strict=True))
        np.savez(path, X=X, y=y)
        for name in names:
            job = {
                "row": name,
                "workload": workload.name,
                "rounds": list(rounds),
                "path": str(path),
                "core": core,
            }
            done = subprocess.run(
                [sys.executable, "-c", COMMAND, json.dumps(job)],
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            found += json.loads(done.stdout.splitlines()[-1])
            say(f"{workload.name}: peak memory of {name}")
    return found


def child(text):
    """Measure one row in this process; print the result as JSON."""
    job = json.loads(text)
    pin(job["core"])
    rows = known_rows()
    if job["row"] not in rows:
        rows = peer_rows([job["row"]])
    run = rows[job["row"]].run
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    before, found = peak(), []
    with np.load(job["path"]) as data:
        workload = WORKLOADS[job["workload"]].with_data(data["X"], data["y"])
    for n in job["rounds"]:
        seconds = cost(run, workload, n).cpu
        found.append(
            {
                "workload": workload.name,
                "row": job["row"],
                "rounds": n,
                "peak": peak() - before,
                "cpu": seconds,
            }
        )
    print("\n" + json.dumps(found))


def allowed(workload):
    """Return the bytes that a stack may take over imports.

    100 MB, twice the data, and four copies of the weights of a round's clients:
    weights, gradient, state of the optimizer and room to work.
    """
    stack = 4 * sum(p.numel() for p in workload.module().parameters())
    return 100e6 + 2 * workload.n_bytes + 4 * stack * workload.n_chosen
