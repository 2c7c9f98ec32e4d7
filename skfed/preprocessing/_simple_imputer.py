"""Fill missing values by a statistic of all clients."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from ..exceptions import AlignmentWarning, ClientError
from ._categories import counted, merged
from ._checks import check_choice, check_count
from ._columns import (
    DATETIME,
    EMPTY,
    NUMBER,
    as_numbers,
    columns_of,
    kind_of,
    read_table,
)
from ._disclosure import rounded_down, tellable
from ._federated import FederatedTransformer
from ._moments import column_moments


class FederatedSimpleImputer(FederatedTransformer):
    """Replace missing values by the mean or the most frequent value of all clients.

    A column that is all missing at one client takes the value of the others. A column
    without a value anywhere stays and is filled with 0 (``fill_value`` if constant),
    with a warning, so that the width is the same at every client: scikit-learn's
    ``keep_empty_features=True``.

    Parameters
    ----------
    strategy : {"mean", "most_frequent", "constant"}, default="mean"
        What fills a gap. "mean" needs numbers; ties of "most_frequent" go to the
        smallest value.
    fill_value : scalar, default=None
        The value of "constant"; None is 0 in a column of numbers and "missing_value"
        in any other.
    scope : {"pooled", "client"}, default="pooled"
        Whether statistics are those of all clients or of the client alone.
    add_indicator : bool, default=False
        Append a column "age=missing" of 0 and 1 for every column that misses at least
        ``min_count`` values at one of the clients (at this client, if ``scope`` is
        "client").
    min_count : int, default=5
        No statistic with fewer rows behind it leaves a client.

    Attributes
    ----------
    statistics_ : array of shape (d,)
        The value that fills each column: float64 if all columns are numbers, else
        object.
    indicator_features_ : array of int of shape (m,)
        Positions of the columns that have an indicator.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    Raises
    ------
    ClientError
        If "mean" meets text, or a column is text at one client and numbers at
        another.

    See Also
    --------
    sklearn.impute.SimpleImputer : The same result on the pooled rows.

    Notes
    -----
    *What leaves the client.* Names of columns. "mean": observed rows and the mean of
    columns with ``min_count`` observed rows, which at a real site must not share one
    value but for a few. "most_frequent": values that occur in
    ``min_count`` rows, with their counts rounded down to a multiple of ``min_count``;
    with K clients the value chosen is at most ``K * (min_count - 1)`` rows rarer than
    the most frequent one. Whether ``min_count`` values are missing, per column, if
    ``add_indicator``. "constant" and the scope "client" send nothing else.

    A column that no client may report is filled by the client's own statistic.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.preprocessing import FederatedSimpleImputer
    >>> imputer = FederatedSimpleImputer(min_count=1)
    >>> imputer.fit_transform(np.array([[1.0], [np.nan], [3.0]])).ravel()
    array([1., 2., 3.])
    """

    def __init__(
        self,
        strategy="mean",
        fill_value=None,
        scope="pooled",
        add_indicator=False,
        min_count=5,
    ):
        self.strategy = strategy
        self.fill_value = fill_value
        self.scope = scope
        self.add_indicator = add_indicator
        self.min_count = min_count

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array of str of shape (d,), default=None
            Names of the input columns; None takes those seen in fit.

        Returns
        -------
        names : array of object of shape (d + m,)
            The input columns, then "age=missing" for every indicator.
        """
        check_is_fitted(self)
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        flags = [f"{names[j]}=missing" for j in self.indicator_features_]
        return np.concatenate([names, np.array(flags, dtype=object)])

    def _read(self, X, y, reset):
        table, names = read_table(self, X, y, reset)
        if self.strategy == "mean" and isinstance(table, pd.DataFrame):
            columns = columns_of(table, names)
            table = np.column_stack([as_numbers(c, name) for name, c in columns])
        return table, names

    def _check_parameters(self):
        check_choice(self, "strategy", ("mean", "most_frequent", "constant"))
        check_choice(self, "scope", ("pooled", "client"))
        check_choice(self, "add_indicator", (True, False))
        check_count(self, "min_count")

    def _client_statistics(self, X, names, y, shared):
        self._check_parameters()
        if self.scope == "client":
            return {}
        message: dict = {}
        if self.add_indicator:
            gaps = pd.isna(X).to_numpy() if isinstance(X, pd.DataFrame) else np.isnan(X)
            often = gaps.sum(axis=0) >= self.min_count
            message["missing"] = [v for v, yes in zip(names, often, strict=True) if yes]
        if self.strategy == "mean":
            n, mean, _ = column_moments(X)
            sent = tellable(X, n, self.min_count)
            message["columns"] = [v for v, yes in zip(names, sent, strict=True) if yes]
            message["n"], message["mean"] = n[sent], mean[sent]
        elif self.strategy == "most_frequent":
            message["columns"] = list(names)
            for name, column in columns_of(X, names):
                values, counts, _ = counted(column, name)
                sent = counts >= self.min_count
                message[f"values:{name}"] = [
                    value for value, yes in zip(values, sent, strict=True) if yes
                ]
                message[f"counts:{name}"] = rounded_down(counts[sent], self.min_count)
        return message

    def _merge(self, statistics, shared):
        answer: dict = {"n_clients": len(statistics)}
        if self.scope == "client":
            return answer
        if self.add_indicator:
            flagged = {v for m in statistics.values() for v in m["missing"]}
            answer["missing"] = sorted(flagged)
        if self.strategy == "mean":
            n: dict = {}
            mean: dict = {}
            for message in statistics.values():
                rows = zip(
                    message["columns"], message["n"], message["mean"], strict=True
                )
                for name, n_own, mean_own in rows:
                    n[name] = n.get(name, 0) + n_own
                    before = mean.get(name, 0.0)
                    mean[name] = before + (mean_own - before) * (n_own / n[name])
            answer["columns"] = sorted(mean)
            answer["mean"] = np.array([mean[v] for v in sorted(mean)], dtype=np.float64)
        elif self.strategy == "most_frequent":
            found: dict[str, dict] = {}
            for client, message in statistics.items():
                for name in message["columns"]:
                    own = message[f"values:{name}"], message[f"counts:{name}"]
                    found.setdefault(name, {})[client] = own
            for name in sorted(found):
                values, counts = merged(name, found[name])
                if values:
                    answer[f"value:{name}"] = values[int(np.argmax(counts))]
        return answer

    def _fit_shared(self, X, names, y, shared):
        self._numeric = isinstance(X, np.ndarray) or all(
            kind_of(c, name) in (NUMBER, EMPTY) for name, c in columns_of(X, names)
        )
        pooled = self._pooled(shared)
        values: list = []
        alone: list[str] = []
        empty: list[str] = []
        for name, own in zip(names, self._own_values(X, names), strict=True):
            if name not in pooled and self.strategy != "constant":
                (alone if own is not None else empty).append(name)
            values.append(pooled.get(name, 0 if own is None else own))
        self._refuse_mixed(names, X, values)
        dtype = np.float64 if self._numeric else object
        self.statistics_ = np.empty(len(values), dtype=dtype)
        self.statistics_[:] = values
        self.indicator_features_ = self._flagged(X, names, shared)
        if alone and self.scope == "pooled" and shared["n_clients"] > 1:
            warnings.warn(
                f"columns {alone} have fewer than min_count={self.min_count} rows to "
                "report at every client and are filled by this client's own statistic",
                AlignmentWarning,
                stacklevel=4,
            )
        if empty:
            where = "at any client" if self.scope == "pooled" else "at this client"
            warnings.warn(
                f"columns {empty} have no value {where} and are filled with 0; leave "
                "them out of the table if they mean nothing",
                AlignmentWarning,
                stacklevel=4,
            )

    def _pooled(self, shared):
        """Return {column: value} of what the server sent."""
        if self.scope == "client":
            return {}
        if self.strategy == "mean":
            return dict(zip(shared["columns"], shared["mean"].tolist(), strict=True))
        start = "value:"
        return {k[len(start) :]: v for k, v in shared.items() if k.startswith(start)}

    def _own_values(self, X, names):
        """Return what this client alone would fill in; None where it has no value."""
        if self.strategy == "mean":
            _, mean, _ = column_moments(X)
            return [None if np.isnan(value) else float(value) for value in mean]
        if self.strategy == "constant":
            if self.fill_value is not None:
                return [self.fill_value] * len(names)
            if isinstance(X, np.ndarray):
                return [0] * len(names)
            kinds = {
                name: kind_of(column, name) for name, column in columns_of(X, names)
            }
            dated = [name for name, kind in kinds.items() if kind == DATETIME]
            if dated:
                raise TypeError(
                    f"column {dated[0]!r} holds dates; give a fill_value, or encode it "
                    "with TableEncoder"
                )
            return [
                0 if kinds[v] in (NUMBER, EMPTY) else "missing_value" for v in names
            ]
        counts = [counted(column, name) for name, column in columns_of(X, names)]
        return [v[int(np.argmax(c))] if v else None for v, c, _ in counts]

    def _refuse_mixed(self, names, X, values):
        """Raise if the agreed value has another type than the client's column."""
        if not any(isinstance(value, str) for value in values):
            return
        for (name, column), value in zip(columns_of(X, names), values, strict=True):
            kind = kind_of(column, name)
            if kind == EMPTY and isinstance(value, str):
                self._numeric = False
            elif kind == NUMBER and isinstance(value, str):
                raise ClientError(
                    f"column {name!r} holds numbers and would be filled with {value!r};"
                    " convert it to one type at all clients, or change fill_value"
                )

    def _flagged(self, X, names, shared):
        """Return the positions of the columns that get an indicator."""
        if not self.add_indicator:
            return np.zeros(0, dtype=int)
        if self.scope == "client":
            return np.flatnonzero(np.asarray(pd.isna(X)).any(axis=0))
        agreed = set(shared["missing"])
        return np.array([j for j, v in enumerate(names) if v in agreed], dtype=int)

    def _transform(self, X):
        missing = np.asarray(pd.isna(X))
        if not self._numeric:
            frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
            filled = frame.astype(object).to_numpy(copy=True)
        elif isinstance(X, pd.DataFrame):
            columns = columns_of(X, self._column_names())
            filled = np.column_stack([as_numbers(c, name) for name, c in columns])
        else:
            filled = X.copy()
        rows, columns = np.nonzero(missing)
        filled[rows, columns] = self.statistics_[columns]
        if not len(self.indicator_features_):
            return filled
        flags = missing[:, self.indicator_features_].astype(filled.dtype)
        return np.hstack([filled, flags])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = self.strategy != "mean"
        tags.input_tags.sparse = True
        return tags
