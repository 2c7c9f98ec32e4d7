"""Map columns to uniform or normal ones by the clients' merged distributions."""

import warnings

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.validation import check_is_fitted

from ..exceptions import AlignmentWarning
from ._checks import check_choice, check_count
from ._federated import FederatedTransformer


class FederatedQuantileTransformer(OneToOneFeatureMixin, FederatedTransformer):
    r"""Give columns a uniform or normal distribution over the rows of all clients.

    Every client sends a grid of its quantiles, the server adds up the piecewise
    linear distribution functions they describe, weighted by rows, and sends back the
    quantiles of the sum.

    Parameters
    ----------
    n_quantiles : int, default=100
        Quantiles of the merged distribution, and the most that a client sends of a
        column; at most the number of rows.
    output_distribution : {"uniform", "normal"}, default="uniform"
        Distribution of the transformed columns.
    min_count : int, default=5
        At least this many rows of the client lie at or beyond the outermost quantile
        it sends, and between two quantiles.

    Attributes
    ----------
    n_quantiles_ : int
        Quantiles in use.
    quantiles_ : array of float64 of shape (n_quantiles_, d)
        Values at the reference levels; NaN for a column without any value.
    references_ : array of float64 of shape (n_quantiles_,)
        Levels from 0 to 1.
    transformer_ : sklearn.preprocessing.QuantileTransformer
        Fitted with the merged quantiles; does the transform.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    See Also
    --------
    sklearn.preprocessing.QuantileTransformer : The same for pooled rows.

    Notes
    -----
    *What leaves the client.* Names, rows, observed rows, and per column
    :math:`\min(\text{n\_quantiles}, 1 + \lfloor (n + 1 - 2 m) / m \rfloor)`
    quantiles, m = ``min_count``, at equally spaced levels from
    :math:`t = (m - 1) / (n - 1)` to :math:`1 - t`. A column with fewer than
    ``3 * min_count - 1`` observed rows is not sent. A quantile lies between two
    neighbouring rows or is the value of one, never of an extreme one. The server
    continues the tails beyond t with the slope of the nearest segment.

    *Error.* Client k's distribution function is exact at the quantiles it sends. In
    between and in the tails it is off by at most
    :math:`e_k = \max(\text{step}_k, t_k, 1 / n_k)`, where step is the distance of two
    levels, and the merged one by :math:`\sum_k n_k e_k / n`. A value of the uniform
    output differs from the pooled transform by no more than that, plus
    ``2 / (n_quantiles_ - 1)`` for the two reference grids and 1 / n. With one client
    and ``min_count=1`` it is equal.

    A column that no client may report is transformed by the client's own quantiles,
    with a warning if there are other clients.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.preprocessing import FederatedQuantileTransformer
    >>> X = np.array([[1.0], [10.0], [100.0]])
    >>> step = FederatedQuantileTransformer(n_quantiles=3, min_count=1)
    >>> step.fit_transform(X).ravel()
    array([0. , 0.5, 1. ])
    """

    def __init__(self, n_quantiles=100, output_distribution="uniform", min_count=5):
        self.n_quantiles = n_quantiles
        self.output_distribution = output_distribution
        self.min_count = min_count

    def inverse_transform(self, X):
        """Map transformed rows back.

        Parameters
        ----------
        X : array of shape (n, d)
            Transformed rows.

        Returns
        -------
        X_original : array of float64 of shape (n, d)
            Rows in the units of the table.
        """
        check_is_fitted(self)
        return self.transformer_.inverse_transform(np.asarray(X, dtype=np.float64))

    def _client_statistics(self, X, names, y, shared):
        check_count(self, "n_quantiles")
        check_count(self, "min_count")
        check_choice(self, "output_distribution", ("uniform", "normal"))
        message: dict = {"n_rows": len(X), "columns": []}
        observed = []
        for name, column in zip(names, X.T, strict=True):
            values = column[~np.isnan(column)]
            levels = client_levels(len(values), self.n_quantiles, self.min_count)
            if len(levels):
                message["columns"].append(name)
                observed.append(len(values))
                message[f"levels:{name}"] = levels
                message[f"quantiles:{name}"] = np.quantile(values, levels)
        message["n"] = np.array(observed, dtype=np.int64)
        return message

    def _merge(self, statistics, shared):
        sketches: dict[str, list] = {}
        for message in statistics.values():
            for name, n in zip(message["columns"], message["n"], strict=True):
                sketch = message[f"levels:{name}"], message[f"quantiles:{name}"]
                sketches.setdefault(name, []).append((n, *sketch))
        n_rows = sum(message["n_rows"] for message in statistics.values())
        references = np.linspace(0, 1, min(self.n_quantiles, n_rows))
        answer: dict = {
            "n_clients": len(statistics),
            "references": references,
            "columns": sorted(sketches),
        }
        for name in answer["columns"]:
            answer[f"quantiles:{name}"] = merged_quantiles(sketches[name], references)
        return answer

    def _fit_shared(self, X, names, y, shared):
        self.references_ = np.asarray(shared["references"])
        self.n_quantiles_ = len(self.references_)
        known, alone = set(shared["columns"]), []
        self.quantiles_ = np.full((self.n_quantiles_, len(names)), np.nan)
        for j, name in enumerate(names):
            values = X[~np.isnan(X[:, j]), j]
            if name in known:
                self.quantiles_[:, j] = shared[f"quantiles:{name}"]
            elif len(values):
                alone.append(name)
                self.quantiles_[:, j] = np.quantile(values, self.references_)
        # interpolation may leave steps down by one rounding error
        np.maximum.accumulate(self.quantiles_, axis=0, out=self.quantiles_)
        if alone and shared["n_clients"] > 1:
            warnings.warn(
                f"columns {alone} have too few observed rows at every client "
                f"({3 * self.min_count - 1} are needed with min_count="
                f"{self.min_count}) and are transformed by this client's own quantiles",
                AlignmentWarning,
                stacklevel=4,
            )
        self.transformer_ = QuantileTransformer(
            n_quantiles=self.n_quantiles,
            output_distribution=self.output_distribution,
            subsample=None,
        )
        self.transformer_.n_quantiles_ = self.n_quantiles_
        self.transformer_.quantiles_ = self.quantiles_
        self.transformer_.references_ = self.references_
        self.transformer_.n_features_in_ = self.n_features_in_
        self.transformer_.set_output(transform="default")

    def _transform(self, X):
        return self.transformer_.transform(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def client_levels(n, n_quantiles, min_count):
    """Return the levels a client with n observed values reports, maybe none."""
    if min_count == 1 and n == 1:
        return np.array([0.0, 1.0])
    inner = n + 1 - 2 * min_count  # rows from the first quantile sent to the last
    if inner < min_count:
        return np.zeros(0)
    trim = (min_count - 1) / (n - 1)
    n_levels = min(n_quantiles, 1 + inner // min_count)
    return np.linspace(trim, 1 - trim, max(2, n_levels))


def merged_quantiles(sketches, references):
    """Return the quantiles of a mixture of piecewise linear distributions.

    Parameters
    ----------
    sketches : list of (n, levels, quantiles)
        Weight, levels (increasing) and values at them, per client.
    references : array of float64 of shape (q,)
        The levels asked for.

    Returns
    -------
    quantiles : array of float64 of shape (q,)
        The values.
    """
    total = sum(n for n, _, _ in sketches)
    whole = [(n, *_with_tails(levels, values)) for n, levels, values in sketches]
    knots = np.unique(np.concatenate([values for _, _, values in whole]))
    below, upto = np.zeros(len(knots)), np.zeros(len(knots))
    for n, levels, values in whole:
        # from the left and from the right: they differ where values are tied
        below -= n * np.interp(-knots, -values[::-1], -levels[::-1])
        upto += n * np.interp(knots, values, levels)
    path = np.column_stack([below, upto]).ravel() / total
    return np.interp(references, path, np.repeat(knots, 2))


def _with_tails(levels, values):
    """Extend a trimmed grid to the levels 0 and 1 with its outermost slopes."""
    if levels[0] <= 0:
        return levels, values
    reach = levels[0] / np.diff(levels)[[0, -1]]
    low = values[0] - reach[0] * (values[1] - values[0])
    high = values[-1] + reach[1] * (values[-1] - values[-2])
    return np.r_[0.0, levels, 1.0], np.r_[low, values, high]
