"""A client that joins after the fit: what rows of its own, labelled or not, are worth.

``python -m benchmarks.newcomers`` fits the default estimator on all clients of a
collection but one, each in its turn, lets that one join by ``add_client`` with its
first 0, 5, 20, 50 or 100 rows, and scores it on the same rows for all n. It prints the
mean score of the newcomer without labels, with labels, and of its own tuned linear
model, and the paired gain over that with a 95 % interval over newcomers and draws. With
no rows, columns are aligned on the rows to be predicted, and there is no model of its
own: the target's mean, or the most frequent class, of the others stands for it.

Real clients keep at most 300 rows, as in :mod:`benchmarks.heterogeneity.real`. Digits
are dealt to ten clients of 50 rows, each with half of the columns. R2 is in units of
the variance of the newcomer's test rows.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from skfed import ClientError, FederatedClassifier, FederatedRegressor
from skfed.exceptions import AlignmentWarning
from skfed.metrics._baselines import constant, tuned_linear

from .heterogeneity import real, simulated
from .heterogeneity.baselines import answers
from .heterogeneity.scores import row_values

DATA = "digits", "birth_weight", "stackoverflow"
ROWS = 0, 5, 20, 50, 100
WITHOUT, WITH, LOCAL = "without labels", "with labels", "local"


def deal(data, seed, turn):
    """Return the others' training rows, and the newcomer's table and target."""
    if data == "digits":
        draw = simulated.deal(seed, "digits", max(ROWS), 10, overlap=0.5)
        (split,) = draw.splits
        new = sorted(split.train)[turn % 10]
        others = {c: (X[:50], y[:50]) for c, (X, y) in split.train.items() if c != new}
        (X, y), (X_test, y_test, _) = split.train[new], split.test[new]
        return draw.metric, others, new, (X, y), (X_test, y_test)
    clients = real.clients_of(data)
    eligible = real.newcomers_of(data, max(ROWS))
    new = eligible[(2 * seed + turn) % len(eligible)]
    rng = np.random.default_rng((seed, turn))
    others = {}
    for client, (X, y) in clients.items():
        rows = rng.permutation(len(y))
        if client == new:
            first, rest = rows[: max(ROWS)], rows[max(ROWS) :]
            own, test = (X.iloc[first], y[first]), (X.iloc[rest], y[rest])
        else:
            rows = np.sort(rows[: real.CAP_OF_OTHERS])
            others[client] = X.iloc[rows], y[rows]
    return "r2", others, new, own, test


def run(data, seed, turn):
    """Return one row per number of rows and method."""
    warnings.simplefilter("ignore", AlignmentWarning)
    metric, others, new, (X, y), (X_test, y_test) = deal(data, seed, turn)
    task = "regression" if metric == "r2" else "classification"
    kind = FederatedRegressor if task == "regression" else FederatedClassifier
    model = kind(unseen="align", random_state=seed).fit(others)
    rows = []
    for n in ROWS:
        said = {}
        if n:
            for name, target in ((WITHOUT, None), (WITH, y[:n])):
                try:
                    model.add_client(new, X[:n], target)
                except ClientError as error:
                    print(f"{data}, {n} rows, {name}: {error}")
                    continue
                said[name] = predict(model, new, X_test)
                model.drop_client(new)
            own = tuned_linear(None, X[:n], y[:n], task)
        else:
            said[WITHOUT] = predict(model, new, X_test)
            told = np.concatenate([target for _, target in others.values()])
            own = constant(np.zeros((len(told), 1)), told, task)
        said[LOCAL] = answers(own, X_test)
        for name, predicted in said.items():
            score = float(np.mean(row_values(metric, y_test, predicted)))
            rows.append((data, n, seed, str(new), name, score))
    return pd.DataFrame(
        rows, columns=["data", "n", "seed", "client", "method", "score"]
    )


def predict(model, client, X):
    """Return values, or probabilities with their classes."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba({client: X})[client], model.classes_
    return model.predict({client: X})[client]


def summary(frame):
    """Return a row per data set and n: scores, gains, and the worst newcomer's gain."""
    wide = frame.pivot_table(
        index=["data", "n", "seed", "client"], columns="method", values="score"
    )
    rows = []
    for (data, n), part in wide.groupby(["data", "n"], sort=False):
        row = {"data": data, "rows": n, "newcomers": len(part)}
        row[LOCAL] = f"{part[LOCAL].mean():.3f}"
        for name in (WITHOUT, WITH):
            if name not in part or part[name].isna().all():
                row |= {name: "", f"gain {name}": ""}
                continue
            gain = (part[name] - part[LOCAL]).dropna()
            half = 1.96 * gain.sem()
            row[name] = f"{part[name].mean():.3f}"
            row[f"gain {name}"] = f"{gain.mean():+.3f} ± {half:.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=DATA, choices=DATA)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--turns", type=int, default=2, help="newcomers of a draw")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--csv", help="write the printed table to this file")
    args = parser.parse_args()
    jobs = [
        delayed(run)(data, args.first_seed + seed, turn)
        for data in args.data
        for seed in range(args.seeds)
        for turn in range(args.turns)
    ]
    found = summary(pd.concat(Parallel(n_jobs=args.jobs)(jobs)))
    if args.csv:
        found.to_csv(args.csv, index=False)
    print(found.to_string(index=False))


if __name__ == "__main__":
    main()
