"""Clients that predict different things: together, by task, or each alone.

``python -m benchmarks.mixed_tasks`` gives clients ``--rows`` training rows each and
scores accuracy or R2 on up to 300 others, for

- "built-in": diabetes (regression), breast cancer and digits, three clients each;
- "digits": eight clients, of which every second predicts whether a digit is even;
- "schools", "birth weight", "wages": real clients, of which every second predicts the
  number and the others whether it is above the median (of all rows; wages, whose units
  differ, of the client's own). Tasks change places from draw to draw;
- the same with "few", where only every sixth client predicts the class.

It prints each method's mean score by task, and the paired difference between the mixed
federation and separate ones by task: the mean over clients with a 95 % interval over
clients and draws, and that of the client which loses most over all draws. With
``--variants`` it prints the plain federations and the other balances too.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.metrics import accuracy_score, r2_score

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from skfed.datasets import load_birth_weight, load_schools, load_wages
from skfed.exceptions import AlignmentWarning
from skfed.metrics._baselines import tuned_linear

DATA = (
    *("built-in", "digits", "schools", "birth weight", "wages"),
    *("schools, few", "birth weight, few", "wages, few"),
)
REAL = {
    "schools": (lambda: load_schools("exam", return_clients=True), "score"),
    "birth weight": (lambda: load_birth_weight(return_clients=True), "weight"),
    "wages": (lambda: load_wages(return_clients=True), "wage"),
}
TEST_ROWS = 300
MOST_CLIENTS = 12
METRICS = {"classification": accuracy_score, "regression": r2_score}
VARIANTS = {
    "by rows": {"balance": None},
    "equal": {"balance": "equal"},
    "plain, mixed": {"personalizer": None},
    "plain, mixed, by rows": {"personalizer": None, "balance": None},
    "plain, mixed, equal": {"personalizer": None, "balance": "equal"},
}


def deal(data, n_rows, seed):
    """Return training and test rows, tasks and names of the targets, by client."""
    rng = np.random.default_rng(seed)
    clients, tasks, names = {}, {}, {}
    if data == "built-in":
        for name, load in (
            ("progress", load_diabetes),
            ("tumour", load_breast_cancer),
            ("digit", load_digits),
        ):
            X, y = load(return_X_y=True, as_frame=True)
            parts = np.array_split(rng.permutation(len(X)), 3)
            for k, rows in enumerate(parts):
                client = f"{name}{k}"
                clients[client] = X.iloc[rows], y.to_numpy()[rows]
                names[client] = name
                numbers = name == "progress"
                tasks[client] = "regression" if numbers else "classification"
    elif data == "digits":
        X, y = load_digits(return_X_y=True, as_frame=True)
        for k, rows in enumerate(np.array_split(rng.permutation(len(X)), 8)):
            even = (k + seed) % 2 == 0
            target = y.to_numpy()[rows]
            clients[f"c{k}"] = X.iloc[rows], target % 2 if even else target
            names[f"c{k}"] = "even" if even else "digit"
            tasks[f"c{k}"] = "classification"
    else:
        kind, _, few = data.partition(", ")
        load, name = REAL[kind]
        found = load()
        large = sorted(found, key=lambda c: (-len(found[c][1]), c))[:MOST_CLIENTS]
        found = {c: found[c] for c in sorted(large)}
        median = np.median(np.concatenate([y for _, y in found.values()]))
        for k, (client, (X, y)) in enumerate(found.items()):
            numbers = (k + seed) % 6 != 0 if few else (k + seed) % 2 == 0
            cut = np.median(y) if kind == "wages" else median
            clients[client] = X, y if numbers else (y > cut).astype(int)
            tasks[client] = "regression" if numbers else "classification"
            names[client] = name if numbers else f"high {name}"
    train, test = {}, {}
    for client, (X, y) in clients.items():
        rows = rng.permutation(len(y))
        first, rest = rows[:n_rows], rows[n_rows : n_rows + TEST_ROWS]
        train[client], test[client] = (X.iloc[first], y[first]), (X.iloc[rest], y[rest])
    return train, test, tasks, names


def separate(train, test, tasks, names, seed, **settings):
    """Return the scores of one federation for each target."""
    scores = {}
    for name in sorted(set(names.values())):
        own = {c: train[c] for c in train if names[c] == name}
        kind = FederatedRegressor
        if tasks[next(iter(own))] == "classification":
            kind = FederatedClassifier
        model = kind(random_state=seed, **settings).fit(own)
        predicted = model.predict({c: test[c][0] for c in own})
        scores |= {c: METRICS[tasks[c]](test[c][1], predicted[c]) for c in own}
    return scores


def mixed(train, test, tasks, names, seed, **settings):
    """Return the scores of one federation for all targets."""
    model = FederatedMultiTask(
        random_state=seed, tasks=tasks, target_names=names, **settings
    )
    return model.fit(train).client_scores(test).to_dict()


def run(data, n_rows, seed, variants):
    """Return one row per client and method."""
    warnings.simplefilter("ignore", AlignmentWarning)
    dealt = train, test, tasks, names = deal(data, n_rows, seed)
    found = {"local": {}}
    for client, (X, y) in train.items():
        model = tuned_linear(None, X, y, tasks[client])
        X_test, y_test = test[client]
        score = METRICS[tasks[client]](y_test, model.predict(X_test))
        found["local"][client] = score
    found["separate"] = separate(*dealt, seed)
    found["mixed"] = mixed(*dealt, seed)
    if variants:
        found["plain, separate"] = separate(*dealt, seed, personalizer=None)
        for name, settings in VARIANTS.items():
            found[name] = mixed(*dealt, seed, **settings)
    return [
        (data, n_rows, seed, client, tasks[client], method, score)
        for method, scores in found.items()
        for client, score in scores.items()
    ]


def summary(frame):
    """Return mean scores by task, and the paired differences."""
    keys = ["data", "rows", "task"]
    lines = []
    for key, part in frame.groupby(keys, sort=False):
        wide = part.pivot_table(
            index=["client", "seed"], columns="method", values="score", sort=False
        )
        line = dict(zip(keys, key, strict=True))
        line |= {method: f"{wide[method].mean():.3f}" for method in wide}
        for ours in (m for m in wide if "mixed" in m or m in ("by rows", "equal")):
            base = "plain, separate" if ours.startswith("plain") else "separate"
            gain = wide[ours] - wide[base]
            half = 1.96 * gain.std() / np.sqrt(len(gain))
            worst = gain.groupby("client").mean()
            line[f"{ours} - separate"] = f"{gain.mean():+.3f} ± {half:.3f}"
            least = "least client" if ours == "mixed" else f"least client ({ours})"
            line[least] = f"{worst.min():+.3f}"
        lines.append(line)
    return pd.DataFrame(lines)


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=DATA, choices=DATA)
    parser.add_argument("--rows", nargs="+", type=int, default=[20, 50])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--csv", help="write the printed table to this file")
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    jobs = [
        delayed(run)(data, n_rows, seed, args.variants)
        for data in args.data
        for n_rows in args.rows
        for seed in seeds
    ]
    rows = [row for found in Parallel(n_jobs=args.jobs)(jobs) for row in found]
    columns = ["data", "rows", "seed", "client", "task", "method", "score"]
    table = summary(pd.DataFrame(rows, columns=columns))
    if args.csv:
        table.to_csv(args.csv, index=False)
    for _, line in table.iterrows():
        print(line.dropna().to_string(), end="\n\n")


if __name__ == "__main__":
    main()
