"""Two clients in ten send garbage: what robust strategies save, and what they cost.

``python -m benchmarks.faulty`` deals scikit-learn's digits to ten clients as
:mod:`benchmarks.strategies` does. Two of them send -100 times the step that they made.
The strategies are :class:`~skfed.strategies.FedAvg` and all that have a setting for
faulty clients, told that a fifth may be.

It prints the mean over clients of the held-out accuracy without and with the faulty
ones, as "without > with", means over draws. Clients have all columns; or a random half
of them, with absent ones imputed, so that every client takes part in every weight; or
with absent ones 0, so that the weights of a column are judged by its owners only.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

from skfed import FederatedClassifier
from skfed.alignment import UnionAligner
from skfed.exceptions import AlignmentWarning
from skfed.strategies import CoordinateMedian, FedAvg, Update
from skfed.testing import all_strategies

from .strategies import DATA, N_CLIENTS, N_ROWS, simulated

FAULTY = "client 3", "client 7"
SETTINGS = {
    "all columns": (1.0, "passthrough"),
    "half, imputed": (0.5, "auto"),
    "half, owners": (0.5, UnionAligner()),
}
# What says how many may be faulty; a clipped norm needs no number.
TOLD = {"faulty": 0.2, "trim": 0.2, "n_faulty": 2, "max_norm": "median"}


def methods():
    """Return ``{name: strategy}``."""
    found = {"FedAvg": FedAvg()}
    for name, cls in all_strategies():
        told = {key: TOLD[key] for key in cls().get_params() if key in TOLD}
        if told:
            found[name] = cls(**told)
    found["median of owners"] = CoordinateMedian(faulty=0.0)
    return found


def with_faulty(strategy):
    """Return the strategy with a server that gets garbage from some clients."""
    kind = type(strategy)

    def aggregate(self, weights, updates, server=None):
        sent = [garbage(u, weights) if u.client in FAULTY else u for u in updates]
        return kind.aggregate(self, weights, sent, server)

    given = {"aggregate": aggregate, "__init__": kind.__init__}
    return type(f"Faulty{kind.__name__}", (kind,), given)(**strategy.get_params())


def garbage(update, weights):
    """Return an update that goes far in the wrong direction."""
    made = {name: w - 100 * (update.weights[name] - w) for name, w in weights.items()}
    return Update(update.client, update.n_rows, made, update.owned)


def run(setting, method, faulty, seed, n_rounds):
    """Return one row: the mean over clients of the held-out accuracy."""
    warnings.simplefilter("ignore", AlignmentWarning)
    warnings.simplefilter("ignore", ConvergenceWarning)  # FedAvg's, as it should
    overlap, aligner = SETTINGS[setting]
    draw = simulated.deal(seed, DATA, N_ROWS, N_CLIENTS, overlap=overlap)
    (split,) = draw.splits
    strategy = methods()[method]
    model = FederatedClassifier(
        aligner=aligner,
        strategy=with_faulty(strategy) if faulty else strategy,
        personalizer=None,
        n_rounds=n_rounds,
        local_epochs=5,
        random_state=seed,
    ).fit(split.train)
    said = model.predict({client: X for client, (X, _, _) in split.test.items()})
    scores = [np.mean(said[c] == y) for c, (_, y, _) in split.test.items()]
    return setting, method, faulty, seed, float(np.mean(scores))


def summary(rows):
    """Return one row per strategy: "without > with" for each setting."""
    columns = ["setting", "strategy", "faulty", "seed", "accuracy"]
    frame = pd.DataFrame(rows, columns=columns)
    mean = frame.groupby(columns[:3], sort=False)["accuracy"].mean().unstack()
    text = mean[False].map("{:.3f}".format) + mean[True].map(" > {:.3f}".format)
    table = text.unstack("setting")[list(dict.fromkeys(frame["setting"]))]
    table = table.loc[list(dict.fromkeys(frame["strategy"]))]
    return table.rename_axis(columns=None).reset_index()


def main(arguments=None):
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faulty", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--seeds", type=int, default=3)
    add("--rounds", type=int, default=30)
    add("--only", default="", help="strategies whose name contains this")
    add("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    add("--jobs", type=int, default=1, help="fits at a time (1)")
    add("--csv", help="write the printed table to this file")
    args = parser.parse_args(arguments)
    jobs = [
        delayed(run)(setting, method, faulty, seed, args.rounds)
        for setting in args.settings
        for method in methods()
        if args.only.lower() in method.lower()
        for faulty in (False, True)
        for seed in range(args.seeds)
    ]
    table = summary(Parallel(n_jobs=args.jobs)(jobs))
    print(table.to_string(index=False))
    if args.csv:
        table.to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
