"""Flower: its simulation on Ray, in a process of its own that ends by itself.

The process, its actor and Ray's own servers share one core. Each round's cost is that
of all of them, read when the server has combined the clients' weights.
"""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ..timing import Cost

NOTE = (
    "Ray simulation, one actor; its clients cut batches of cached tensors as the plain "
    "loop does, which is faster than a DataLoader; all its processes on one core"
)
N_TIMED, TIMEOUT = 2, 600
COMMAND = (
    f"import sys; from {__package__} import _flower_app as app; app.main(sys.argv)"
)
QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "GRPC_VERBOSITY": "ERROR",
}
for package in ("flwr", "ray"):
    if importlib.util.find_spec(package) is None:
        raise ImportError(f"there is no {package}")


class Flower:
    """A row of the table whose rounds are timed from inside."""

    note, at_most, more, timed_inside = NOTE, 3, 1, True
    may_fail = (RuntimeError, subprocess.SubprocessError)

    def warm_up(self, workload):
        """Do nothing: the first round of each process is not counted."""

    def measure(self, workload, n):
        """Return the cost of a round, and of the process less a round."""
        n = min(n, N_TIMED)
        marks = [Cost(*mark) for mark in self._run(workload, 1 + n)["marks"]]
        each = (marks[-1] - marks[0]) / n
        return each, marks[0] - each

    def run(self, workload, n_rounds):
        """Train and return the state dict."""
        state = self._run(workload, n_rounds)["state"]
        return {name: torch.tensor(value) for name, value in state.items()}

    @staticmethod
    def _run(workload, n_rounds):
        """Run the simulation as a command, and make sure that nothing is left of it."""
        with tempfile.TemporaryDirectory() as folder:
            job = {**asdict(workload), "n_rounds": n_rounds, "folder": folder}
            job.pop("_data")
            parts = zip(*workload.clients, strict=True)
            X, y = map(np.concatenate, parts)
            np.savez(Path(folder, "data.npz"), X=X, y=y)
            Path(folder, "job.json").write_text(json.dumps(job))
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, folder],
                env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                _, errors = process.communicate(timeout=TIMEOUT)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            found = Path(folder, "found.json")
            if not found.exists():
                raise RuntimeError(f"Flower ended without a result: {errors[-500:]}")
            return json.loads(found.read_text())
