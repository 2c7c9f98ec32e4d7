"""Rebuild FLIC's experiments: class anchors beside good local models.

``python -m benchmarks.flic_toys`` draws clients as in FLIC's two toys, and digits as
images of three kinds, and scores every method on the same held-out rows. Every method
may answer with the client's own labels only. It prints, per setting, the accuracy
(clients count equally), the paired difference to the local model that did best in the
setting, its standard error over draws, the share of clients that win and lose by more
than 0.01 in a draw, and the worst client's difference.

The best local model is picked by the held-out rows, which is to its favour. No setting
of a federated method was picked by them: all have the defaults of their papers or of
skfed.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import FederatedClassifier
from skfed.alignment import (
    FactorAligner,
    FlicAligner,
    PadAligner,
    PrototypeAligner,
    UnionAligner,
)
from skfed.exceptions import AlignmentWarning, ClientError, NegativeControlWarning

from .flic_draws import kinds_of_image, linear_maps, noisy_features, unnamed

TOLERANCE = 0.01
N_ROUNDS = 50  # FLIC's, of the nets that are shared too

SETTINGS = {
    "noisy features, 78 rows": lambda seed: noisy_features(seed, 40, 400),
    "linear maps, 78 rows": lambda seed: linear_maps(seed, 40, 400),
    "kinds of image, 60 rows": kinds_of_image,
}


def local(build):
    """Return a method that fits ``build(X, y, seed)`` on each client's own rows."""

    def method(draw, seed):
        models = {c: build(X, y, seed) for c, (X, y) in draw.train.items()}
        return {"": {c: m.predict(draw.test[c][0]) for c, m in models.items()}}

    return method


def federated(aligner=None, named=False, private_head=False, **parameters):
    """Return a method that shares one net over aligned rows, without personalizing it.

    Without an aligner it is the estimator with all its defaults. ``named`` lets
    columns of equal name match, where a setting has such. With ``private_head`` each
    client also fits a logistic regression of its own on its aligned rows.
    """

    def method(draw, seed):
        if named and not draw.named:
            return {}
        draw = draw if named else unnamed(draw)
        tests = {client: X for client, (X, _) in draw.test.items()}
        model = FederatedClassifier(random_state=seed)
        if aligner is not None:
            model.set_params(aligner=clone(aligner), n_rounds=N_ROUNDS)
            model.set_params(personalizer=None)
            if "random_state" in aligner.get_params():
                model.set_params(aligner__random_state=seed)
        model.set_params(**parameters).fit(draw.train)
        shared = {
            client: own_labels(P, model.classes_, draw.train[client][1])
            for client, P in model.predict_proba(tests).items()
        }
        found = {"": shared}
        if private_head:
            found[", private head"] = {}
            for client, (X, y) in draw.train.items():
                align = model.pipelines_[client][:-1]
                head = LogisticRegression(max_iter=5000).fit(align.transform(X), y)
                own = head.predict(align.transform(tests[client]))
                found[", private head"][client] = own
        return found

    return method


def own_labels(P, classes, y):
    """Return the likeliest of the labels that occur in the client's y."""
    return classes[np.where(np.isin(classes, y), P, -1.0).argmax(axis=1)]


def tuned_logistic(X, y, seed):
    """Fit a logistic regression whose C is chosen by cross-validated log-loss."""
    least = np.unique(y, return_counts=True)[1].min()
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
        {"logisticregression__C": np.logspace(-3, 1, 5)},
        scoring="neg_log_loss" if least >= 2 else "accuracy",
        cv=StratifiedKFold(max(2, min(5, least)), shuffle=True, random_state=0),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with a single row
        return grid.fit(X, y)


def shrinkage_lda(X, y, seed):
    """Fit linear discriminant analysis with a Ledoit-Wolf covariance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with a single row
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X, y)


def mlp(X, y, seed):
    """Fit one hidden layer of 64 units, FLIC's local model."""
    net = MLPClassifier(64, max_iter=200, random_state=seed)
    return make_pipeline(StandardScaler(), net).fit(X, y)


