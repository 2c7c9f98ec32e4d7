"""What can be said of clients' tables without a model: kinds, overlap, shifts, gaps."""

from dataclasses import replace
from math import log, pi, sqrt
from numbers import Real

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from sklearn.utils import check_random_state

from ..data._reader import read_clients
from ..data._tables import to_frame
from ..preprocessing._columns import BOOLEAN, EMPTY, NUMBER, kind_of

MEASURES = {
    "n_rows": "rows",
    "n_columns": "columns",
    "overlap": "columns\nin common",
    "label_shift": "label\nshift",
    "covariate_shift": "covariate\nshift",
    "missing": "missing",
}
MIXED = "mixed"
MOST_LABELS = 20  # more different numbers than that are a quantity
# mean of Kolmogorov's distribution, and so of the distance of two equal samples,
# times the root of their sizes
CHANCE = sqrt(pi / 2) * log(2)


def read_tables(X, y=None, clients=None, client_column=None):
    """Read clients in any form; their tables become DataFrames."""
    cohort = read_clients(X, y, clients=clients, client_column=client_column)
    tables = {name: to_frame(table) for name, table in cohort.tables.items()}
    return replace(cohort, tables=tables)


def known_columns(estimator):
    """Return the columns that a fitted estimator knows of each client.

    Where unnamed columns mean nothing across clients, their names say whose they are.
    """
    columns = {name: list(own) for name, own in estimator.client_features_.items()}
    if estimator.columns_ == "own":
        for name in estimator._unnamed & set(columns):
            columns[name] = [f"{column} of {name}" for column in columns[name]]
    return columns


def client_kinds(table):
    """Return ``{column: kind}`` of a DataFrame; "mixed" is what no encoder takes."""
    return {name: _kind(column, name) for name, column in table.items()}


def _kind(column, name):
    try:
        return kind_of(column, name)
    except (TypeError, ValueError):
        return MIXED


def kinds_clash(kinds):
    """Tell whether kinds under one name cannot be one quantity."""
    kinds = set(kinds) - {EMPTY}
    return len(kinds) > 1 and kinds != {NUMBER, BOOLEAN}


def jaccard_overlaps(columns):
    """Return for each client the mean Jaccard index of its columns with the others'.

    Parameters
    ----------
    columns : dict of list of str
        The columns of each client.

    Returns
    -------
    overlaps : dict of float
        1 where all have the same columns, 0 where none is shared; NaN for one client.
    """
    every = sorted({c for own in columns.values() for c in own})
    place = {c: j for j, c in enumerate(every)}
    has = np.zeros((len(columns), len(every)))
    for i, own in enumerate(columns.values()):
        has[i, [place[c] for c in own]] = 1
    both = has @ has.T
    size = has.sum(axis=1)
    union = size[:, None] + size - both
    index = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    others = max(len(columns) - 1, 0)
    total = index.sum(axis=1) - np.diag(index)
    return {
        name: total[i] / others if others else np.nan for i, name in enumerate(columns)
    }


def distance(own, rest, discrete, rng):
    """Return how far one client's values are from all others', and what chance gives.

    Parameters
    ----------
    own, rest : arrays of shape (n,), (m,)
        Values without gaps.
    discrete : bool
        Whether they are labels or categories: then the distance is the total
        variation, else the Kolmogorov-Smirnov statistic. Both lie in [0, 1].
    rng : RandomState
        Draws the samples behind the chance level of labels.

    Returns
    -------
    found, expected : float
        The distance, and its mean if both were drawn from one distribution.
    """
    n, m = len(own), len(rest)
    if not n or not m:
        return np.nan, np.nan
    if not discrete:
        found = ks_2samp(own, rest, method="asymp").statistic
        return float(found), min(1.0, CHANCE * sqrt((n + m) / (n * m)))
    codes, _ = pd.factorize(np.concatenate([own, rest]))
    total = np.bincount(codes)
    mine = np.bincount(codes[:n], minlength=len(total))

    def variation(counts):
        other = (total - counts) / m
        return 0.5 * np.abs(counts / n - other).sum(axis=-1)

    seeded = np.random.default_rng(rng.randint(2**31 - 1))
    drawn = seeded.multivariate_hypergeometric(total, n, size=50, method="marginals")
    return float(variation(mine)), float(variation(drawn).mean())


