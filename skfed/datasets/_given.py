"""A given table as the source of rows: held-out part first, then the clients'."""

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..exceptions import ClientError
from ._checks import check_number, client_name
from ._dials import stream
from ._gaussian import N_BINS, Rows


class GivenTable:
    """Rows of a given table, cut into a part for training and one for tests.

    Training rows are dealt without replacement, so that no two clients share one.
    Test rows are drawn for each client from the held-out part, without repeats at a
    client; two clients may be tested on the same row. With ``replace`` both are drawn
    with replacement.
    """

    def __init__(self, X, y, task, test_size, replace, seed):
        check_number("test_size", test_size, 0, 1)
        self.X, self.task, self.replace, self.seed = _as_frame(X), task, replace, seed
        self.truth = None
        self.names = list(self.X.columns)
        numbers = self.X.select_dtypes("number", exclude="timedelta")
        self.spread = numbers.std(ddof=0).reindex(self.names).to_numpy(dtype=float)
        y = column_or_1d(y)
        check_consistent_length(self.X, y)
        if pd.isna(y).any():
            raise ValueError("y has missing values: leave their rows out of X and y")
        if task == "classification":
            check_classification_targets(y)
            self.classes, self.y = np.unique(y, return_inverse=True)
            self.strata = self.y
        else:
            self.y = y.astype(np.float64)
            self.strata = _bins(self.y)
            self.classes = np.arange(self.strata.max() + 1)
            self.centre, self.target_sd = self.y.mean(), self.y.std()
        self.prior = np.bincount(self.strata) / len(y)
        self.held_out = self._hold_out(test_size)

    def train(self, sizes, counts):
        """Return the training rows of each client."""
        pool = np.flatnonzero(~self.held_out)
        deal = self._draw if self.replace else self._deal
        return self._take(deal("training", pool, sizes, counts))

    def test(self, sizes, counts):
        """Return the test rows of each client."""
        pool = np.flatnonzero(self.held_out)
        return self._take(self._draw("test", pool, sizes, counts))

    def _hold_out(self, share):
        """Flag a share of the rows of each class or bin."""
        order = stream(self.seed, "split").permutation(len(self.y))
        shuffled = pd.Series(self.strata[order])
        place = shuffled.groupby(shuffled).cumcount().to_numpy()
        flags = np.empty(len(order), dtype=bool)
        flags[order] = place < np.round(share * np.bincount(self.strata))[shuffled]
        return flags

    def _groups(self, pool, sizes, counts):
        """Return groups of rows and how many of each the clients ask for."""
        if counts is None:
            return [(pool, "")], np.reshape(sizes, (-1, 1))
        what = "class" if self.task == "classification" else "bin of y"
        strata = self.strata[pool]
        groups = [
            (pool[strata == c], f" of {what} {label!r}")
            for c, label in enumerate(self.classes.tolist())
        ]
        return groups, counts

    def _deal(self, part, pool, sizes, counts):
        """Deal rows to the clients, none to two of them."""
        groups, counts = self._groups(pool, sizes, counts)
        hands = []
        for c, (rows, which) in enumerate(groups):
            wanted = counts[:, c]
            if wanted.sum() > len(rows):
                raise ClientError(
                    f"the clients ask for {wanted.sum()} training rows{which} in all, "
                    f"X has {len(rows)} that are not held out: lower n_samples, "
                    "n_clients, test_size or label_shift, or set replace=True to let "
                    "clients share rows"
                )
            deck = stream(self.seed, part, c).permutation(rows)
            hands.append(np.split(deck[: wanted.sum()], np.cumsum(wanted)[:-1]))
        return [
            stream(self.seed, "order", k).permutation(np.concatenate(hand))
            for k, hand in enumerate(zip(*hands, strict=True))
        ]

    def _draw(self, part, pool, sizes, counts):
        """Draw rows for one client after the other, from all rows of the pool."""
        groups, counts = self._groups(pool, sizes, counts)
        drawn = []
        for k, wanted in enumerate(counts):
            rng = stream(self.seed, part, k)
            hand = []
            for (rows, which), n in zip(groups, wanted, strict=True):
                enough = n <= len(rows) or (self.replace and len(rows) > 0)
                if not enough:
                    raise ClientError(
                        f"{client_name(k, len(counts))} asks for {n} {part} rows"
                        f"{which}, X has {len(rows)} for that: lower n_test or "
                        "n_samples, change test_size, or set replace=True to let rows "
                        "repeat"
                    )
                hand.append(
                    rng.choice(rows, n, replace=self.replace) if n else rows[:0]
                )
            drawn.append(rng.permutation(np.concatenate(hand)))
        return drawn

    def _take(self, drawn):
        return [
            Rows(self.X.iloc[rows].reset_index(drop=True), self.y[rows], rows)
            for rows in drawn
        ]


def _as_frame(X):
    """Return a table with text names as DataFrame; columns of arrays are x0, x1, ..."""
    if hasattr(X, "get_columns"):  # polars
        X = pd.DataFrame(X.to_dict(as_series=False))
    if not isinstance(X, pd.DataFrame):
        if hasattr(X, "toarray"):
            raise TypeError("X is sparse: pass X.toarray()")
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(f"X must have two dimensions, got shape {X.shape}")
        X = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    if not all(isinstance(name, str) for name in X.columns):
        raise ValueError(
            "the column names of X must be text: X.columns = X.columns.astype(str)"
        )
    if not X.columns.is_unique:
        twice = sorted(set(X.columns[X.columns.duplicated()]))
        raise ValueError(f"columns {twice} occur twice in X: rename or drop them")
    if 0 in X.shape:
        raise ValueError(f"X is empty, its shape is {X.shape}")
    return X.reset_index(drop=True)


def _bins(y):
    """Return the bin of each value: at most N_BINS of about equal size, none empty."""
    edges = np.quantile(y, np.arange(1, N_BINS) / N_BINS)
    return np.unique(np.searchsorted(edges, y, side="right"), return_inverse=True)[1]
