"""One mean and covariance for all clients, by optimal transport or by CORAL."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ..preprocessing._checks import check_choice
from ..preprocessing._strata import strata_statistics
from ._base import Aligner
from ._gaussian_maps import (
    coral_map,
    mean_covariance,
    transport_map,
    wasserstein_barycentre,
)
from ._gaussian_moments import gaussian_moments
from ._names import positions
from ._optimal_transport_server import centre_of, common_ground

_CENTRES = {"bures": wasserstein_barycentre, "coral": mean_covariance}
_MAPS = {"bures": transport_map, "coral": coral_map}


class OptimalTransportAligner(Aligner):
    r"""Move each client's rows to a mean and covariance that all clients share.

    For clients that measure the same columns with other instruments: levels, units
    and mixtures of columns that differ between clients are undone by one affine map
    per client. The map is read off means and covariances alone. The columns must be
    the same at all clients, so put :class:`UnionAligner`,
    :class:`IntersectionAligner` or :class:`FactorAligner` before it in a Pipeline.

    Parameters
    ----------
    method : {"bures", "coral"}, default="bures"
        "bures": the Wasserstein barycentre of the clients' normal distributions, and
        the map onto it that moves rows least. It needs the extra ``skfed[ot]`` where
        the clients are merged. "coral": the mean covariance, and the map that
        whitens and recolours.
    balanced : bool, default=True
        Take means and covariances as if all clients had the same class shares, or the
        same mean and variance of a numeric target. Otherwise clients with other
        shares are mapped wrongly: their mean differs because their classes do. Without
        y in fit it is of no effect.
    strength : float, default=1.0
        Share of the way that a row is moved, from 0 (not at all) to 1.
    shrinkage : "auto" or float, default="auto"
        Weight from 0 to 1 of a multiple of the identity in the covariance within
        classes; "auto" takes the estimate of Ledoit and Wolf [4]_.
    min_count : int, default=5
        No moment over fewer rows leaves a client.

    Attributes
    ----------
    columns_ : list of str
        The q columns that are aligned, sorted.
    target_mean_ : ndarray of shape (q,)
        Mean that all clients share.
    target_covariance_ : ndarray of shape (q, q)
        Covariance that all clients share.
    mean_ : ndarray of shape (q,) or None
        This client's own mean; None if it takes no part.
    covariance_ : ndarray of shape (q, q) or None
        This client's own covariance, shrunk; None if it takes no part.
    projection_ : ndarray of shape (d, d)
        This client's map: a row x becomes ``x @ projection_ + offset_``.
    offset_ : ndarray of shape (d,)
        What the map adds.
    feature_names_out_ : list of str
        All columns, sorted by name.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str objects of shape (d,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If the columns differ between clients, if no client may send anything, or if
        ``balanced`` is set and no label has ``min_count`` rows at all clients.
    ImportError
        If ``method="bures"`` and POT is not installed.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If a client takes no part, or columns are left as they are, by name.

    See Also
    --------
    skfed.preprocessing.FederatedStandardScaler : Undoes levels and units only.

    Notes
    -----
    *What leaves the client*, in two exchanges. First: column names, the number of
    rows, and the labels that have ``min_count`` rows with their counts, or of a
    numeric target the rows, the mean and the sum of squared deviations. Then: the
    number of rows of the classes that all clients have, and the mean (q,) and the
    shrunk covariance (q, q) of these rows.

    A client sends no moments, takes no part and returns its rows as they are, if it
    has no more rows than columns and classes, since second moments would fix the rows
    up to a rotation; or if one of the common classes has fewer than ``min_count`` rows
    there. A column that is constant at a client, as absent ones are behind
    ``UnionAligner``, or in which fewer than ``min_count`` cells differ from the rest,
    is left as it is at all clients.

    *Moments.* With class means :math:`m_{kc}`, the covariance within classes
    :math:`W_k`, and :math:`p_c` the mean over clients of the share of class c among
    the labels that all clients have,

    .. math::

       \mu_k = \sum_c p_c m_{kc}, \qquad
       S_k = W_k + \sum_c p_c (m_{kc} - \mu_k)(m_{kc} - \mu_k)^\top .

    For a numeric target, the regression :math:`E[x \mid y] = a_k + b_k y` takes the
    place of the class means: :math:`\mu_k = a_k + b_k \bar y` and
    :math:`S_k = W_k + s^2 b_k b_k^\top`, with :math:`\bar y` and :math:`s^2` over all
    clients. So y must be in the same units, as it is in a
    :class:`~skfed.FederatedRegressor`. Without balance there is one class.

    *Centre.* :math:`\mu = \sum_k w_k \mu_k` with the clients' shares of rows
    :math:`w_k`. "coral": :math:`S = \sum_k w_k S_k`. "bures": the solution [1]_ of

    .. math:: S = \sum_k w_k (S^{1/2} S_k S^{1/2})^{1/2} .

    *Map.* :math:`z = x + t (A_k (x - \mu_k) + \mu - x)` with the strength t, where
    :math:`A_k S_k A_k^\top = S`: with "bures" [2]_
    :math:`A_k = S_k^{-1/2} (S_k^{1/2} S S_k^{1/2})^{1/2} S_k^{-1/2}`, with "coral"
    [3]_ :math:`A_k = S^{1/2} S_k^{-1/2}`.

    Means and covariances do not tell a rotation: rows whose columns were rotated
    within the sphere that they fill stay rotated. The covariances depend on the
    columns' units, so standardise before. It needs many more rows than columns, and
    with ``balanced`` a label that all clients have; where class shares differ much,
    ``balanced=False`` is no way out but does harm.

    References
    ----------
    .. [1] M. Agueh, G. Carlier, "Barycenters in the Wasserstein Space", SIAM Journal
       on Mathematical Analysis 43, 2011.
    .. [2] R. Flamary, K. Lounici, A. Ferrari, "Concentration Bounds for Linear Monge
       Mapping Estimation and Optimal Transport Domain Adaptation", 2019.
    .. [3] B. Sun, J. Feng, K. Saenko, "Return of Frustratingly Easy Domain
       Adaptation", AAAI 2016.
    .. [4] O. Ledoit, M. Wolf, "A Well-Conditioned Estimator for Large-Dimensional
       Covariance Matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    Two clients with the same rows in other units end up with the same rows.

    >>> import numpy as np
    >>> from skfed.alignment import OptimalTransportAligner
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> tables = {"one": X, "two": 3 * X + 1}
    >>> aligner, shared = OptimalTransportAligner("coral", shrinkage=0.0), None
    >>> for _ in range(aligner.n_exchanges):
    ...     sent = {k: aligner.client_statistics(X, None, shared)
    ...             for k, X in tables.items()}
    ...     shared = aligner.merge(sent, shared)
    >>> one, two = (aligner.fit_shared_transform(X, None, shared)
    ...             for X in tables.values())
    >>> bool(np.allclose(one, two))
    True
    """

    n_exchanges = 2
    needs_same_columns = True

    def __init__(
        self,
        method="bures",
        balanced=True,
        strength=1.0,
        shrinkage="auto",
        min_count=5,
    ):
        self.method = method
        self.balanced = balanced
        self.strength = strength
        self.shrinkage = shrinkage
        self.min_count = min_count

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        check_choice(self, "method", ("bures", "coral"))
        check_scalar(self.balanced, "balanced", (bool, np.bool_))
        check_scalar(self.strength, "strength", Real, min_val=0, max_val=1)
        if self.shrinkage != "auto":
            check_scalar(self.shrinkage, "shrinkage", Real, min_val=0, max_val=1)
        check_scalar(self.min_count, "min_count", Integral, min_val=1)

    def _client_statistics(self, X, names, y, shared):
        """Send names and labels first, moments when the classes are settled."""
        if shared is None:
            strata = strata_statistics(y, self.min_count) if self.balanced else {}
            return {"names": names, "n_rows": len(X), **strata}
        moments = self._moments(X, y, shared)
        if moments is None:
            return {"columns": []}
        return {
            "columns": [names[j] for j in moments.own],
            "n_rows": moments.n,
            "mean": moments.mean,
            "covariance": moments.covariance,
        }

    def _moments(self, X, y, shared):
        y = y if self.balanced else None
        return gaussian_moments(X, y, shared, self.shrinkage, self.min_count)

    def _merge(self, statistics, shared):
        """Settle columns and classes, then the common mean and covariance."""
        if shared is None:
            return common_ground(statistics, self.min_count)
        return shared | centre_of(
            statistics, shared, _CENTRES[self.method], self.min_count
        )

    def _fit_shared(self, X, names, y, shared):
        """Find this client's map onto the common mean and covariance."""
        known, given = shared["names"], set(names)
        if given != set(known):
            raise ClientError(
                f"the columns {sorted(given ^ set(known))} are either not in the "
                "federation or not at this client; send its statistics to the same "
                "merge"
            )
        self.columns_ = list(shared["columns"])
        self.target_mean_ = shared["mean"]
        self.target_covariance_ = shared["covariance"]
        self.mean_ = self.covariance_ = None
        order = positions(names, known)
        projection, offset = np.eye(len(known)), np.zeros(len(known))
        moments = self._moments(X, y, shared)
        if moments is not None and self.columns_:
            at = positions(self.columns_, [names[j] for j in moments.own])
            if (at < 0).any():
                raise ClientError(
                    f"some of the aligned columns {self.columns_} are constant here, "
                    "but for a few rows; send this client's statistics to the same "
                    "merge"
                )
            self.mean_ = moments.mean[at]
            self.covariance_ = moments.covariance[np.ix_(at, at)]
            A = _MAPS[self.method](self.covariance_, self.target_covariance_)
            place, t = positions(self.columns_, known), float(self.strength)
            projection[np.ix_(place, place)] = (1 - t) * np.eye(len(place)) + t * A
            offset[place] = t * (self.target_mean_ - self.mean_ @ A)
        self.projection_ = projection[order]
        self.offset_ = offset
        self.feature_names_out_ = list(known)

    def _transform(self, X):
        """Map the rows; the target is not used."""
        return X @ self.projection_ + self.offset_