def label_shifts(targets, tasks, random_state):
    """Return ``{client: (shift, chance)}`` of targets, among clients of one task.

    Parameters
    ----------
    targets : dict of arrays of shape (n_k,)
        The targets; those of several columns are left out.
    tasks : dict
        ``{client: what it predicts}``; only clients of one quantity are compared.
    random_state : int or RandomState
        Seed of the chance level.
    """
    rng = check_random_state(random_state)
    plain = {c: np.asarray(t) for c, t in targets.items() if np.ndim(t) == 1}
    groups: dict = {}
    for name in plain:
        groups.setdefault(tasks.get(name), []).append(name)
    found: dict = {}
    for names in groups.values():
        if len(names) < 2:
            continue
        every = np.concatenate([plain[c].astype(object) for c in names])
        discrete = _is_discrete(every)
        values = every if discrete else every.astype(float)
        found |= _against_rest({c: len(plain[c]) for c in names}, values, discrete, rng)
    return found


def _against_rest(sizes, values, discrete, rng):
    """Compare each client's part of an array with all the rest of it."""
    found, start = {}, 0
    for name, n in sizes.items():
        own = values[start : start + n]
        rest = np.concatenate([values[:start], values[start + n :]])
        found[name] = distance(own, rest, discrete, rng)
        start += n
    return found


def _is_discrete(values):
    """Tell labels from a quantity: text, or few different numbers."""
    different = set(values.tolist())
    numbers = all(isinstance(v, Real) for v in different)
    return not numbers or len(different) <= MOST_LABELS


def covariate_shifts(tables, random_state):
    """Return ``{client: (shift, chance)}``, means over the columns that others have.

    Parameters
    ----------
    tables : dict of DataFrame
        The tables. A column counts at the clients where it holds values of the kind
        that most of them have; dates and mixed columns are left out.
    random_state : int or RandomState
        Seed of the chance level.
    """
    rng = check_random_state(random_state)
    kinds = {name: client_kinds(table) for name, table in tables.items()}
    found: dict = {name: [] for name in tables}
    for column in sorted({c for own in kinds.values() for c in own}):
        of = {n: own[column] for n, own in kinds.items() if column in own}
        of = {n: k for n, k in of.items() if k in (NUMBER, BOOLEAN, "text")}
        if kinds_clash(of.values()):
            most = pd.Series(list(of.values())).mode()[0]
            of = {n: k for n, k in of.items() if k == most}
        if len(of) < 2:
            continue
        numbers = set(of.values()) == {NUMBER}
        parts = {n: _values(tables[n][column], numbers) for n in of}
        sizes = {n: len(part) for n, part in parts.items()}
        values = np.concatenate(list(parts.values()))
        discrete = not numbers or _is_discrete(values)
        for name, pair in _against_rest(sizes, values, discrete, rng).items():
            found[name].append(pair)
    return {
        name: tuple(np.nanmean(pairs, axis=0))
        for name, pairs in found.items()
        if np.isfinite(np.asarray(pairs, dtype=float)).any()
    }


def _values(column, numbers):
    """Return the observed values as numbers or as text."""
    column = column[column.notna()]
    if numbers:
        return column.to_numpy(float)
    # one spelling for a flag that is boolean here and a number there
    return np.array(
        [str(float(v)) if isinstance(v, bool | np.bool_ | int | float) else str(v)
         for v in column.astype(object)],
        dtype=object,
    )  # fmt: skip


def missing_shares(tables):
    """Return the share of missing cells of each client's DataFrame."""
    return {
        name: float(table.isna().to_numpy().mean()) if table.size else np.nan
        for name, table in tables.items()
    }
