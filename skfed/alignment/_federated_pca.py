"""Principal components of the union of all columns, which all clients share."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ..exceptions import AlignmentWarning, ClientError
from ._base import Aligner
from ._factor import NothingToLearnFromError
from ._factor_client import client_message
from ._factor_em import expected_factors
from ._factor_server import pooled_scale, read_blocks
from ._names import owners, positions

_SMALL_CLIENTS = ("withhold", "send")
# Smallest noise per mean variance of a column: keeps the fill stable where the
# components explain everything, which they seem to do on few rows.
_LEAST_NOISE = 1e-3


class FederatedPCAAligner(Aligner):
    r"""Align by name to principal components of the union, the same at all clients.

    Covariances are pooled pair by pair: that of columns u and v comes from the rows
    of the clients that own both,

    .. math:: \Sigma_{uv} = \frac{1}{N_{uv} - 1} \sum_{k: u, v \in V_k} \sum_{x \in k}
              (x_u - \mu_u) (x_v - \mu_v), \qquad N_{uv} = \sum_{k: u, v \in V_k} n_k ,

    with :math:`\mu_v` the mean over all owners of v, and 0 where no client owns both.
    Such a matrix need not be a covariance, so its negative eigenvalues are set to 0.
    Its leading eigenvectors :math:`V (D, q)` are the components and
    :math:`z = V^\top (x - \mu)` the scores. If all clients own all columns, this is
    :class:`~sklearn.decomposition.PCA` of the pooled rows, signs included.

    Cells that a row lacks, and columns that a client lacks, take their conditional
    mean given the row's own cells before the projection, under the covariance
    :math:`V \Lambda V^\top + s^2 (I - V V^\top)` of probabilistic PCA [2]_, where
    :math:`s^2` is the mean of the discarded eigenvalues. As the projection is linear,
    the scores are then the conditional mean of the scores, the best guess in least
    squares; on complete rows they are the plain scores. A least-squares fit of the
    own cells by the components is not used, because it has no solution with fewer
    cells than components and a wild one with few more.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of components q, no more than the rank of the pooled covariance; "auto"
        is 16, or that rank if it is less.
    whiten : bool, default=False
        Divide each score by its standard deviation on complete rows.
    min_count : int, default=5
        No sum over fewer rows leaves a client. 1 switches this protection off.
    small_clients : {"withhold", "send"}, default="withhold"
        What a client sends that has no more rows than columns, whose second moments
        would fix its rows up to a rotation. "withhold": moments of single columns.
        "send": second moments all the same.

    Attributes
    ----------
    columns_ : list of str
        The D columns of the union, sorted.
    components_ : ndarray of shape (q, D)
        The components as rows of unit length; the largest loading of each is positive.
    explained_variance_ : ndarray of shape (q,)
        The q largest eigenvalues, falling.
    explained_variance_ratio_ : ndarray of shape (q,)
        Their shares in the sum of all positive eigenvalues.
    noise_variance_ : float
        Mean of the discarded eigenvalues, 0 if there are none.
    mean_ : ndarray of shape (D,)
        Column means over the rows of all owners.
    n_components_ : int
        The number q of components.
    feature_names_out_ : list of str
        "pca0", "pca1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If no client may send anything.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If a client withholds rows or columns, by name.

    See Also
    --------
    FactorAligner : Joins columns that no client owns together, also by labels.
    PCAAligner : The negative control, components of every client's own.

    Notes
    -----
    What leaves the client, once: column names and the number of rows; per block of
    rows that observe the same o columns the row count, the column means (o,) and the
    second moments (o, o). Blocks are formed, and columns and rows withheld, as by
    :class:`FactorAligner` without labels: no block has fewer than ``min_count`` rows,
    or with ``small_clients="withhold"`` no more rows than columns; and columns that
    are constant but for fewer than ``min_count`` rows are left out.

    The components depend on the columns' units, so standardise before. Pairs of
    columns that no client owns together count as uncorrelated: with many such pairs
    :class:`FactorAligner` is the better model.

    References
    ----------
    .. [1] J. Fan, D. Wang, K. Wang, Z. Zhu, "Distributed Estimation of Principal
       Eigenspaces", Annals of Statistics 47, 2019.
    .. [2] M. E. Tipping, C. M. Bishop, "Probabilistic Principal Component Analysis",
       Journal of the Royal Statistical Society B 61, 1999.

    Examples
    --------
    Two clients share column "b", and each gets the same component.

    >>> import numpy as np
    >>> import pandas as pd
    >>> from skfed.alignment import FederatedPCAAligner
    >>> b = np.tile([-1.0, 0.0, 1.0], 10)
    >>> tables = {
    ...     "one": pd.DataFrame({"a": b, "b": b}),
    ...     "two": pd.DataFrame({"b": b, "c": -b}),
    ... }
    >>> aligner = FederatedPCAAligner(n_components=1)
    >>> shared = aligner.merge(
    ...     {name: aligner.client_statistics(X) for name, X in tables.items()}
    ... )
    >>> aligner.fit_shared(tables["one"], None, shared).components_.round(1)
    array([[ 0.5,  0.7, -0.5]])
    """

    accepts_nan = True

    def __init__(
        self,
        n_components="auto",
        whiten=False,
        min_count=5,
        small_clients="withhold",
    ):
        self.n_components = n_components
        self.whiten = whiten
        self.min_count = min_count
        self.small_clients = small_clients

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        if self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)
        check_scalar(self.whiten, "whiten", (bool, np.bool_))
        check_scalar(self.min_count, "min_count", Integral, min_val=1)
        if self.small_clients not in _SMALL_CLIENTS:
            raise ValueError(
                f"small_clients must be one of {_SMALL_CLIENTS}, "
                f"got {self.small_clients!r}"
            )

    def _client_statistics(self, X, names, y, shared):
        """Send the moments of every block that may leave, without the target."""
        withhold = self.small_clients == "withhold"
        return client_message(X, names, None, False, int(self.min_count), withhold)

    def _merge(self, statistics, shared):
        """Pool the covariances, and decompose them."""
        schema = list(owners(statistics))
        blocks = read_blocks(statistics, schema, [])
        if not blocks:
            rows = {client: m["n_rows"] for client, m in statistics.items()}
            most = max(rows, key=lambda client: rows[client])
            raise NothingToLearnFromError(
                f"nothing may leave any client: no column has min_count="
                f"{self.min_count} cells, of which as many differ from the commonest; "
                f"the largest client is {most!r} with n_samples={rows[most]}. Lower "
                "min_count or use UnionAligner"
            )
        _warn_of_withheld(statistics, blocks, schema, self.min_count)
        mean, _ = pooled_scale(blocks, len(schema))
        told = np.unique(np.concatenate([block.columns for block in blocks]))
        covariance = _pooled_covariance(blocks, mean)[np.ix_(told, told)]
        values, vectors = _eigenpairs(covariance)
        rank = max(1, int((values > 1e-10 * values[0]).sum()))
        q = min(16 if self.n_components == "auto" else int(self.n_components), rank)
        components = np.zeros((q, len(schema)))
        components[:, told] = vectors[:, :q].T
        return {
            "names": schema,
            "mean": mean,
            "components": components,
            "explained_variance": values[:q],
            "total_variance": float(values.sum()),
            "noise_variance": float(values[q:].mean()) if q < len(told) else 0.0,
            "least_noise": _LEAST_NOISE * float(values.mean()),
        }

    def _fit_shared(self, X, names, y, shared):
        """Take the components, and find this client's columns in them."""
        self.columns_ = list(shared["names"])
        self.mean_ = shared["mean"]
        self.components_ = shared["components"]
        self.explained_variance_ = shared["explained_variance"]
        self.noise_variance_ = shared["noise_variance"]
        self.n_components_ = len(self.components_)
        total = shared["total_variance"] or 1.0  # nothing varies: all shares are 0
        self.explained_variance_ratio_ = self.explained_variance_ / total
        # The covariance of the fill as W W' + s^2 I, the form of a factor model.
        self._noise = max(self.noise_variance_, shared["least_noise"]) or 1.0
        surplus = np.maximum(self.explained_variance_ - self._noise, 0.0)
        self._loadings = self.components_.T * np.sqrt(surplus)
        self._own = positions(names, self.columns_)
        if (self._own < 0).any():
            unknown = [n for n, j in zip(names, self._own, strict=True) if j < 0]
            raise ClientError(
                f"columns {unknown} are not in the model that came back; send this "
                "client's statistics to the same merge"
            )
        self.feature_names_out_ = [f"pca{j}" for j in range(self.n_components_)]

    def _transform(self, X):
        """Fill what is not observed by its conditional mean, then project."""
        own = self._own
        Z = np.full((len(X), len(self.columns_)), np.nan)
        Z[:, own] = X - self.mean_[own]
        missing = np.isnan(Z)
        if missing.any():
            noise = np.full(len(own), self._noise)
            factors = expected_factors(Z[:, own], self._loadings[own], noise)
            Z = np.where(missing, factors @ self._loadings.T, Z)
        scores = Z @ self.components_.T
        if self.whiten:
            deviation = np.sqrt(self.explained_variance_)
            scores /= np.where(deviation > 0, deviation, 1.0)
        return scores


