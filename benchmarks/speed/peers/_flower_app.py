"""What Flower runs: the app of its server and of its clients."""

import contextlib
import json
import os
import signal
import threading
import time
from functools import cache
from pathlib import Path

import numpy as np
import ray
import torch
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch.nn.functional import cross_entropy

from ..timing import pin
from ..workloads import LR, MLP, Workload


def main(arguments):
    """Run the simulation of a folder on the first of this process's cores."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "sched_getaffinity"):
        pin(min(os.sched_getaffinity(0)))
    simulate(arguments[1])


def _end_with_parent():
    """Leave nothing behind where the benchmark is stopped: Ray is of this group."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def simulate(folder):
    """Run the simulation that a folder describes, and write what it found there."""
    job = json.loads(Path(folder, "job.json").read_text())
    workload = _workload(folder)
    started, marks, result = time.perf_counter(), [], {}

    class Timed(FedAvg):
        def aggregate_train(self, server_round, replies):
            replies = list(replies)
            failed = [m.error.reason for m in replies if m.has_error()]
            if failed or len(replies) != workload.n_chosen:
                raise RuntimeError(f"{len(replies)} replies, of which fail {failed}")
            found = super().aggregate_train(server_round, replies)
            marks.append((tree_cpu(), time.perf_counter() - started))
            return found

    server, client = ServerApp(), ClientApp()
    client.train()(train)

    @server.main()
    def serve(grid, context):
        # it counts its share of the nodes before it waits for them
        while len(list(grid.get_node_ids())) < workload.n_clients:
            time.sleep(0.1)
        strategy = Timed(
            fraction_train=workload.fraction,
            fraction_evaluate=0.0,
            min_available_nodes=workload.n_clients,
        )
        end = strategy.start(
            grid,
            ArrayRecord(workload.module().state_dict()),
            num_rounds=job["n_rounds"],
            train_config=ConfigRecord({"folder": folder}),
        )
        result.update(end.arrays.to_torch_state_dict())

    run_simulation(
        server,
        client,
        workload.n_clients,
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": 1, "log_to_driver": False},
        },
    )
    ray.shutdown()
    state = {name: value.tolist() for name, value in result.items()}
    text = json.dumps({"marks": marks, "state": state})
    Path(folder, "found.json").write_text(text)


def train(message, context):
    """Train one client: what a Flower app's client does."""
    torch.set_num_threads(1)
    workload = _workload(message.content["config"]["folder"])
    module = MLP(workload.n_features)
    module.load_state_dict(message.content["arrays"].to_torch_state_dict())
    optimizer = torch.optim.SGD(module.parameters(), lr=LR)
    X, y = workload.tensors[int(context.node_config["partition-id"])]
    order = torch.randperm(len(X))
    X, y = X[order], y[order]
    for at in range(0, len(X), workload.batch):
        optimizer.zero_grad()
        batch = slice(at, at + workload.batch)
        cross_entropy(module(X[batch]), y[batch]).backward()
        optimizer.step()
    parts = {
        "arrays": ArrayRecord(module.state_dict()),
        "metrics": MetricRecord({"num-examples": len(X)}),
    }
    return Message(content=RecordDict(parts), reply_to=message)


@cache
def _workload(folder):
    """Return the workload that a folder describes, once per process."""
    job = json.loads(Path(folder, "job.json").read_text())
    known = {key: job[key] for key in Workload.__dataclass_fields__ if key in job}
    known["rows"] = tuple(known["rows"])
    with np.load(Path(folder, "data.npz")) as data:
        return Workload(**known).with_data(data["X"], data["y"])


def tree_cpu():
    """Return the seconds of processor of this process and all below it."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            pid = int(path.parent.name)
            parents[pid] = int(fields[1])
            seconds[pid] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while more := {p for p, up in parents.items() if up in mine} - mine:
        mine |= more
    return sum(seconds.get(pid, 0.0) for pid in mine)
