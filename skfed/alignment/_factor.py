"""Absent columns imputed by a factor model that all clients fit together."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ._base import Aligner
from ._factor_client import client_message, withheld_labels
from ._factor_em import expected_factors, fit_factors, merge_blocks
from ._factor_server import (
    label_shares,
    label_union,
    pooled_scale,
    read_blocks,
    standardised,
    target_scales,
)
from ._factor_warnings import warn_of_withheld
from ._names import check_finite_number, owners, positions

_OUTPUTS = ("impute", "scores", "both")
_SMALL_CLIENTS = ("withhold", "send")


class NothingToLearnFromError(ClientError):
    """No client may send any moment."""


class FactorAligner(Aligner):
    r"""Align by name to the union, absent columns imputed from the present ones.

    All clients fit one factor model over the union of their columns,
    :math:`x = \mu + \sigma (W z + e)` with :math:`z \sim N(0, I_m)` and
    :math:`e \sim N(0, \mathrm{diag}(\psi))`, of which every client observes its own
    part. Columns that no client owns together are joined through the factors. The
    labels can take part as further columns, which all clients own: they join even
    clients without a common column. They serve in ``fit`` only; rows are transformed
    without them.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of factors m, no more than the D columns of the union; "auto" is
        min(16, D). Worth a search over 4, 8, 16 and 24.
    output : {"impute", "scores", "both"}, default="impute"
        "impute": the D columns of the union in their own units, observed cells
        unchanged and all others their conditional mean. "scores": the m factors.
        "both": the columns, then the factors.
    anchor_labels : bool or float, default=True
        Strength of the labels as further columns, True is 1; False or 0 leaves them
        out. A label column is the standardised indicator of the class times the
        strength, the numeric target of a regression one standardised column; of a
        table y of shape (n, t) every column is one.
    min_count : int, default=5
        No sum over fewer rows leaves a client. 1 switches this protection off.
    small_clients : {"withhold", "send"}, default="withhold"
        What a client sends that has no more rows than columns and labels, whose
        second moments would fix its rows up to a rotation. "withhold": moments of
        single columns. "send": second moments all the same.
    ridge : float, default=0.1
        Shrinks the loadings, per row: 0 is maximum likelihood.
    min_noise : float, default=0.05
        Least noise variance of a standardised column.
    max_iter : int, default=100
        Most iterations of EM.
    tol : float, default=1e-6
        EM stops when the log-likelihood changes by less, relative to its size.

    Attributes
    ----------
    columns_ : list of str
        The D columns of the union, sorted.
    loadings_ : ndarray of shape (D, m)
        The loadings W of standardised columns, rotated to principal axes.
    noise_variance_ : ndarray of shape (D,)
        The noise variances of standardised columns.
    mean_ : ndarray of shape (D,)
        Column means over the rows of all owners.
    scale_ : ndarray of shape (D,)
        Column standard deviations over the rows of all owners; 1 for constant ones.
    n_components_ : int
        The number m of factors.
    n_iter_ : int
        Iterations of EM.
    log_likelihood_ : float
        Log-likelihood of all clients' standardised rows, label columns included.
    withheld_labels_ : list
        Labels that this client left out of its sums, wholly or for some rows.
    feature_names_out_ : list of str
        The union's columns, and "factor0", "factor1", ... as ``output`` asks.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If no client may send anything, or if labels are missing or of mixed type.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If a client withholds rows, columns or labels, by name.

    See Also
    --------
    UnionAligner : Fills absent columns with a constant.

    Notes
    -----
    What leaves the client, once: column and label names and the number of rows; per
    block of rows the row count, the column means (o,) and the second moments (o, o)
    of its o observed columns; with labels the row count and the column means of every
    class (C, o); with numeric targets their means, their second moments and their
    covariances with the columns. Rows that observe the same columns form a block if
    they are ``min_count`` or more and, with ``small_clients="withhold"``, more than
    columns, labels and targets. Rows
    with rarer missing patterns form a common block, or join the fullest; their NaN
    are filled at the client by a factor model of its own table.

    A class with fewer than ``min_count`` rows in a block is left out of the block's
    class sums. The classes left out are never fewer than ``min_count`` rows together,
    if necessary by leaving out the next smallest, since their sum is the total minus
    the rest. A column of which some, but fewer than ``min_count``, cells of a block
    differ from all others, such as the indicator of a rare category, is left out of
    the block: its moments would be sums over those few rows. What co-occurs within
    groups of ``min_count`` rows and more is not protected further, nor is the same
    table against sums sent twice with a few rows more or less.

    The model has one mean. Scaling every client by its own mean and deviation moves
    its features but not its label shares, so under label shift scale by pooled or
    class-balanced statistics before.

    EM need not converge within ``max_iter``; stopping it early costs little.

    References
    ----------
    .. [1] D. B. Rubin, D. T. Thayer, "EM Algorithms for ML Factor Analysis",
       Psychometrika 47, 1982.
    .. [2] R. J. A. Little, D. B. Rubin, "Statistical Analysis with Missing Data",
       Wiley, 2002.

    Examples
    --------
    Two clients share column "b"; column "c" is filled in at the first.

    >>> import numpy as np
    >>> import pandas as pd
    >>> from skfed.alignment import FactorAligner
    >>> b = np.tile([-1.0, 0.0, 1.0], 10)
    >>> tables = {
    ...     "one": pd.DataFrame({"a": b, "b": b}),
    ...     "two": pd.DataFrame({"b": b, "c": -b}),
    ... }
    >>> aligner = FactorAligner(n_components=1, ridge=0.01)
    >>> shared = aligner.merge(
    ...     {name: aligner.client_statistics(X) for name, X in tables.items()}
    ... )
    >>> aligner.fit_shared(tables["one"], None, shared)
    FactorAligner(n_components=1, ridge=0.01)
    >>> aligner.transform(tables["one"])[:3].round(1)
    array([[-1., -1.,  1.],
           [ 0.,  0.,  0.],
           [ 1.,  1., -1.]])
    """

    accepts_nan = True

    def __init__(
        self,
        n_components="auto",
        output="impute",
        anchor_labels=True,
        min_count=5,
        small_clients="withhold",
        ridge=0.1,
        min_noise=0.05,
        max_iter=100,
        tol=1e-6,
    ):
        self.n_components = n_components
        self.output = output
        self.anchor_labels = anchor_labels
        self.min_count = min_count
        self.small_clients = small_clients
        self.ridge = ridge
        self.min_noise = min_noise
        self.max_iter = max_iter
        self.tol = tol

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        if self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)
        for name, choices in [("output", _OUTPUTS), ("small_clients", _SMALL_CLIENTS)]:
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} must be one of {choices}, got {getattr(self, name)!r}"
                )
        for name in ("min_count", "max_iter"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        for name in ("ridge", "min_noise", "tol"):
            check_finite_number(getattr(self, name), name)
            check_scalar(getattr(self, name), name, Real, min_val=0)
        if not isinstance(self.anchor_labels, (bool, np.bool_)):
            check_finite_number(self.anchor_labels, "anchor_labels")
            check_scalar(self.anchor_labels, "anchor_labels", Real, min_val=0)

    def _rules(self):
        """Return the arguments that decide what a client sends."""
        withhold = self.small_clients == "withhold"
        return bool(self.anchor_labels), int(self.min_count), withhold

    def _client_statistics(self, X, names, y, shared):
        """Send the sums of every block that may leave."""
        return client_message(X, names, y, *self._rules())

    def _merge(self, statistics, shared):
        """Fit the factor model to the sums of all clients."""
        schema, labels = list(owners(statistics)), label_union(statistics)
        blocks = read_blocks(statistics, schema, labels)
        if not blocks:
            rows = {client: m["n_rows"] for client, m in statistics.items()}
            most = max(rows, key=lambda client: rows[client])
            raise NothingToLearnFromError(
                f"nothing may leave any client: no column has min_count="
                f"{self.min_count} cells, of which as many differ from the commonest; "
                f"the largest client is {most!r} with n_samples={rows[most]}. Lower "
                "min_count or use UnionAligner"
            )
        warn_of_withheld(statistics, blocks, schema, self.min_count)
        D = len(schema)
        mean, scale = pooled_scale(blocks, D)
        shares = label_shares(blocks, len(labels))
        targets = target_scales(blocks, statistics)
        strength = float(self.anchor_labels)
        ready = standardised(blocks, mean, scale, shares, targets, strength)
        asked = 16 if self.n_components == "auto" else int(self.n_components)
        model = fit_factors(
            merge_blocks(ready),
            n_columns=D + len(labels) + len(targets),
            n_components=min(asked, D),
            ridge=self.ridge,
            min_noise=self.min_noise,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        return {
            "names": schema,
            "mean": mean,
            "scale": scale,
            "loadings": model.loadings[:D],
            "noise_variance": model.noise[:D],
            "n_iter": len(model.log_likelihoods),
            "log_likelihood": model.log_likelihoods[-1],
        }

    def _fit_shared(self, X, names, y, shared):
        """Take the model, and find this client's columns in it."""
        self.columns_ = list(shared["names"])
        self.loadings_ = shared["loadings"]
        self.noise_variance_ = shared["noise_variance"]
        self.mean_ = shared["mean"]
        self.scale_ = shared["scale"]
        self.n_components_ = self.loadings_.shape[1]
        self.n_iter_ = shared["n_iter"]
        self.log_likelihood_ = shared["log_likelihood"]
        self.withheld_labels_ = withheld_labels(X, y, *self._rules())
        self._own = positions(names, self.columns_)
        if (self._own < 0).any():
            unknown = [n for n, j in zip(names, self._own, strict=True) if j < 0]
            raise ClientError(
                f"columns {unknown} are not in the model that came back; send this "
                "client's statistics to the same merge"
            )
        factors = [f"factor{j}" for j in range(self.n_components_)]
        self.feature_names_out_ = {
            "impute": self.columns_,
            "scores": factors,
            "both": self.columns_ + factors,
        }[self.output]

    def _transform(self, X):
        """Return conditional means given the observed cells, without labels."""
        own = self._own
        Z = (X - self.mean_[own]) / self.scale_[own]
        factors = expected_factors(Z, self.loadings_[own], self.noise_variance_[own])
        if self.output == "scores":
            return factors
        filled = self.mean_ + self.scale_ * (factors @ self.loadings_.T)
        filled[:, own] = np.where(np.isnan(X), filled[:, own], X)
        return filled if self.output == "impute" else np.hstack([filled, factors])
