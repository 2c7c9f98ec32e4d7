"""Digits of which every client sees other pixels: what alignment is worth.

``python -m benchmarks.partial_digits`` deals 60 rows of scikit-learn's digits to each
of 10 clients, keeps a random 30 % of the named pixels at each, and scores every method
on the same held-out rows (all that no client trained on) with the client's pixels.
The default settings were picked on other draws of the same digits, so ``--tune`` adds
a row whose settings are picked by cross-validation on the draw's training rows alone.
It prints accuracy, the paired difference to a tuned local logistic regression, and the
share of clients that win and lose by more than 0.01.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import ClientKFold, ClientScorer, FederatedClassifier, pool
from skfed.alignment import (
    AutoAligner,
    FactorAligner,
    PadAligner,
    PCAAligner,
    UnionAligner,
)
from skfed.exceptions import AlignmentWarning, NegativeControlWarning
from skfed.strategies import FedAvg

TOLERANCE = 0.01


def deal(seed, n_clients=10, n_rows=60, share=0.3):
    """Return each client's training pair, and the common test pair."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True, as_frame=True)
    order = rng.permutation(len(X))
    clients = {}
    for k in range(n_clients):
        rows = order[k * n_rows : (k + 1) * n_rows]
        pixels = np.sort(rng.choice(64, round(share * 64), replace=False))
        clients[f"client {k}"] = (X.iloc[rows, pixels], y.iloc[rows].to_numpy())
    rest = order[n_clients * n_rows :]
    return clients, (X.iloc[rest], y.iloc[rest].to_numpy())


def local_model(X, y):
    """Return a client's own logistic regression, C chosen by cross-validation."""
    least = np.unique(y, return_counts=True)[1].min()
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
        {"logisticregression__C": np.logspace(-3, 2, 11)},
        scoring="neg_log_loss" if least >= 2 else "accuracy",
        cv=StratifiedKFold(max(2, min(5, least)), shuffle=True, random_state=0),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with a single row
        return grid.fit(X, y)


def methods(n_rounds, seed):
    """Return ``{name: estimator}``."""
    common = {"n_rounds": n_rounds, "random_state": seed, "personalizer": None}
    plain = FedAvg(ownership=False)
    return {
        "FedAvg + FactorAligner": FederatedClassifier(
            aligner=FactorAligner(n_components=24), **common
        ),
        "FedAvg + FactorAligner, no label anchor": FederatedClassifier(
            aligner=FactorAligner(n_components=24, anchor_labels=False), **common
        ),
        "FedAvg + AutoAligner (the default aligner)": FederatedClassifier(
            aligner=AutoAligner(), **common
        ),
        "FedAvg + UnionAligner": FederatedClassifier(aligner=UnionAligner(), **common),
        "FedAvg + UnionAligner, plain average": FederatedClassifier(
            aligner=UnionAligner(), strategy=plain, **common
        ),
        "FedAvg + PadAligner (control)": FederatedClassifier(
            aligner=PadAligner(), **common
        ),
        "FedAvg + PCAAligner (control)": FederatedClassifier(
            aligner=PCAAligner(), **common
        ),
        "the default estimator": FederatedClassifier(
            n_rounds=n_rounds, random_state=seed
        ),
    }


def tuned(clients, seed):
    """Return the federation whose settings training rows chose, by log-loss."""
    rows, target = pool(clients)
    search = GridSearchCV(
        FederatedClassifier(
            aligner=FactorAligner(), personalizer=None, random_state=seed
        ),
        {"aligner__ridge": [0.01, 0.1, 0.3], "n_rounds": [50, 100, 200]},
        scoring=ClientScorer("neg_log_loss"),
        cv=ClientKFold(3, random_state=seed),
        error_score="raise",
    ).fit(rows, target)
    return search.best_estimator_, search.best_params_


def run(seed, n_rounds, only=None, tune=False):
    """Return one row per method and client."""
    clients, (X_test, y_test) = deal(seed)
    tests = {name: X_test[X.columns] for name, (X, _) in clients.items()}
    rows = []
    for name, (X, y) in clients.items():
        model = local_model(X, y)
        score = float(np.mean(model.predict(tests[name]) == y_test))
        rows.append(("local logistic regression", name, score, 0.0))
    for method, estimator in methods(n_rounds, seed).items():
        if only and only not in method:
            continue
        start = time.process_time()
        estimator.fit(clients)
        seconds = time.process_time() - start
        for name, predicted in estimator.predict(tests).items():
            rows.append((method, name, float(np.mean(predicted == y_test)), seconds))
    if tune:
        start = time.process_time()
        estimator, chosen = tuned(clients, seed)
        seconds = time.process_time() - start
        print(f"draw {seed}: training rows chose {chosen}")
        for name, predicted in estimator.predict(tests).items():
            score = float(np.mean(predicted == y_test))
            rows.append(("FedAvg + FactorAligner, tuned", name, score, seconds))
    frame = pd.DataFrame(rows, columns=["method", "client", "accuracy", "seconds"])
    return frame.assign(seed=seed)


def summary(frame):
    """Return one row per method: accuracy, paired difference, wins and losses."""
    wide = frame.pivot_table(
        index=["seed", "client"], columns="method", values="accuracy", sort=False
    )
    gain = wide.sub(wide["local logistic regression"], axis=0)
    by_seed = gain.groupby("seed").mean()
    return pd.DataFrame(
        {
            "accuracy": wide.mean(),
            "gain": gain.mean(),
            "se over seeds": by_seed.std() / np.sqrt(len(by_seed)),
            "win": (gain > TOLERANCE).mean(),
            "lose": (gain < -TOLERANCE).mean(),
            "worst": gain.min(),
            "fit s": frame.groupby("method")["seconds"].mean(),
        }
    ).loc[wide.columns]


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--only", help="run the methods whose name contains this")
    parser.add_argument("--tune", action="store_true", help="add the tuned row")
    parser.add_argument("--csv", help="write the scores per client to this file")
    args = parser.parse_args()
    warnings.simplefilter("ignore", AlignmentWarning)
    warnings.simplefilter("ignore", NegativeControlWarning)
    warnings.simplefilter("ignore", ConvergenceWarning)  # of the controls
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    frame = pd.concat([run(seed, args.rounds, args.only, args.tune) for seed in seeds])
    if args.csv:
        frame.to_csv(args.csv, index=False)
    print(summary(frame).round(3).to_string())


if __name__ == "__main__":
    main()
