"""Clients with other label sets: one head for all, or a head for each client.

``python -m benchmarks.label_sets`` deals scikit-learn's digits to five clients with 20
or 50 training rows each, which have two labels each ("disjoint") or four, of which each
neighbour has two ("overlapping"). It prints the mean accuracy on 100 held-out rows of
each client with its own labels, for federated averaging and for the default, under a
shared head, a shared head with ``absent="zero"``, and own heads.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_digits

from skfed import FederatedClassifier
from skfed.exceptions import AlignmentWarning
from skfed.metrics._baselines import tuned_linear

LABELS = {
    "disjoint": [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)],
    "overlapping": [
        (0, 1, 2, 3),
        (2, 3, 4, 5),
        (4, 5, 6, 7),
        (6, 7, 8, 9),
        (8, 9, 0, 1),
    ],
}
HEADS = {
    "shared": {"heads": "shared"},
    "shared, zero": {"heads": "shared", "absent": "zero"},
    "own": {"heads": "local"},
}


def deal(kind, n_rows, seed):
    """Return training and test rows of each client; no row is at two clients."""
    X, y = load_digits(return_X_y=True)
    rng, free = np.random.default_rng(seed), np.full(len(X), True)
    train, test = {}, {}
    for k, labels in enumerate(LABELS[kind]):
        rows = rng.permutation(np.flatnonzero(free & np.isin(y, labels)))
        first, rest = rows[:n_rows], rows[n_rows : n_rows + 100]
        free[first] = free[rest] = False
        train[f"c{k}"] = X[first], y[first]
        test[f"c{k}"] = X[rest], y[rest]
    return train, test


def run(kind, n_rows, seed):
    """Return one row per method."""
    warnings.simplefilter("ignore", AlignmentWarning)
    train, test = deal(kind, n_rows, seed)
    own = [
        tuned_linear(None, *train[c], "classification").predict(X) == y
        for c, (X, y) in test.items()
    ]
    rows = [(kind, n_rows, "local", np.mean(own))]
    for name, personalizer in (("FedAvg", None), ("default", "auto")):
        for head, settings in HEADS.items():
            model = FederatedClassifier(
                personalizer=personalizer, random_state=seed, **settings
            )
            score = model.fit(train).score(test)
            rows.append((kind, n_rows, f"{name}, {head}", score))
    return rows


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--csv", help="write the printed table to this file")
    args = parser.parse_args()
    jobs = [
        delayed(run)(kind, n_rows, seed)
        for kind in LABELS
        for n_rows in (20, 50)
        for seed in range(args.seeds)
    ]
    rows = [row for found in Parallel(n_jobs=args.jobs)(jobs) for row in found]
    frame = pd.DataFrame(rows, columns=["labels", "rows", "method", "score"])
    keys = ["labels", "rows"]
    wide = frame.pivot_table(index=keys, columns="method", values="score", sort=False)
    wide = wide.map("{:.3f}".format).reset_index()
    if args.csv:
        wide.to_csv(args.csv, index=False)
    print(wide.to_string(index=False))


if __name__ == "__main__":
    main()
