"""Standardisation by statistics of all clients, of one, or under a common prior."""

import warnings

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from ..exceptions import AlignmentWarning
from ._checks import check_choice, check_count, check_real
from ._class_effects import balanced_moments, class_profile, fit_effects
from ._disclosure import tellable
from ._federated import FederatedTransformer
from ._moments import column_moments, merge_moments, scale_of
from ._strata import coded_classes, merge_strata, strata_of, strata_statistics


class FederatedStandardScaler(OneToOneFeatureMixin, FederatedTransformer):
    r"""Centre and scale columns by statistics that the clients agree on.

    Which rows the mean and the standard deviation describe is a modelling choice.
    "pooled" makes the same feature value mean the same at every client, and is
    right unless clients measure on different scales. "client" removes every shift
    and scaling between clients, but also the differences in the mean that only come
    from different class shares, which breaks :math:`p(x | y)`. "balanced" removes
    the first and keeps the second: each client uses its own class means, under class
    shares that are common to all.

    Parameters
    ----------
    scaling : {"pooled", "client", "balanced"}, default="pooled"
        Where mean and standard deviation come from. "balanced" needs y in fit and is
        "client" without it (or where y has several columns).
    prior_strength : float, default=1.0
        With "balanced": a class mean is shrunk towards the client's mean as by this
        many rows, so that rare classes do not move it.
    clip : float, default=None
        Limit the scaled values to ``[-clip, clip]``; in standard deviations.
    min_count : int, default=5
        No statistic with fewer rows behind it leaves a client.

    Attributes
    ----------
    mean_ : array of float64 of shape (d,)
        Means; NaN for a column without any value.
    var_ : array of float64 of shape (d,)
        Variances.
    scale_ : array of float64 of shape (d,)
        Standard deviations; 1 for a constant column.
    n_samples_seen_ : int or array of int64 of shape (d,)
        Rows behind the means, per column where they differ through missing values.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The same result on the pooled rows.
    TableEncoder : Scales numbers and encodes everything else.

    Notes
    -----
    *What leaves the client.* "pooled": names, observed rows, means and sums of
    squared deviations per column, of those columns that have ``min_count`` observed
    rows and, at a real site, no value that all but a few share. "client": nothing.
    "balanced": the same as "pooled"; the number of rows of every class, and per column
    the class means about the column's mean in units of the deviation within classes
    (or, for a float y, the number of rows, mean and sum of squared deviations of y); no
    class with fewer than ``min_count`` rows.

    *pooled.* Columns match by name; a client without a column does not contribute to
    it. Moments are merged pairwise [1]_. A column that no client may report is scaled
    by the client's own statistics, with a warning if there are other clients.

    *balanced.* With :math:`\bar p_c` the mean over clients of the share of class c,
    :math:`p_c` the same among the classes known in the column, :math:`a` the
    ``prior_strength`` and sums over observed rows of one column:

    .. math::

        \tilde m_c = \frac{\sum_{y=c} x + a \bar x}{n_{kc} + a}, \quad
        \mu = \sum_c p_c \tilde m_c, \quad
        s^2 = \frac{\sum_c \sum_{y=c} (x - m_c)^2}{n_k - C_k}
        + \sum_c p_c (\tilde m_c - \mu)^2

    Classes with fewer than ``min_count`` rows are not reported, nor the next smallest
    if the total would give them away; shares are estimated from the rest, and a class
    that no client reports keeps the client's own share.

    The mean of a class that client k lacks follows from what the classes differ by
    elsewhere: in units of the deviation within classes, :math:`m_{kc}` is taken as the
    client's level plus the class's effect, estimated over all clients by weighted
    least squares, so that shift and unit remain the client's own. Where no client has
    the missing class together with others that link it to those of client k, level
    and class cannot be told apart; the column is then scaled by pooled statistics,
    with a warning. So are all columns of a client with fewer than ``min_count`` rows.

    A float y is cut into five
    equally likely bins: the quintiles of a normal distribution with the pooled mean
    and standard deviation of y.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for Computing the
       Sample Variance: Analysis and Recommendations", The American Statistician 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.preprocessing import FederatedStandardScaler
    >>> X_a, X_b = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])
    >>> scaler = FederatedStandardScaler(min_count=1)
    >>> sent = {"a": scaler.client_statistics(X_a), "b": scaler.client_statistics(X_b)}
    >>> scaler.fit_shared(X_a, None, scaler.merge(sent)).mean_
    array([2.5])
    """

    may_be_nan = ("profile",)

    def __init__(self, scaling="pooled", prior_strength=1.0, clip=None, min_count=5):
        self.scaling = scaling
        self.prior_strength = prior_strength
        self.clip = clip
        self.min_count = min_count

    def inverse_transform(self, X):
        """Undo the scaling; values that were clipped stay clipped.

        Parameters
        ----------
        X : array of shape (n, d)
            Scaled rows.

        Returns
        -------
        X_original : array of float64 of shape (n, d)
            Rows in the units of the table.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.mean_):
            raise ValueError(
                f"inverse_transform got an array of shape {X.shape}; it needs "
                f"{len(self.mean_)} columns"
                + ("" if names is None else f" ({', '.join(names)})")
            )
        return X * self.scale_ + self.mean_

    def _check_parameters(self):
        check_choice(self, "scaling", ("pooled", "client", "balanced"))
        check_real(self, "prior_strength")
        check_real(self, "clip", optional=True, include_low=False)
        check_count(self, "min_count")

    def _client_statistics(self, X, names, y, shared):
        self._check_parameters()
        if self.scaling == "client":
            return {}
        n, mean, m2 = column_moments(X)
        sent = tellable(X, n, self.min_count)
        message = {
            "columns": [name for name, yes in zip(names, sent, strict=True) if yes],
            "n": n[sent],
            "mean": mean[sent],
            "m2": m2[sent],
        }
        if self.scaling == "balanced":
            message |= strata_statistics(y, self.min_count)
            if message.get("classes"):
                codes, classes = coded_classes(y)
                told = [classes.index(label) for label in message["classes"]]
                profile = class_profile(X, codes, len(classes), self.min_count)
                message["profile"] = profile[told][:, sent]
        return message

    def _merge(self, statistics, shared):
        if self.scaling == "client":
            return {}
        pooled: dict[str, tuple] = {}
        for message in statistics.values():
            moments = zip(message["n"], message["mean"], message["m2"], strict=True)
            for name, own in zip(message["columns"], moments, strict=True):
                if name in pooled:
                    own = merge_moments(pooled[name], own)
                pooled[name] = own
        columns = sorted(pooled)
        n, mean, m2 = (np.array([pooled[v][i] for v in columns]) for i in range(3))
        answer = {
            "columns": columns,
            "n": n.astype(np.int64),
            "mean": mean.astype(np.float64),
            "m2": m2.astype(np.float64),
            "n_clients": len(statistics),
        }
        if self.scaling == "balanced":
            answer |= merge_strata(statistics)
            if "classes" in answer:
                answer |= self._merge_profiles(statistics, answer)
        return answer

    @staticmethod
    def _merge_profiles(statistics, answer):
        """Return what classes differ by, over all clients."""
        column = {name: j for j, name in enumerate(answer["columns"])}
        row = {label: i for i, label in enumerate(answer["classes"])}
        messages = [m for m in statistics.values() if m.get("classes")]
        profiles = np.full((len(messages), len(row), len(column)), np.nan)
        weights = np.zeros((len(messages), len(row)))
        for k, message in enumerate(messages):
            at = [row[label] for label in message["classes"]]
            columns = [column[name] for name in message["columns"]]
            profiles[np.ix_([k], at, columns)] = message["profile"]
            weights[k, at] = message["counts"]
        effects, components = fit_effects(profiles, weights)
        return {"effects": effects, "components": components}

    def _fit_shared(self, X, names, y, shared):
        n, mean, m2 = column_moments(X)
        strata = strata_of(y, shared) if self.scaling == "balanced" else None
        with np.errstate(invalid="ignore"):  # no observed row: NaN, as in sklearn
            var = m2 / n
        if strata is not None and not self._too_few(X, shared):
            mean, var = self._balanced(X, names, strata, shared, mean, var)
        elif self.scaling == "pooled" or strata is not None:
            n, mean, var = self._pooled(names, n, mean, var, shared)
        self.mean_, self.var_ = mean, var
        self.scale_ = scale_of(var, mean, n)
        same = n.size == 0 or (n == n[0]).all()
        self.n_samples_seen_ = int(n[0]) if same else n

    def _too_few(self, X, shared):
        """Tell whether others have to say what a client's few rows cannot."""
        return len(X) < self.min_count and shared["n_clients"] > 1

    def _balanced(self, X, names, strata, shared, mean, var):
        """Return the balanced moments, pooled ones where classes cannot be linked."""
        at = {name: j for j, name in enumerate(shared["columns"])}
        effects = np.full((len(strata.prior), len(names)), np.nan)
        components = np.full(effects.shape, -1)
        if strata.n_common:
            for j, name in enumerate(names):
                if name in at:
                    effects[: strata.n_common, j] = shared["effects"][:, at[name]]
                    components[: strata.n_common, j] = shared["components"][:, at[name]]
            effects[: strata.n_common][~strata.of_target] = np.nan
        mean, var, complete = balanced_moments(
            X, strata, self.prior_strength, effects, components
        )
        open_ = (~complete & ~np.isnan(effects)).any(axis=0)
        if open_.any():
            missing = ~complete[: strata.n_common][:, open_].all(axis=1)
            labels = [
                c for c, yes in zip(shared["classes"], missing, strict=True) if yes
            ]
            n = np.ones(len(names), dtype=np.int64)
            _, pooled_mean, pooled_var = self._pooled(names, n, mean, var, shared)
            mean = np.where(open_, pooled_mean, mean)
            var = np.where(open_, pooled_var, var)
            warnings.warn(
                f"classes {labels} are at other clients only, and no client links them "
                "to those here: columns are scaled by pooled statistics, which is "
                "right where all clients measure in the same units",
                AlignmentWarning,
                stacklevel=4,
            )
        return mean, var

    def _pooled(self, names, n, mean, var, shared):
        """Return moments with the pooled ones in place, where there are any."""
        n, mean, var = n.copy(), mean.copy(), var.copy()
        at = {name: j for j, name in enumerate(shared["columns"])}
        alone = []
        for j, name in enumerate(names):
            if name in at:
                i = at[name]
                n[j], mean[j] = shared["n"][i], shared["mean"][i]
                var[j] = shared["m2"][i] / shared["n"][i]
            elif n[j]:
                alone.append(name)
        if alone and shared["n_clients"] > 1:
            warnings.warn(
                f"columns {alone} have fewer than min_count={self.min_count} observed "
                "rows at every client and are scaled by this client's own statistics",
                AlignmentWarning,
                stacklevel=5,
            )
        return n, mean, var

    def _transform(self, X):
        Z = X - self.mean_
        # what is left of a constant is the rounding of its mean, which others would
        # take for a column that varies
        noise = self.n_samples_seen_ * np.finfo(np.float64).eps * np.abs(self.mean_)
        noise = np.where(self.var_ <= noise**2, noise, 0.0)
        Z[np.abs(Z) <= noise] = 0.0
        Z /= self.scale_
        return Z if self.clip is None else np.clip(Z, -self.clip, self.clip, out=Z)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
