"""Clients dealt from one table, which differ as far as the dials say."""

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
)

from skfed.datasets import make_heterogeneous_clients

from .draws import Draw, Split

CLASSES = ("digits", "cancer", "wine", "classes")
LOADERS = {
    "digits": load_digits,
    "cancer": load_breast_cancer,
    "wine": load_wine,
    "diabetes": load_diabetes,
}
N_SYNTHETIC = 3000  # rows, half of them for tests
N_RESAMPLED = 500  # test rows of a client with class shares of its own
SIZES = 12, 200  # of clients with unequal numbers of rows


def table(data, seed):
    """Return one table, its target and task; "classes" and "numbers" are generated."""
    task = "classification" if data in CLASSES else "regression"
    if data in LOADERS:
        X, y = LOADERS[data](return_X_y=True, as_frame=True)
        return X, y.to_numpy(), task
    made = make_heterogeneous_clients(1, N_SYNTHETIC, task=task, random_state=seed)
    return *made.clients["client_0"], task


def deal(
    seed,
    data,
    n_rows=50,
    n_clients=10,
    *,
    overlap=1.0,
    maps=False,
    label_shift=False,
    drift=False,
    concept=False,
    imbalance=False,
    anchors=0,
):
    """Deal one table to clients, each dial with a random stream of its own.

    Half of the rows are to train on, half to test on. A client draws its rows without
    replacement from the first half, which it shares with the others, and is tested on
    the whole second half with its own columns, map, drift and concept.

    overlap
        Share of the named columns that a client keeps; 0 deals column j to client
        j mod K, so that no two clients share one.
    maps
        A random Gaussian map of the standardised columns to d columns without common
        names, d from a quarter to three quarters of the columns.
    label_shift
        Class shares from a Dirichlet distribution with concentration 0.5 a class; ten
        bins of y are the classes of a regression. Test rows are 500 draws with
        replacement that have the class shares of the client's training rows.
    drift
        ``x -> a x + b sd(x)``, log(a) and b from N(0, 1) for each client and column.
    concept
        At every second client each class bears the next one's label, or the target
        is mirrored at its mean.
    imbalance
        Sizes log-uniform from 12 to 200, at most the half that is there.
    anchors
        So many training rows, :func:`anchor_names` in the index, are at every client
        beside its own rows.
    """
    X, y, task = table(data, seed)
    train, test = _halves(y, task, seed)
    centre, spread = X.iloc[train].mean(), X.iloc[train].std().replace(0, 1)
    strata = _strata(y, y[train], task)
    common = _rng(seed, "anchors").choice(train, anchors, replace=False)
    train = np.setdiff1d(train, common)
    columns = _columns(seed, X.columns, n_clients, overlap)
    parts = Split({}, {})
    for k in range(n_clients):
        client, size = f"client {k}", n_rows
        if imbalance:
            low, high = np.log(SIZES)
            size = round(np.exp(_rng(seed, "imbalance", k).uniform(low, high)))
        shares = _shares(strata, seed, k) if label_shift else None
        mine = _draw(
            _rng(seed, "rows", k), train, min(size, len(train)), strata, shares
        )
        held_out = test
        if label_shift:
            weights = np.bincount(strata[mine], minlength=strata.max() + 1)
            held_out = _resample(_rng(seed, "tests", k), test, strata, weights)
        own = y
        if concept and k % 2:
            own = _other_concept(y, y[train], task)
        view = X
        if drift:
            rng = _rng(seed, "drift", k)
            scale = np.exp(rng.normal(size=X.shape[1]))
            view = X * scale + rng.normal(size=X.shape[1]) * spread
        if maps:
            view = _mapped(_rng(seed, "maps", k), (view - centre) / spread, client)
        else:
            view = view[columns[k]]
        mine = np.concatenate([common, mine])
        rows = view.iloc[mine].reset_index(drop=True)
        if anchors:
            others = [f"{client} row {i}" for i in range(len(mine) - anchors)]
            rows.index = [*anchor_names(anchors), *others]
        parts.train[client] = rows, own[mine]
        tested = view.iloc[held_out].reset_index(drop=True)
        parts.test[client] = tested, own[held_out], held_out
    metric = "accuracy" if task == "classification" else "r2"
    return Draw(task, metric, [parts])


def anchor_names(n):
    """Return the names of common rows."""
    return [f"anchor {j}" for j in range(n)]


def _rng(seed, stream, k=0):
    """Return the generator of one dial and client."""
    names = ("halves", "columns", "rows", "tests", "imbalance", "labels")
    names += ("drift", "maps", "anchors")
    return np.random.default_rng([seed, names.index(stream), k])


def _halves(y, task, seed):
    """Return the rows to train on and to test on, of each class one half."""
    order = _rng(seed, "halves").permutation(len(y))
    by_class = y[order] if task == "classification" else np.zeros(len(y))
    place = pd.Series(by_class).groupby(by_class).cumcount().to_numpy()
    return np.sort(order[place % 2 == 0]), np.sort(order[place % 2 == 1])


def _strata(y, known, task):
    """Return classes, or ten bins of y with equal counts, as numbers from 0."""
    if task == "regression":
        y = np.searchsorted(np.quantile(known, np.arange(1, 10) / 10), y)
    return np.unique(y, return_inverse=True)[1]


def _columns(seed, names, n_clients, overlap):
    """Return the columns of each client."""
    if overlap == 0:
        return [names[k::n_clients] for k in range(n_clients)]
    n_kept = max(1, round(overlap * len(names)))
    kept = [
        np.sort(_rng(seed, "columns", k).choice(len(names), n_kept, replace=False))
        for k in range(n_clients)
    ]
    return [names[positions] for positions in kept]


def _shares(strata, seed, k):
    """Return class shares, drawn until two classes have a tenth of the rows each."""
    rng, p = _rng(seed, "labels", k), np.bincount(strata) / len(strata)
    while True:
        shares = rng.dirichlet(0.5 * len(p) * p)
        if np.sort(shares)[-2] >= 0.1:
            return shares


def _draw(rng, pool, size, strata, shares):
    """Draw rows without replacement, classes by their shares as long as they last."""
    p = None
    if shares is not None:
        counts = np.bincount(strata[pool], minlength=len(shares))
        p = (shares / np.maximum(counts, 1))[strata[pool]] + 1e-12
        p /= p.sum()
    return rng.choice(pool, size, replace=False, p=p)


def _resample(rng, pool, strata, weights):
    """Draw test rows with replacement, classes in proportion to the weights."""
    counts = np.bincount(strata[pool], minlength=len(weights))
    p = (weights / np.maximum(counts, 1))[strata[pool]]
    return rng.choice(pool, N_RESAMPLED, p=p / p.sum())


def _other_concept(y, known, task):
    if task == "regression":
        return 2 * known.mean() - y
    classes, codes = np.unique(y, return_inverse=True)
    return classes[(codes + 1) % len(classes)]


def _mapped(rng, Z, client):
    """Return the rows through a random linear map, under names of the client's own."""
    d = Z.shape[1]
    width = rng.integers(max(2, d // 4), max(3, 3 * d // 4 + 1))
    matrix = rng.normal(size=(d, width)) / np.sqrt(d)
    names = [f"{client} x{j}" for j in range(width)]
    return pd.DataFrame(Z.to_numpy() @ matrix, columns=names)
