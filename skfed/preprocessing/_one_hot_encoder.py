"""One-hot columns for the categories that all clients have in common."""

import warnings

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from ..exceptions import AlignmentWarning
from ._categories import coded, counted, merged, shortened
from ._checks import check_choice, check_count
from ._columns import check_distinct, columns_of, read_table
from ._disclosure import rounded_down
from ._federated import FederatedTransformer


class FederatedOneHotEncoder(FederatedTransformer):
    """Encode categories as one column each, the same columns at every client.

    The categories of a column are the union over all clients that have a column of
    that name, so that a value which a client never saw still has its place. Columns
    that a client lacks are not in its output.

    Parameters
    ----------
    min_count : int, default=5
        A client does not report categories with fewer rows than this.
    max_categories : int, default=None
        Keep at most this many categories per column, the most frequent over all
        clients; None keeps all.
    drop : {None, "if_binary"}, default=None
        "if_binary" leaves out the first of exactly two categories.
    handle_unknown : {"ignore", "error"}, default="ignore"
        A category that was not in any client's fit becomes a row of zeros, or raises.
        Categories left out by ``min_count`` or ``max_categories`` are zeros anyway.
    handle_missing : {"ignore", "category"}, default="ignore"
        A missing value is a row of zeros, or a category of its own that is called
        "missing" (if one client has ``min_count`` of them).
    dtype : dtype, default=numpy.float64
        Of the output.

    Attributes
    ----------
    categories_ : list of arrays
        Per input column the categories, sorted; None at the end stands for missing.
    left_out_ : dict of list
        Per column name the client's own categories that have no output column.
    drop_idx_ : array of object of shape (d,) or None
        Position of the dropped category per column, None where none is dropped.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    Raises
    ------
    ClientError
        If a column holds text at one client and numbers at another, or two columns of
        the output had the same name.
    TypeError
        If a column mixes types or holds other things than text, numbers or booleans.

    Warns
    -----
    AlignmentWarning
        Names the columns and categories that are left out.

    See Also
    --------
    sklearn.preprocessing.OneHotEncoder : The same result on the pooled rows.
    TableEncoder : Decides by itself which columns are categories.

    Notes
    -----
    *What leaves the client.* Names of columns; names of categories that have
    ``min_count`` rows; if ``max_categories`` is set, their counts, rounded down to a
    multiple of ``min_count``, so that the rows which are not reported cannot be
    recovered as the total minus the rest.

    An output column is named "colour=red", so that it aligns by name with the one of
    another client.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.preprocessing import FederatedOneHotEncoder
    >>> X = pd.DataFrame({"colour": ["red", "blue", None]})
    >>> encoder = FederatedOneHotEncoder(min_count=1).set_output(transform="pandas")
    >>> encoder.fit_transform(X)
       colour=blue  colour=red
    0          0.0         1.0
    1          1.0         0.0
    2          0.0         0.0
    """

    def __init__(
        self,
        min_count=5,
        max_categories=None,
        drop=None,
        handle_unknown="ignore",
        handle_missing="ignore",
        dtype=np.float64,
    ):
        self.min_count = min_count
        self.max_categories = max_categories
        self.drop = drop
        self.handle_unknown = handle_unknown
        self.handle_missing = handle_missing
        self.dtype = dtype

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns, such as "colour=red".

        Parameters
        ----------
        input_features : array of str of shape (d,), default=None
            Names of the input columns; None takes those seen in fit.

        Returns
        -------
        names : array of object of shape (q,)
            One name per column of the output.
        """
        check_is_fitted(self)
        inputs = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.array(
            [
                f"{name}={'missing' if value is None else value}"
                for name, values, first in zip(
                    inputs, self.categories_, self.dropped(), strict=True
                )
                for j, value in enumerate(values)
                if j != first
            ],
            dtype=object,
        )

    def _read(self, X, y, reset):
        return read_table(self, X, y, reset)

    def _check_parameters(self):
        check_count(self, "min_count")
        check_count(self, "max_categories", optional=True)
        check_choice(self, "drop", (None, "if_binary"))
        check_choice(self, "handle_unknown", ("ignore", "error"))
        check_choice(self, "handle_missing", ("ignore", "category"))

    def _client_statistics(self, X, names, y, shared):
        self._check_parameters()
        message: dict = {
            "columns": list(names),
            "missing": np.zeros(len(names), dtype=bool),
        }
        for j, (name, column) in enumerate(columns_of(X, names)):
            values, counts, n_missing = counted(column, name)
            sent = counts >= self.min_count
            message[f"categories:{name}"] = [
                value for value, yes in zip(values, sent, strict=True) if yes
            ]
            if self.max_categories is not None:
                message[f"counts:{name}"] = rounded_down(counts[sent], self.min_count)
            if self.handle_missing == "category":
                message["missing"][j] = n_missing >= self.min_count
        return message

    def _merge(self, statistics, shared):
        found: dict[str, dict] = {}
        missing: set[str] = set()
        for client, message in statistics.items():
            flags = zip(message["columns"], message["missing"], strict=True)
            missing.update(name for name, flag in flags if flag)
            for name in message["columns"]:
                values = message[f"categories:{name}"]
                counts = message.get(f"counts:{name}", np.zeros(len(values), dtype=int))
                found.setdefault(name, {})[client] = values, counts
        columns = sorted(found)
        answer = {
            "columns": columns,
            "missing": np.array([name in missing for name in columns], dtype=bool),
        }
        for name in columns:
            values, counts = merged(name, found[name])
            if self.max_categories is not None:
                first = np.argsort(-counts, kind="stable")[: self.max_categories]
                values = [values[j] for j in sorted(first)]
            answer[f"categories:{name}"] = values
        return answer

    def _fit_shared(self, X, names, y, shared):
        missing = dict(zip(shared["columns"], shared["missing"], strict=True))
        self.categories_, self.left_out_ = [], {}
        for name, column in columns_of(X, names):
            values = list(shared[f"categories:{name}"])
            own, _, _ = counted(column, name)
            left_out = sorted(set(own) - set(values))
            if left_out:
                self.left_out_[name] = left_out
            if missing[name]:
                values.append(None)
            self.categories_.append(np.array(values, dtype=object))
        binary = self.drop == "if_binary"
        first = [0 if binary and len(c) == 2 else None for c in self.categories_]
        has_drop = any(index is not None for index in first)
        self.drop_idx_ = np.array(first, dtype=object) if has_drop else None
        check_distinct(list(self.get_feature_names_out()), "the output")
        self._warn_left_out(names)

    def _warn_left_out(self, names):
        """Name the categories that become zeros, and the columns that vanish."""
        if not self.left_out_:
            return
        cause = f"fewer than min_count={self.min_count} rows at every client"
        if self.max_categories is not None:
            cause += f", or not among the max_categories={self.max_categories} largest"
        kept = dict(zip(names, self.categories_, strict=True))
        texts = [
            f"{name!r}: {shortened(values)}"
            + ("" if len(kept[name]) else " (no category is left, the column vanishes)")
            for name, values in self.left_out_.items()
        ]
        warnings.warn(
            f"categories are left out and become zeros ({cause}): {'; '.join(texts)}",
            AlignmentWarning,
            stacklevel=4,
        )

    def dropped(self):
        """Return per column the position of the dropped category, or None.

        Returns
        -------
        positions : list of int or None
            As ``drop_idx_``, with one entry per column in any case.
        """
        if self.drop_idx_ is None:
            return [None] * len(self.categories_)
        return list(self.drop_idx_)

    def _transform(self, X):
        names = self._column_names()
        blocks = []
        for (name, column), categories, first in zip(
            columns_of(X, names), self.categories_, self.dropped(), strict=True
        ):
            values = [value for value in categories if value is not None]
            codes = coded(column, name, values)
            if self.handle_unknown == "error":
                self._refuse_unknown(name, column, codes)
            block = np.zeros((len(column), len(categories)), dtype=self.dtype)
            known = np.flatnonzero(codes >= 0)
            block[known, codes[known]] = 1
            if len(values) < len(categories):
                block[column.isna().to_numpy(), -1] = 1
            blocks.append(block if first is None else np.delete(block, first, axis=1))
        return np.hstack(blocks)

    def _refuse_unknown(self, name, column, codes):
        unknown = set(column[(codes < 0) & column.notna().to_numpy()].unique())
        unknown -= set(self.left_out_.get(name, ()))
        if unknown:
            raise ValueError(
                f"column {name!r} has categories {shortened(sorted(unknown))} that no "
                "client had in fit; use handle_unknown='ignore' to encode them as zeros"
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        return tags
