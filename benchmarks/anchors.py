"""Clients that share rows and no column: what these rows are worth, and labels beside.

``python -m benchmarks.anchors`` deals scikit-learn's digits, breast cancer, wine and
diabetes to ten clients (wine: six), each of which sees all columns through a random
linear map of its own (:mod:`benchmarks.heterogeneity.simulated`). Some rows are at all
clients. It prints the mean held-out score of every method and the paired difference to
the client's own tuned linear model, with its standard error over draws. Every method
trains on the common rows too.

The aligner's ridge and the weight of the labels were picked on other draws of the same
tables, numbers 0 to 4, by the held-out score of a pooled model of the aligned rows. The
number of residual columns (5, 20 or 64) and their scale (0.3 or 1) were picked on draws
0 to 2 of five of the cells, by the mean score of plain FedAvg.
"""

import argparse
import warnings
from functools import partial

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from skfed.alignment import (
    AnchorAligner,
    AutoAligner,
    PrototypeAligner,
    UnionAligner,
)
from skfed.exceptions import AlignmentWarning
from skfed.personalization import PrivateBlock

from .heterogeneity import baselines, simulated
from .heterogeneity.methods import federated
from .heterogeneity.scores import row_values
from .residual import ResidualAnchorAligner

DATA = "digits", "cancer", "wine", "diabetes"
FIRST = "local"


def methods(n_anchors):
    """Return ``{name: function of (split, draw, seed)}``."""
    names = simulated.anchor_names(n_anchors)
    residual = ResidualAnchorAligner(names)
    plain = {
        "FedAvg, union": UnionAligner(),
        "FedAvg, labels alone": PrototypeAligner(),
        "FedAvg, rows alone": AnchorAligner(names, label_weight=0.0),
        "FedAvg, rows alone, turned": AnchorAligner(names, method="procrustes"),
        "FedAvg, rows and labels": AnchorAligner(names),
        "rows and labels, residual": residual,
    }
    lines = {
        name: partial(federated, aligner=aligner, personalizer=None)
        for name, aligner in plain.items()
    }
    auto = AutoAligner(anchors=names)
    own = partial(federated, aligner=auto, personalizer=PrivateBlock())
    lines |= {
        "rows and labels, own block": own,
        "default with anchors": partial(federated, aligner=auto),
        "default with anchors, residual": partial(federated, aligner=residual),
    }
    return {FIRST: baselines.local, **lines}


def run(data, n_anchors, n_rows, seed, only=""):
    """Return one row per method and client."""
    warnings.simplefilter("ignore", AlignmentWarning)
    n_clients = 6 if data == "wine" else 10
    draw = simulated.deal(seed, data, n_rows, n_clients, maps=True, anchors=n_anchors)
    rows = []
    for name, method in methods(n_anchors).items():
        if name != FIRST and only not in name:
            continue
        (split,) = draw.splits
        for client, said in method(split, draw, seed).items():
            score = float(np.mean(row_values(draw.metric, split.test[client][1], said)))
            rows.append((data, n_anchors, seed, client, name, score))
    columns = ["data", "anchors", "seed", "client", "method", "score"]
    return pd.DataFrame(rows, columns=columns)


def summary(frame):
    """Return one row per data set, number of anchors and method."""
    own = frame[frame["method"] == FIRST].drop(columns="method")
    keys = ["data", "anchors", "seed", "client"]
    frame = frame.merge(own.rename(columns={"score": "own"}), on=keys)
    frame["gain"] = frame["score"] - frame["own"]
    cells = ["data", "anchors", "method"]
    draws = frame.groupby([*cells, "seed"], sort=False)[["score", "gain"]].mean()
    found = draws.groupby(cells, sort=False).mean()
    found["se"] = draws.groupby(cells, sort=False)["gain"].sem()
    return found.reset_index()


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anchors", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--rows", type=int, default=60, help="of a client, besides")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=10)
    parser.add_argument("--only", default="", help="methods whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--csv", help="write the printed table to this file")
    args = parser.parse_args()
    jobs = [
        delayed(run)(data, n, args.rows, args.first_seed + seed, args.only)
        for seed in range(args.seeds)
        for data in DATA
        for n in args.anchors
        if not (data == "wine" and n + args.rows > 89)
    ]
    found = summary(pd.concat(Parallel(n_jobs=args.jobs)(jobs)))
    text = found["score"].map("{:.3f}".format)
    text += found["gain"].map(" ({:+.3f}".format) + found["se"].map(" ± {:.3f})".format)
    found["cell"] = text.where(found["method"] != FIRST, text.str[:5])
    cells = [(data, n) for data in DATA for n in args.anchors]
    wide = found.pivot(index=["data", "anchors"], columns="method", values="cell")
    wide = wide.loc[[cell for cell in cells if cell in wide.index]]
    wide = wide[list(found["method"].unique())].reset_index()
    if args.csv:
        wide.to_csv(args.csv, index=False)
    print("score (gain over local ± its standard error over draws)")
    print(wide.to_string(index=False))


if __name__ == "__main__":
    main()