# A method is one line: {name: function of (draw, seed) that returns predictions}.
LOCAL = {
    "local logistic regression": local(tuned_logistic),
    "local shrinkage LDA": local(shrinkage_lda),
    "local MLP": local(mlp),
}
METHODS = LOCAL | {
    "PadAligner (control)": federated(PadAligner()),
    "PrototypeAligner": federated(PrototypeAligner(min_count=1), private_head=True),
    "FLIC pretrain": federated(FlicAligner(), private_head=True),
    "FLIC joint": federated(FlicAligner("joint"), private_head=True),
    "FLIC joint, shared layer": federated(
        FlicAligner("joint", share_hidden=True), private_head=True
    ),
    "FactorAligner": federated(FactorAligner()),
    "FactorAligner, names told": federated(FactorAligner(), named=True),
    "UnionAligner, names told": federated(UnionAligner(), named=True),
    "default estimator": federated(),
    "default estimator, names told": federated(named=True),
}


def run(setting, seed, only=None):
    """Return one row per method and client, of one draw."""
    for category in (AlignmentWarning, NegativeControlWarning, ConvergenceWarning):
        warnings.simplefilter("ignore", category)
    draw = SETTINGS[setting](seed)
    truth = {client: y for client, (_, y) in draw.test.items()}
    rows = []
    if draw.bayes:
        rows += [("Bayes", client, score, 0.0) for client, score in draw.bayes.items()]
    for name, method in METHODS.items():
        if only and only not in name and name not in LOCAL:
            continue
        start = time.process_time()
        try:
            found = method(draw, seed)
        except ClientError as error:
            print(f"{setting}, draw {seed}: {name} refuses: {str(error)[:100]} ...")
            continue
        seconds = time.process_time() - start
        for suffix, predicted in found.items():
            for client, labels in predicted.items():
                score = float(np.mean(labels == truth[client]))
                rows.append((name + suffix, client, score, seconds))
    frame = pd.DataFrame(rows, columns=["method", "client", "accuracy", "seconds"])
    return frame.assign(setting=setting, seed=seed)


def summary(frame):
    """Return one row per method of one setting, against the best local model."""
    wide = frame.pivot_table(
        index=["seed", "client"], columns="method", values="accuracy", sort=False
    )
    best = wide[list(LOCAL)].mean().idxmax()
    gain = wide.sub(wide[best], axis=0)
    by_seed = gain.groupby("seed").mean()
    table = pd.DataFrame(
        {
            "accuracy": wide.mean(),
            "gain": gain.mean(),
            "se": by_seed.std() / np.sqrt(by_seed.count()),
            "win": (gain > TOLERANCE).mean(),
            "lose": (gain < -TOLERANCE).mean(),
            "worst": gain.min(),
            "fit s": frame.groupby("method")["seconds"].mean(),
        }
    )
    return table.loc[wide.columns], best


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one draw of each setting")
    parser.add_argument("--seeds", type=int, default=5, help="number of draws")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--setting", help="run the settings whose name contains this")
    parser.add_argument("--only", help="of the federated methods, run those with this")
    parser.add_argument("--jobs", type=int, default=2, help="draws at a time")
    parser.add_argument("--csv", help="write the scores per client to this file")
    args = parser.parse_args()
    n = 1 if args.quick else args.seeds
    names = [setting for setting in SETTINGS if (args.setting or "") in setting]
    jobs = [
        delayed(run)(setting, seed, args.only)
        for setting in names
        for seed in range(args.first_seed, args.first_seed + n)
    ]
    frame = pd.concat(Parallel(n_jobs=args.jobs)(jobs))
    if args.csv:
        frame.to_csv(args.csv, index=False)
    for setting, rows in frame.groupby("setting", sort=False):
        table, best = summary(rows)
        print(f"\n{setting}, {n} draws; differences to {best}")
        print(table.round(3).to_string())


if __name__ == "__main__":
    main()
