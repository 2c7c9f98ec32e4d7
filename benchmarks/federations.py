"""Many small clients in one process, in joblib's workers and on Dask's.

``python -m benchmarks.federations`` deals 1,000 small clients, of 32 rows and eight
columns each, and trains the default net by FedAvg on

- one process, client by client (``engine="loop"``) and all at once ("stacked",
  "fused");
- two joblib workers, to which the clients' states travel with each round;
- two Dask workers, which hold them.

For each it prints the seconds until the first round begins, the median of a round, the
processor time of a round in all processes together, the median of a broadcast to all
clients in which they do nothing, and how far the final weights are from the loop's.
"""

import argparse
import contextlib
import os
import time
from statistics import median

import numpy as np
import pandas as pd
import psutil
from threadpoolctl import threadpool_limits

from skfed import FederatedClassifier, InProcessFederation
from skfed.federation import Broadcast, DaskFederation, Site

THREADS = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL")]
N_ROWS, WIDTH = 32, 8
PLACES = {
    "one process, loop": ("loop", lambda n: InProcessFederation()),
    "one process, stacked": ("stacked", lambda n: InProcessFederation()),
    "one process, fused": ("fused", lambda n: InProcessFederation()),
    "joblib": ("auto", lambda n: InProcessFederation(n_jobs=n)),
    "Dask": ("auto", lambda n: DaskFederation(n_workers=n)),
}


class Clocked:
    """A federation that notes when each round was asked for."""

    def __init__(self, federation):
        self.federation, self.begun, self.spent = federation, [], []

    def open(self, handle, sites):
        """Start a session."""
        return ClockedSession(self.federation.open(handle, sites), self)


class ClockedSession:
    """A session, and when it was asked to train."""

    def __init__(self, session, clock):
        self.session, self.clock = session, clock

    def __getattr__(self, name):
        return getattr(self.session, name)

    def broadcast(self, ask):
        """Answer, and note the time."""
        if ask.task == "train":
            self.clock.begun.append(time.perf_counter())
            self.clock.spent.append(processor_time())
        return self.session.broadcast(ask)


def processor_time():
    """Return the seconds that this process and its workers have computed."""
    this = psutil.Process()
    found = 0.0
    for process in (this, *this.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            found += sum(process.cpu_times()[:2])
    return found


def deal(n_clients):
    """Return clients of which each has a bias of its own."""
    rng = np.random.default_rng(0)
    clients = {}
    for k in range(n_clients):
        X = rng.normal(size=(N_ROWS, WIDTH))
        clients[k] = X, (X[:, 0] + X[:, 1] * rng.normal() > 0).astype(int)
    return clients


def nothing(task, payload, state, site):
    """Answer that nothing was done."""
    return {}


def empty(federation, n_clients, n):
    """Return the median seconds of a broadcast in which clients do nothing."""
    names = tuple(range(n_clients))
    sites = {name: Site(name, None, None, None) for name in names}
    session, taken = federation.open(nothing, sites), []
    try:
        for _ in range(n + 1):
            begun = time.perf_counter()
            session.broadcast(Broadcast("nothing", {}, names))
            taken.append(time.perf_counter() - begun)
    finally:
        if hasattr(session, "close"):
            session.close()
    return median(taken[1:])


def measure(place, clients, n_rounds, n_workers):
    """Return one row of the table, and the final weights."""
    engine, made = PLACES[place]
    federation = Clocked(made(n_workers))
    begun = time.perf_counter()
    model = FederatedClassifier(
        aligner="passthrough",
        encoder="passthrough",
        columns="position",
        personalizer=None,
        engine=engine,
        n_rounds=n_rounds + 1,
        federation=federation,
        random_state=0,
    ).fit(clients)
    rounds = np.diff(federation.begun)[1:]  # the first one warms up
    spent = federation.spent
    return {
        "where": place,
        "engine": model.engine_,
        "set-up s": federation.begun[0] - begun,
        "round s": median(rounds),
        "round CPU s": (spent[-1] - spent[1]) / (len(spent) - 2),
        "empty s": empty(made(n_workers), len(clients), n_rounds),
    }, model.net_.module_.state_dict()


def main(arguments=None):
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.federations", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--clients", type=int, default=1000)
    add("--rounds", type=int, default=8, help="rounds that are timed (8)")
    add("--workers", type=int, default=2)
    add("--only", nargs="+", choices=PLACES, default=list(PLACES))
    add("--csv", help="write the printed table to this file")
    args = parser.parse_args(arguments)
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for the workers to come
    with threadpool_limits(1):
        table = measured(args)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    if args.csv:
        table.to_csv(args.csv, index=False)


def measured(args):
    """Return the table of the places that were asked for."""
    clients, rows, first = deal(args.clients), [], None
    for place in args.only:
        row, weights = measure(place, clients, args.rounds, args.workers)
        first = weights if first is None else first
        gaps = [float((w - first[name]).abs().max()) for name, w in weights.items()]
        rows.append({**row, f"max difference to {args.only[0]}": max(gaps)})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
