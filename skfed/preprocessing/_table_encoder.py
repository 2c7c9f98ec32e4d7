"""The default encoder: any table becomes numbers, the same columns everywhere."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..exceptions import AlignmentWarning, ClientError
from ._checks import check_choice, check_count, check_real
from ._columns import (
    BOOLEAN,
    DATETIME,
    DATETIME_PARTS,
    EMPTY,
    NUMBER,
    TEXT,
    check_distinct,
    read_table,
)
from ._federated import FederatedTransformer
from ._messages import packed, unpacked
from ._one_hot_encoder import FederatedOneHotEncoder
from ._simple_imputer import FederatedSimpleImputer
from ._standard_scaler import FederatedStandardScaler
from ._table_columns import (
    agreed_kinds,
    as_frame,
    chosen,
    finite_array,
    is_numeric,
    kinds_of,
    missing_flags,
    missing_names,
    number_names,
    number_table,
    reportable,
)


class TableEncoder(FederatedTransformer):
    """Turn a table of any columns into numbers, in agreement with the other clients.

    Numbers are scaled and their gaps filled with the mean; text and pandas categories
    become one column per category of all clients; booleans one column; dates become
    numbers such as year and month. One exchange with the server settles what each
    column is, so that a name means the same at every client that has it.

    Parameters
    ----------
    scaling : {"balanced", "client", "pooled"} or None, default="balanced"
        How numbers are scaled, see :class:`FederatedStandardScaler`; None leaves them
        in their units.
    impute : {"mean"} or None, default="mean"
        Fill gaps of numbers and dates with the mean (0 after scaling), or pass NaN.
        A missing category or boolean is a row of zeros in any case.
    indicator : bool, default=False
        Append a column "age=missing" for every column that misses at least
        ``min_count`` values at one of the clients.
    min_count : int, default=5
        No statistic with fewer rows behind it leaves a client; a category that no
        client has in so many rows is left out.
    max_categories : int, default=30
        Keep at most this many categories per column, the most frequent of all
        clients; None keeps all.
    clip : float or None, default=6.0
        Limit scaled numbers to ``[-clip, clip]``.
    datetime_parts : sequence of str, default=("year", "month", "day", "weekday", \
            "hour")
        Parts of a date that become columns; also "quarter", "week", "dayofyear",
        "minute" and "second". Times are read on the column's own clock.

    Attributes
    ----------
    kinds_ : dict of str
        Column name to "number", "boolean", "text" or "datetime", as agreed with the
        other clients, and "empty" for columns that are left out.
    transformer_ : ColumnTransformer or Pipeline
        The fitted parts; a Pipeline if every column is a number.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    Raises
    ------
    ClientError
        If a column is text at one client and numbers at another, occurs twice, or no
        column is left.
    TypeError
        If a column holds other things, such as lists, or mixes text and numbers.

    Warns
    -----
    AlignmentWarning
        Names the columns without a value in fit, which are left out, and the
        categories that become zeros.

    See Also
    --------
    FederatedStandardScaler : How numbers are scaled.
    FederatedOneHotEncoder : How text is encoded.

    Notes
    -----
    *What leaves the client.* Names and kinds of columns; what
    :class:`FederatedStandardScaler` sends of numbers, dates and booleans (with the
    default the rows per class and nothing else); what
    :class:`FederatedOneHotEncoder` sends of the text; and whether ``min_count``
    values are missing, per column, if ``indicator``.

    A column that holds booleans at one client and numbers at another is numeric. A
    column of objects is what its values are. Categories of one-hot columns are named
    "colour=red", booleans "smoker=True", parts of dates "visit=year".

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.preprocessing import TableEncoder
    >>> X = pd.DataFrame({"age": [30, None, 50], "smoker": [True, False, False]})
    >>> TableEncoder().set_output(transform="pandas").fit_transform(X)
       age  smoker=True
    0 -1.0          1.0
    1  0.0          0.0
    2  1.0          0.0
    """

    may_be_nan = FederatedStandardScaler.may_be_nan

    def __init__(
        self,
        scaling="balanced",
        impute="mean",
        indicator=False,
        min_count=5,
        max_categories=30,
        clip=6.0,
        datetime_parts=("year", "month", "day", "weekday", "hour"),
    ):
        self.scaling = scaling
        self.impute = impute
        self.indicator = indicator
        self.min_count = min_count
        self.max_categories = max_categories
        self.clip = clip
        self.datetime_parts = datetime_parts

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array of str of shape (d,), default=None
            Names of the input columns; None takes those seen in fit.

        Returns
        -------
        names : array of object of shape (q,)
            Numbers, parts of dates, booleans, categories, then indicators.
        """
        self._check_fitted()
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.array([names[j] + end for j, end in self._output], dtype=object)

    def _read(self, X, y, reset):
        table, names = read_table(self, X, y, reset)
        if isinstance(table, pd.DataFrame) and is_numeric(table):
            table = finite_array(table, names)  # one block is faster than columns
        return table, names

    def _check_parameters(self):
        check_choice(self, "scaling", ("balanced", "client", "pooled", None))
        check_choice(self, "impute", ("mean", None))
        check_choice(self, "indicator", (True, False))
        check_count(self, "min_count")
        check_count(self, "max_categories", optional=True)
        check_real(self, "clip", optional=True, include_low=False)
        parts = set(self.datetime_parts)
        if not 0 < len(parts) == len(self.datetime_parts) or parts - set(
            DATETIME_PARTS
        ):
            raise ValueError(
                f"datetime_parts={self.datetime_parts!r} must be a sequence of one or "
                f"more of {list(DATETIME_PARTS)}, each once"
            )

    def _scaler(self):
        if self.scaling is None:
            return None
        return FederatedStandardScaler(
            scaling=self.scaling, clip=self.clip, min_count=self.min_count
        )

    def _imputer(self):
        """Fill with the mean, which is 0 once numbers are scaled."""
        if self.impute is None:
            return None
        if self.scaling is None:
            return FederatedSimpleImputer("mean", min_count=self.min_count)
        return FederatedSimpleImputer("constant", fill_value=0.0)

    def _encoder(self, kind):
        return FederatedOneHotEncoder(
            min_count=self.min_count,
            max_categories=self.max_categories if kind == TEXT else None,
            drop="if_binary" if kind == BOOLEAN else None,
        )

    def _client_statistics(self, X, names, y, shared):
        self._check_parameters()
        kinds = kinds_of(X, names)
        message = {"columns": list(names), "kinds": [kinds[name] for name in names]}
        if self.indicator:
            often = np.asarray(pd.isna(X)).sum(axis=0) >= self.min_count
            message["missing"] = [v for v, yes in zip(names, often, strict=True) if yes]
        numbers = number_table(
            X, reportable(X, kinds, self.min_count), self.datetime_parts
        )
        for part, step in (("scale", self._scaler()), ("impute", self._imputer())):
            if step is not None and numbers is not None:
                message |= packed(part, step.client_statistics(numbers, y))
        text = chosen(kinds, TEXT)
        if text:
            step = self._encoder(TEXT)
            message |= packed("text", step.client_statistics(X[text]))
        return message

    def _merge(self, statistics, shared):
        kinds = agreed_kinds(statistics)
        answer = {"columns": list(kinds), "kinds": list(kinds.values())}
        if self.indicator:
            flagged = {v for m in statistics.values() for v in m["missing"]}
            answer["missing"] = sorted(flagged)
        steps = {
            "scale": self._scaler(),
            "impute": self._imputer(),
            "text": self._encoder(TEXT),
        }
        for part, step in steps.items():
            sent = {c: unpacked(part, m) for c, m in statistics.items()}
            sent = {c: message for c, message in sent.items() if message}
            if sent:
                answer |= packed(part, step.merge(sent))
        return answer

    def _fit_shared(self, X, names, y, shared):
        agreed = dict(zip(shared["columns"], shared["kinds"], strict=True))
        own = kinds_of(X, names)
        self.kinds_ = {v: EMPTY if own[v] == EMPTY else agreed[v] for v in names}
        empty = chosen(self.kinds_, EMPTY)
        if empty:
            warnings.warn(
                f"columns {empty} have no value and are left out",
                AlignmentWarning,
                stacklevel=4,
            )
        self._columns: dict[str, list[str]] = {}
        steps: dict = {}
        self._fit_numbers(X, y, shared, steps)
        self._fit_categories(X, shared, steps)
        if self.indicator:
            flagged = set(shared["missing"])
            gappy = [v for v in names if v in flagged]
            if gappy:  # a table of numbers without gaps needs no ColumnTransformer
                self._columns["missing"] = gappy
                steps["missing"] = FunctionTransformer(
                    missing_flags, feature_names_out=missing_names
                )
        self._output = self._named(names, steps)
        if not self._output:
            raise ClientError(
                f"no column of {names} is left to encode; give numbers, or categories "
                f"that occur in at least min_count={self.min_count} rows"
            )
        check_distinct([names[j] + end for j, end in self._output], "the output")
        self._assemble(X, names, steps)

    def _fit_numbers(self, X, y, shared, steps):
        numbers = number_table(X, self.kinds_, self.datetime_parts)
        if numbers is None:
            return
        self._columns["number"] = chosen(self.kinds_, NUMBER, DATETIME)
        chain: list = []
        for part, step in (("scale", self._scaler()), ("impute", self._imputer())):
            if step is None:
                continue
            if chain:  # the imputer follows the scaler and fills with a constant
                numbers = chain[0][1].transform(numbers[:1])
                y = None
            step.set_output(transform="default")
            chain.append((part, step.fit_shared(numbers, y, unpacked(part, shared))))
        steps["number"] = chain

    def _fit_categories(self, X, shared, steps):
        for kind in (BOOLEAN, TEXT):
            columns = chosen(self.kinds_, kind)
            if not columns:
                continue
            answer = unpacked("text", shared)
            if kind == BOOLEAN:
                both = {f"categories:{name}": [False, True] for name in columns}
                answer = {"columns": columns, "missing": [False] * len(columns), **both}
            self._columns[kind] = columns
            encoder = self._encoder(kind).set_output(transform="default")
            steps[kind] = encoder.fit_shared(X[columns], None, answer)

    def _named(self, names, steps):
        """Return (input position, ending) of every output column."""
        at = {name: j for j, name in enumerate(names)}
        output = []
        for name in self._columns.get("number", ()):
            parts = self.datetime_parts if self.kinds_[name] == DATETIME else None
            endings = [""] if parts is None else [f"={part}" for part in parts]
            output += [(at[name], ending) for ending in endings]
        for kind in (BOOLEAN, TEXT):
            if kind in steps:
                columns, encoder = self._columns[kind], steps[kind]
                for name, values, first in zip(
                    columns, encoder.categories_, encoder.dropped(), strict=True
                ):
                    kept = [v for j, v in enumerate(values) if j != first]
                    output += [(at[name], f"={value}") for value in kept]
        return output + [(at[v], "=missing") for v in self._columns.get("missing", ())]

    def _assemble(self, X, names, steps):
        """Build ``transformer_`` from the fitted steps."""
        chain = steps.get("number", [])
        self._all_numbers = (
            isinstance(X, np.ndarray)
            and list(steps) == ["number"]
            and self._columns["number"] == names
        )
        if self._all_numbers:
            self.transformer_ = Pipeline(chain or [("pass", "passthrough")])
            return
        row = as_frame(X[:1], names)  # the parts are fitted: one row settles the names
        if "missing" in steps:
            steps["missing"].fit(row[self._columns["missing"]])
        if "number" in steps:
            how = {
                "kinds": {name: self.kinds_[name] for name in self._columns["number"]},
                "parts": tuple(self.datetime_parts),
            }
            read = FunctionTransformer(
                number_table,
                kw_args=how,
                feature_names_out=partial(number_names, **how),
            ).fit(row[self._columns["number"]])
            steps["number"] = Pipeline([("read", read), *chain])
        self.transformer_ = ColumnTransformer(
            [
                (name, FrozenEstimator(step), self._columns[name])
                for name, step in steps.items()
            ],
            verbose_feature_names_out=False,
            sparse_threshold=0.0,
        ).set_output(transform="default")
        self.transformer_.fit(row)

    def _transform(self, X):
        if self._all_numbers:  # the same steps, without their checks
            if isinstance(X, pd.DataFrame):
                X = number_table(X, self.kinds_, ()).to_numpy()
            for _, step in self.transformer_.steps:
                X = X.copy() if step == "passthrough" else step._transform(X)
            return X
        Z = self.transformer_.transform(as_frame(X, self._column_names()))
        return np.asarray(Z, dtype=np.float64)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        return tags