def _pooled_covariance(blocks, mean):
    """Return the covariances (D, D) over the rows that observe both columns."""
    total, count = np.zeros((2, len(mean), len(mean)))
    for block in blocks:
        shift = block.mean - mean[block.columns]
        pairs = np.ix_(block.columns, block.columns)
        total[pairs] += block.scatter + block.n * np.outer(shift, shift)
        count[pairs] += block.n
    return total / np.maximum(count - 1, 1)


def _eigenpairs(covariance):
    """Return eigenvalues, falling and none below 0, and vectors with fixed signs."""
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(len(values))])
    return values, vectors * signs


def _warn_of_withheld(statistics, blocks, schema, min_count):
    """Warn once of all rows and columns that the components did not learn from."""
    told: dict[str, set[str]] = {client: set() for client in statistics}
    for block in blocks:
        told[block.client].update(schema[j] for j in block.columns)
    notes = []
    for client, message in statistics.items():
        silent = [name for name in message["names"] if name not in told[client]]
        if message["per_column"]:
            notes.append(
                f"client {client!r} has {message['n_rows']} rows for "
                f"{len(message['names'])} columns, so that second moments could give "
                "its rows away: it sends moments of single columns; give it fewer "
                "columns, or set small_clients='send'"
            )
        if silent:
            notes.append(
                f"client {client!r} withholds columns {silent}: fewer than "
                f"min_count={min_count} cells are observed, or differ from all others; "
                "drop or merge such columns, or lower min_count"
            )
    nobody = [name for name in schema if not any(name in t for t in told.values())]
    if nobody:
        notes.append(f"no client tells of columns {nobody}: they have no loadings")
    if notes:
        warnings.warn(
            "FederatedPCAAligner: " + ". ".join(notes), AlignmentWarning, stacklevel=2
        )
