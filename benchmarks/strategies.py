"""All strategies side by side: who gains from them, and which client is left behind.

``python -m benchmarks.strategies`` deals scikit-learn's digits to ten clients in five
ways (:data:`SETTINGS`) and fits every strategy of :mod:`skfed.strategies` with the
default net, without a personalizer. Half of the rows are to train on, half to test on.
A client makes five local epochs a round, so that it drifts from the others, and all
clients take part in every round.

It prints, per setting and strategy, the mean over clients of the held-out accuracy and
that of the worst client, both as means over draws and as paired differences to
:class:`~skfed.strategies.FedAvg` with the standard error over draws, and processor time
and bytes of the rounds in units of FedAvg's.

Every strategy has its defaults, which no score of these draws has chosen. FedBN needs
batch normalisation, and is compared to FedAvg of the same net.
"""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier

from skfed import FederatedClassifier
from skfed.datasets import make_heterogeneous_clients
from skfed.exceptions import AlignmentWarning
from skfed.nets import SkipMLP
from skfed.strategies import APFL, FedAvg, FedPer
from skfed.testing import all_strategies

from .heterogeneity import simulated
from .heterogeneity.draws import Draw, Split

DATA, N_ROWS, N_CLIENTS = "digits", 60, 10
N_TEST = 150  # of a client with two labels
REFERENCE = "FedAvg"
NORMALISED = "FedAvg, batch norm"
# Another net needs a rate of its own: this is a round number below the default's.
BATCH_NORM = {"module__batch_norm": True, "lr": 0.1}


def two_labels(seed):
    """Deal every label to two clients; none has more than two."""
    X, y = load_digits(return_X_y=True, as_frame=True)
    made = make_heterogeneous_clients(
        N_CLIENTS,
        N_ROWS,
        X=X,
        y=y.to_numpy(),
        n_labels_per_client=2,
        n_test=N_TEST,
        random_state=seed,
    )
    test = {c: (*made.test[c], made.truth[c].test_rows) for c in made.test}
    return Draw("classification", "accuracy", [Split(made.clients, test)])


_deal = partial(simulated.deal, data=DATA, n_rows=N_ROWS, n_clients=N_CLIENTS)
# {setting: (draw of a seed, aligner)}; where columns are the same, nothing is aligned
SETTINGS = {
    "IID": (_deal, "passthrough"),
    "label shift": (partial(_deal, label_shift=True), "passthrough"),
    "two labels": (two_labels, "passthrough"),
    "half the columns": (partial(_deal, overlap=0.5), "auto"),
    "12 to 200 rows": (partial(_deal, imbalance=True), "passthrough"),
}


# Other settings of two strategies, to tell why their defaults fall behind.
VARIANTS = {
    "FedPer, skip connection too": FedPer(head=["mlp.2", "skip"]),
    "APFL, fixed share": APFL(alpha=0.25, adaptive=False),
}


def methods():
    """Return ``{name: (strategy, parameters of the net, name of its reference)}``."""
    found = {
        REFERENCE: (FedAvg(), {}, REFERENCE),
        NORMALISED: (FedAvg(), BATCH_NORM, REFERENCE),
    }
    for name, cls in all_strategies():
        needs_norm = name == "FedBN"
        net, reference = (BATCH_NORM, NORMALISED) if needs_norm else ({}, REFERENCE)
        found.setdefault(name, (cls(), net, reference))
    found |= {name: (strategy, {}, REFERENCE) for name, strategy in VARIANTS.items()}
    return found


def chosen(only, variants=False):
    """Return the names of the methods that contain a text, and of their references."""
    known = methods()
    asked = {name for name in known if only.lower() in name.lower()}
    asked -= set() if variants else set(VARIANTS)
    asked |= {known[name][2] for name in asked} | {REFERENCE}
    return [name for name in known if name in asked]


def network(parameters):
    """Return the default net's prototype with some parameters; None as it is."""
    if not parameters:
        return None
    return NeuralNetClassifier(
        SkipMLP,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        optimizer__weight_decay=0.01,
        batch_size=32,
        **parameters,
    )


def run(setting, method, seed, n_rounds, local_epochs):
    """Return one row per client of one fit."""
    warnings.simplefilter("ignore", AlignmentWarning)
    deal, aligner = SETTINGS[setting]
    (split,) = deal(seed).splits
    strategy, net, _ = methods()[method]
    model = FederatedClassifier(
        aligner=aligner,
        net=network(net),
        strategy=strategy,
        personalizer=None,
        n_rounds=n_rounds,
        local_epochs=local_epochs,
        random_state=seed,
    )
    start = time.process_time()
    model.fit(split.train)
    seconds = time.process_time() - start
    sent = float(model.history_[["bytes_down", "bytes_up"]].to_numpy().sum())
    said = model.predict({client: X for client, (X, _, _) in split.test.items()})
    return pd.DataFrame(
        {
            "setting": setting,
            "method": method,
            "seed": seed,
            "client": client,
            "accuracy": float(np.mean(said[client] == y)),
            "seconds": seconds,
            "bytes": sent,
        }
        for client, (_, y, _) in split.test.items()
    )


