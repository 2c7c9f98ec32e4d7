"""Clients without a common column, joined by the shape of their class means."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ..preprocessing._federated import class_labels, one_target
from ..preprocessing._strata import strata_statistics
from ._base import Aligner
from ._bins import bin_edges
from ._factor_server import label_union
from ._prototype_client import (
    class_means,
    read_classes,
    warn_of_withheld,
    whitened_means,
)
from ._prototype_server import fit_prototypes, joined_groups, procrustes_map


class PrototypeAligner(Aligner):
    r"""Align tables without a common column by the shape of their class means.

    Where rows of a class scatter like a unit sphere, the distances between class means
    say which classes are alike, in whatever columns they were measured. The clients
    agree on one configuration of class means, the prototypes, and each turns its own
    table onto it.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of output columns q. It is at most the number of directions in which the
        prototypes differ, C - 1 for C labels, which "auto" takes.
    n_bins : int, default=5
        A numeric target is cut into so many bins, which then are the classes.
    min_count : int, default=5
        A class mean over fewer rows does not leave a client, nor take part in its own
        alignment.
    max_iter : int, default=30
        Most passes of the Procrustes analysis.

    Attributes
    ----------
    labels_ : list
        The C labels of the prototypes, sorted; of a numeric target the numbers of
        the bins, from 0.
    prototypes_ : ndarray of shape (C, q)
        The prototypes.
    projection_ : ndarray of shape (d_k, q)
        This client's map: a row x becomes ``x @ projection_ + offset_``.
    offset_ : ndarray of shape (q,)
        What the map adds.
    bin_edges_ : ndarray of shape (n_bins - 1,)
        Inner edges of the bins; empty for class labels.
    withheld_labels_ : list
        Labels of this client that took no part.
    n_components_ : int
        The number q of output columns.
    n_iter_ : int
        Passes of the Procrustes analysis.
    stress_ : float
        Weighted squared distance of the clients' class means from the prototypes, as
        a share of the prototypes' scatter.
    feature_names_out_ : list of str
        "prototype0", "prototype1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If a client has fewer than two classes of ``min_count`` rows, if no chain of
        pairs of common labels joins the clients, or if labels are of mixed type.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If a client withholds classes, by name.

    See Also
    --------
    FactorAligner : Uses the columns' names, and labels besides.

    Notes
    -----
    *What leaves the client*, in two exchanges. First: the labels that have
    ``min_count`` rows and their counts, or of a numeric target the rows, the mean and
    the sum of squared deviations. Then: labels and counts again, the labels withheld,
    the number of whitened directions, and the Gram matrix (C_k, C_k) of the centred,
    whitened class means, which is to say their distances. Classes with fewer than
    ``min_count`` rows are withheld; they are never fewer than ``min_count`` rows
    together, if necessary by withholding the next smallest. No column name leaves.

    *Client.* Within-class covariance :math:`S = U \Lambda U^\top`, shrunk [3]_, gives
    whitened rows :math:`a = \Lambda^{-1/2} U^\top x` with class means :math:`m_c`. With
    class shares :math:`w` and :math:`\bar m = \sum_c w_c m_c`, the Gram matrix is
    :math:`K_{ij} = (m_i - \bar m)^\top (m_j - \bar m)`.

    *Server.* Squared distances, less the noise
    :math:`d' (1/n_i + 1/n_j)` of the means, are averaged over clients and start
    the prototypes P by classical scaling. Then generalised Procrustes analysis [1]_
    alternates, for configurations :math:`E_k E_k^\top = K_k`,

    .. math::

       t_k = \sum_c w_{kc} P_c, \qquad
       R_k = \arg\max_R \operatorname{tr} R^\top E_k^\top W_k (P - t_k), \qquad
       P_c = \frac{\sum_k n_{kc} (E_k R_k + t_k)_c}{\sum_k n_{kc}} .

    :math:`R_k` is a partial isometry: directions in which a client's classes do not
    differ are left out. The result does not change when a client replaces its columns
    by an invertible linear map of them, up to the shrinkage.

    *Numeric targets.* The edges of the bins are quantiles of a normal distribution
    with the pooled mean and standard deviation of y, so that bins are equally likely
    if y is normal.

    At most C - 1 directions can be aligned by C labels [2]_; what else the columns
    know about y is lost. It needs classes that differ from each other in the same way
    at all clients.

    References
    ----------
    .. [1] J. C. Gower, "Generalized Procrustes Analysis", Psychometrika 40, 1975.
    .. [2] C. Wang, S. Mahadevan, "Heterogeneous Domain Adaptation Using Manifold
       Alignment", IJCAI 2011.
    .. [3] O. Ledoit, M. Wolf, "A Well-Conditioned Estimator for Large-Dimensional
       Covariance Matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.alignment import PrototypeAligner
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["a", "b", "c"], 20)
    >>> X = rng.normal(size=(60, 4)) + 5 * np.eye(3, 4).repeat(20, axis=0)
    >>> PrototypeAligner().fit_transform(X, y).shape
    (60, 2)
    """

    n_exchanges = 2

    def __init__(self, n_components="auto", n_bins=5, min_count=5, max_iter=30):
        self.n_components = n_components
        self.n_bins = n_bins
        self.min_count = min_count
        self.max_iter = max_iter

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        if self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)
        check_scalar(self.n_bins, "n_bins", Integral, min_val=2)
        for name in ("min_count", "max_iter"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)

    def _read(self, X, y, reset):
        """Return the table; in fit also refuse a missing target."""
        table, names = super()._read(X, y, reset)
        if reset and y is None:
            raise ValueError(
                "PrototypeAligner requires y to be passed, but the target y is None; "
                "without labels use UnionAligner or FactorAligner"
            )
        return table, names

    def _client_statistics(self, X, names, y, shared):
        """Send the labels first, the Gram of the class means when bins are settled."""
        y = one_target(y, "PrototypeAligner")
        if shared is None:
            is_numeric = class_labels(y) is None
            return {"is_numeric": is_numeric, **strata_statistics(y, self.min_count)}
        classes = read_classes(y, shared, self.min_count)
        message = {
            "labels": classes.kept,
            "withheld": classes.withheld,
            "n_columns": X.shape[1],
        }
        if len(classes.kept) < 2:
            return message
        means, counts, whiten = whitened_means(X, classes)
        return message | {
            "counts": counts,
            "gram": means @ means.T,
            "n_directions": whiten.shape[1],
        }

    def _merge(self, statistics, shared):
        """Settle the bins of a numeric target, then fit the prototypes."""
        if shared is None:
            return {"bin_edges": bin_edges(statistics, self.n_bins, self.min_count)}
        self._check_joined(statistics)
        labels = label_union(statistics)
        at = {label: c for c, label in enumerate(labels)}
        messages = [
            m | {"classes": np.array([at[label] for label in m["labels"]])}
            for m in statistics.values()
        ]
        asked = None if self.n_components == "auto" else int(self.n_components)
        model = fit_prototypes(messages, len(labels), asked, self.max_iter)
        warn_of_withheld(type(self).__name__, statistics, self.min_count)
        return shared | {
            "labels": labels,
            "prototypes": model.points,
            "n_iter": model.n_iter,
            "stress": model.stress,
        }

    def _check_joined(self, statistics):
        """Raise unless pairs of common labels join all clients."""
        for client, message in statistics.items():
            if len(message["labels"]) < 2:
                raise ClientError(
                    f"client {client!r}, with n_features = {message['n_columns']}, has "
                    f"{len(message['labels'])} class (1 class or none) of min_count="
                    f"{self.min_count} rows whose mean may leave it, and at least two "
                    f"make a shape; withheld are {message['withheld']}. Lower "
                    "min_count, merge classes or leave the client out"
                )
        groups = joined_groups({c: set(m["labels"]) for c, m in statistics.items()})
        if len(groups) > 1:
            told = "; ".join(
                f"clients {clients} with labels {sorted(labels)}"
                for clients, labels in groups
            )
            raise ClientError(
                "clients are joined by pairs of common labels, and no chain of such "
                f"pairs joins all: {told}. Federate these groups apart, or give them "
                "two common labels with min_count rows"
            )

    def _fit_shared(self, X, names, y, shared):
        """Turn this client's class means onto the prototypes."""
        classes = read_classes(
            one_target(y, "PrototypeAligner"), shared, self.min_count
        )
        own = classes.kept
        known = {label: c for c, label in enumerate(shared["labels"])}
        unknown = [label for label in own if label not in known]
        if unknown or len(own) < 2:
            error = ClientError(
                f"{len(unknown or own)} labels do not fit the prototypes that came "
                "back; send this client's statistics to the same merge"
            )
            error.add_note(f"They are {unknown or own}.")
            raise error
        means, counts, whiten = whitened_means(X, classes)
        w = counts / counts.sum()
        P = shared["prototypes"][[known[label] for label in own]]
        R, t = procrustes_map(means, P, w)
        centre = w @ class_means(X, classes)[classes.keep]
        self.labels_ = list(shared["labels"])
        self.prototypes_ = shared["prototypes"]
        self.bin_edges_ = shared["bin_edges"]
        self.projection_ = whiten @ R
        self.offset_ = t - centre @ self.projection_
        self.withheld_labels_ = classes.withheld
        self.n_components_ = P.shape[1]
        self.n_iter_ = shared["n_iter"]
        self.stress_ = shared["stress"]
        self.feature_names_out_ = [f"prototype{j}" for j in range(P.shape[1])]

    def _transform(self, X):
        """Map the rows; labels are not used."""
        return X @ self.projection_ + self.offset_

    def __sklearn_tags__(self):
        """Return the tags; y is required."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