def summary(frame):
    """Return one row per setting and method.

    Parameters
    ----------
    frame : DataFrame
        Rows of :func:`run`.

    Returns
    -------
    DataFrame
        ``macro`` and ``worst``, their differences to the reference (``macro_gain``,
        ``worst_gain``) with standard errors over seeds (``macro_se``, ``worst_se``),
        and ``time`` and ``bytes`` as multiples of the reference's.
    """
    keys, cell = ["setting", "method", "seed"], ["setting", "method"]
    draws = frame.groupby(keys, sort=False).agg(
        macro=("accuracy", "mean"),
        worst=("accuracy", "min"),
        seconds=("seconds", "first"),
        bytes=("bytes", "first"),
    )
    draws = draws.reset_index()
    reference = {name: parts[2] for name, parts in methods().items()}
    draws["reference"] = draws["method"].map(reference)
    other = draws.drop(columns="reference").rename(columns={"method": "reference"})
    pairs = draws.merge(other, on=["setting", "reference", "seed"], suffixes=("", "_0"))
    for score in ("macro", "worst"):
        pairs[f"{score}_gain"] = pairs[score] - pairs[f"{score}_0"]
    grouped = pairs.groupby(cell, sort=False)
    found = grouped[["macro", "macro_gain", "worst", "worst_gain"]].mean()
    for score in ("macro", "worst"):
        found[f"{score}_se"] = grouped[f"{score}_gain"].sem()
    # the first fit of a process loads modules; a median does not see it
    total = grouped[["seconds", "seconds_0", "bytes", "bytes_0"]].median()
    found["time"] = total["seconds"] / total["seconds_0"]
    found["bytes"] = total["bytes"] / total["bytes_0"]
    return found.reset_index()


def wide(found, score):
    """Return one row per method: differences of a score per setting, then the costs."""
    text = found[f"{score}_gain"].map("{:+.3f}".format)
    text += found[f"{score}_se"].map(" ± {:.3f}".format)
    first = found["method"] == REFERENCE
    text = text.where(~first, found[score].map("{:.3f}".format))
    order = list(dict.fromkeys(found["method"]))
    cells = found.assign(text=text).pivot(index="method", columns="setting")["text"]
    cells = cells.loc[order, list(dict.fromkeys(found["setting"]))]
    costs = found.groupby("method")[["time", "bytes"]].median().loc[order]
    costs = costs.map("{:.2f}".format)
    table = cells.join(costs).rename_axis(index="strategy", columns=None)
    return table.reset_index()


def main(arguments=None):
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.strategies", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--seeds", type=int, default=5)
    add("--first-seed", type=int, default=0)
    add("--rounds", type=int, default=30)
    add("--epochs", type=int, default=5, help="local epochs of a round (5)")
    add("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    add("--only", default="", help="strategies whose name contains this, and FedAvg")
    add("--variants", action="store_true", help="other settings of two of them too")
    add("--quick", action="store_true", help="two draws of five rounds")
    add("--jobs", type=int, default=1, help="fits at a time (1)")
    add("--csv", help="write the differences here, and those of worst clients beside")
    add("--clients", help="write the score of each client to this file")
    args = parser.parse_args(arguments)
    if args.quick:
        args.seeds, args.rounds = 2, 5
    jobs = [
        delayed(run)(setting, method, args.first_seed + seed, args.rounds, args.epochs)
        for setting in args.settings
        for method in chosen(args.only, args.variants)
        for seed in range(args.seeds)
    ]
    frame = pd.concat(Parallel(n_jobs=args.jobs)(jobs), ignore_index=True)
    found = summary(frame)
    for setting, part in found.groupby("setting", sort=False):
        print(f"\n{setting}")
        print(part.drop(columns="setting").round(3).to_string(index=False))
    if args.clients:
        frame.to_csv(args.clients, index=False, float_format="%.6g")
    if args.csv:
        path = Path(args.csv)
        wide(found, "macro").to_csv(path, index=False)
        worst = wide(found, "worst").drop(columns=["time", "bytes"])
        worst.to_csv(path.with_suffix(".worst.csv"), index=False)


if __name__ == "__main__":
    main()
