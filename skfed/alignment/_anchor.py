"""Clients that have some rows in common, joined by these rows."""

import warnings
from math import ceil
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from ..exceptions import AlignmentWarning
from ._anchor_classes import (
    class_rows,
    describe,
    is_numeric,
    own_classes,
    place_classes,
    placed,
    settled_bins,
)
from ._anchor_client import anchor_labels, anchor_rows, anchor_table, equal_scale
from ._anchor_server import (
    agreement,
    gcca_targets,
    kept_anchors,
    procrustes_targets,
)
from ._base import Aligner
from ._prototype_client import warn_of_withheld, within_class_whitening

_METHODS = ("gcca", "procrustes")


class AnchorAligner(Aligner):
    r"""Align tables without a common column by rows that clients have in common.

    Anchors are rows that stand for the same entity at every client that has them: the
    same patients, or a public table that all can encode. They are ordinary rows of the
    clients' tables, told by their label in the DataFrame's index. Each client maps
    its columns so that its anchor rows come to where the others have them, and the
    means of its classes too, if there is a target. Column names play no part.

    Parameters
    ----------
    anchors : array-like of hashable labels
        Index labels of the anchor rows. A client need not have all of them; those that
        only one of several clients has take no part.
    method : {"gcca", "procrustes"}, default="gcca"
        "gcca" finds the directions in which the clients' anchor rows agree, and
        maps each client's columns onto them by ridge regression: right for any linear
        relation of the clients' columns. "procrustes" only turns, mirrors and scales
        each table as a whole: right where all measure about the same space. It uses
        anchor rows alone.
    n_components : int or "auto", default="auto"
        Number of output columns q, no more than the anchors and classes have
        directions. "auto" is three for ten anchors of the median client and one for
        two classes, but at most 20 and at most the columns of the widest client.
    ridge : float, default=5.0
        Penalty of "gcca", in rows: as many anchor rows of unit variance balance it.
        With 0, a client with more columns than anchors fits anything.
    label_weight : float, default=1.0
        Weight of a class's mean in "gcca", for each of the class's rows, where an
        anchor row has weight 1. With 0 the target plays no part. Classes of a float
        target are five bins.
    min_count : int, default=5
        The mean of a class with fewer rows takes no part.
    standardize : bool, default=True
        Give each output column mean 0 and deviation 1 over the client's training rows.
        False keeps the frame of the anchors: better where the rows of clients differ
        in their mean for a reason, such as other shares of the labels.

    Attributes
    ----------
    anchors_ : list
        Labels of the anchors that took part, in the order of ``anchors``.
    held_ : ndarray of bool of shape (a,)
        Which of them this client has.
    labels_ : list
        Labels whose means took part, or the numbers of a float target's bins.
    targets_ : ndarray of shape (a + C, q)
        Where the anchors are to come, and the class means after them.
    agreement_ : ndarray of shape (q,)
        Share of each target's variance that the clients' anchor rows and class means
        fit, over all clients. High values prove little where clients have about as
        many columns as anchors.
    projection_ : ndarray of shape (d_k, q)
        This client's map: a row x becomes ``x @ projection_ + offset_``.
    offset_ : ndarray of shape (q,)
        What the map adds.
    n_components_ : int
        The number q of output columns.
    feature_names_out_ : list of str
        "anchor0", "anchor1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If ``anchors`` is None or holds a label twice; if there are several clients
        and the rows of one have no names, being an array or a DataFrame with the
        default index; if a label is at several rows of a client; if a client has fewer
        than two anchors; or if no chain of pairs of common anchors joins the clients.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If anchors or classes take no part, or a client has no more of them than
        components.

    See Also
    --------
    PrototypeAligner : Needs labels in common, no rows.
    FactorAligner : Needs columns or labels in common.

    Notes
    -----
    *What leaves the client*, in two exchanges. First: which of the ``anchors`` it has,
    the number of its columns and rows, whether rows have names, and rows per class, or
    rows, mean and squared deviations of a float target. Then a matrix with
    one row per anchor that it has and per class of ``min_count`` rows: with "gcca" an
    orthogonal basis L of these rows B, centred and shrunk by the ridge, with
    "procrustes" the anchor rows' coordinates along their principal axes, scaled to mean
    squared length 1. Either tells how similar the rows are to each other at this
    client, and fixes them up to a rotation and the scale. A ``min_count`` cannot
    apply to anchors: they are single rows, which the user chose to share in this form.
    Take public or consented rows. Of other rows nothing leaves but the class means in
    this form, and no column name.

    *GCCA* [1]_ [2]_, in the MAXVAR form with a ridge, for rows that some clients
    lack [3]_ and with weights. Columns are first brought to where the scatter within
    classes, shrunk [6]_, is the unit sphere, or without classes to unit mean variance
    over the anchors. Rows :math:`B_k` are the anchors, of weight 1, and the class
    means, of weight ``label_weight`` times the class's rows. With the weights
    :math:`w_k`, :math:`J_k = \operatorname{diag} w_k - w_k w_k^\top / 1^\top w_k` to
    centre, and :math:`\tau` = ``ridge``,

    .. math::

       P_k &= J_k B_k (B_k^\top J_k B_k + \tau I)^{-1} B_k^\top J_k = L_k L_k^\top, \\
       \sum_k P_k \, g &= \lambda \sum_k J_k \, g .

    The q leading solutions, orthogonal to the constant and of unit variance, are the
    targets G. The map is
    :math:`W_k = (B_k^\top J_k B_k + \tau I)^{-1} B_k^\top J_k G_k`, with an intercept
    for each client. Class means pay where anchors are few: they say in which directions
    clients must agree for the sake of prediction.

    *Procrustes* [4]_ [5]_. Generalised Procrustes analysis as in
    :class:`PrototypeAligner`, of the clients' anchor rows, after their scales are made
    equal over common pairs of anchors; the map is a partial isometry times a scale.

    Anchor rows train the model like any other row, so they need a target, and a
    client's own model may train on them as well: judge a gain against that one. In
    cross-validation an anchor that is held out at one client and trained on at another
    is seen: keep anchors in all training folds. Rows without names are refused, since
    the first row of one table seldom is the first of another; where it is, say so by
    ``X.index = list(range(len(X)))``.

    References
    ----------
    .. [1] J. D. Carroll, "Generalization of Canonical Correlation Analysis to Three or
       More Sets of Variables", APA Convention 1968.
    .. [2] Y. Takane, H. Hwang, H. Abdi, "Regularized Multiple-Set Canonical Correlation
       Analysis", Psychometrika 73, 2008.
    .. [3] M. van de Velden, Y. Takane, "Generalized Canonical Correlation Analysis with
       Missing Values", Computational Statistics 27, 2012.
    .. [4] J. C. Gower, "Generalized Procrustes Analysis", Psychometrika 40, 1975.
    .. [5] K. Nosaka, A. Suetake, Y. Takano, A. Yoshise, "Data Collaboration Analysis
       with Orthonormal Basis Selection and Alignment", 2024.
    .. [6] O. Ledoit, M. Wolf, "A Well-Conditioned Estimator for Large-Dimensional
       Covariance Matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    Two clients measure the same two quantities in other ways, and share six rows.

    >>> import numpy as np
    >>> import pandas as pd
    >>> from skfed.alignment import AnchorAligner
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(6, 2))
    >>> patients = [f"patient {i}" for i in range(6)]
    >>> tables = {
    ...     "one": pd.DataFrame(latent @ [[1, 2, 0], [0, 1, 1]], index=patients),
    ...     "two": pd.DataFrame(latent @ [[0, 3], [-1, 1]], index=patients),
    ... }
    >>> tables = {k: X.add_prefix(f"{k} ") for k, X in tables.items()}
    >>> aligner, shared = AnchorAligner(patients, n_components=2, ridge=0.0), None
    >>> for _ in range(aligner.n_exchanges):
    ...     sent = {k: aligner.client_statistics(X, None, shared)
    ...             for k, X in tables.items()}
    ...     shared = aligner.merge(sent, shared)
    >>> one = aligner.fit_shared_transform(tables["one"], None, shared)
    >>> two = aligner.fit_shared_transform(tables["two"], None, shared)
    >>> np.allclose(one, two)
    True
    """

    n_exchanges = 2

    def __init__(
        self,
        anchors=None,
        method="gcca",
        n_components="auto",
        ridge=5.0,
        label_weight=1.0,
        min_count=5,
        standardize=True,
    ):
        self.anchors = anchors
        self.method = method
        self.n_components = n_components
        self.ridge = ridge
        self.label_weight = label_weight
        self.min_count = min_count
        self.standardize = standardize

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        if not isinstance(self.method, str) or self.method not in _METHODS:
            raise ValueError(f"method must be one of {_METHODS}, got {self.method!r}")
        if not isinstance(self.n_components, str) or self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)
        for name in ("ridge", "label_weight"):
            check_scalar(getattr(self, name), name, Real, min_val=0)
        check_scalar(self.min_count, "min_count", Integral, min_val=1)
        check_scalar(self.standardize, "standardize", (bool, np.bool_))
        anchor_labels(self.anchors)

    def _read(self, X, y, reset):
        """Return the table; in fit also find the anchors among its rows."""
        table, names = super()._read(X, y, reset)
        if reset:
            labels = anchor_labels(self.anchors)
            self._rows, self._named = anchor_rows(X, len(table), labels)
        return table, names

    def _read_target(self, y):
        """Return y as (n,) if its classes are to join the anchors, else None."""
        if y is None or self.method != "gcca" or not self.label_weight > 0:
            return None
        y = np.asarray(y)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        return y if y.ndim == 1 else None

    def _own_rows(self, X, y, shared):
        """Return the anchors that are here, as positions, and the classes of y."""
        held = np.flatnonzero(self._rows[shared["kept"]] >= 0)
        y = self._read_target(y)
        return held, None if y is None else own_classes(y, shared, self.min_count)

    def _coordinates(self, X, held, classes, shared):
        """Return the map (d_k, d') to the coordinates in which rows are compared."""
        if self.method == "procrustes":
            return np.eye(X.shape[1])
        H = None if classes is None else within_class_whitening(X, classes.codes)
        return equal_scale(X[self._rows[shared["kept"]][held]]) if H is None else H

    def _table(self, X, held, classes, shared, known=...):
        """Return the table of the anchors, and of the means of the known classes."""
        anchors = X[self._rows[shared["kept"]][held]]
        means, weights = class_rows(X, classes, float(self.label_weight))
        rows = np.vstack([anchors, means[known]])
        weights = np.concatenate([np.ones(len(anchors)), weights[known]])
        H = self._coordinates(X, held, classes, shared)
        return anchor_table(rows, weights, H, float(self.ridge))

    def _client_statistics(self, X, names, y, shared):
        """Tell which anchors are here, then send a basis of the rows."""
        if shared is None:
            return {
                "held": np.flatnonzero(self._rows >= 0),
                "named": self._named,
                "n_columns": X.shape[1],
                "n_rows": len(X),
                **describe(self._read_target(y), self.min_count),
            }
        held, classes = self._own_rows(X, y, shared)
        table = self._table(X, held, classes, shared)
        return {
            "held": held,
            "labels": [] if classes is None else classes.kept,
            "withheld": [] if classes is None else classes.withheld,
            "is_numeric": is_numeric(y),
            "weights": table.root**2,
            "basis": table.basis(self.method),
            "n_columns": X.shape[1],
        }

    def _merge(self, statistics, shared):
        """Keep the anchors that join clients, then find the targets."""
        if shared is None:
            return {
                "kept": kept_anchors(statistics, anchor_labels(self.anchors)),
                "bin_edges": settled_bins(statistics, self.min_count),
            }
        n_anchors = len(shared["kept"])
        kinds, messages = place_classes(statistics, n_anchors)
        n_classes = sum(map(len, kinds.values()))
        q = self._asked_components(list(statistics.values()), n_classes)
        if self.method == "gcca":
            G = gcca_targets(messages, n_anchors + n_classes, q)
        else:
            G = procrustes_targets(messages, n_anchors, q)
        few = {
            c: len(m["held"])
            for c, m in zip(statistics, messages, strict=True)
            if len(m["held"]) <= G.shape[1]
        }
        if few and len(statistics) > 1:
            warnings.warn(
                f"AnchorAligner: {G.shape[1]} components are more than the anchors of "
                f"clients {few} can settle; give them more anchors, or lower "
                "n_components",
                AlignmentWarning,
                stacklevel=2,
            )
        warn_of_withheld(type(self).__name__, statistics, self.min_count)
        return shared | {
            **kinds,
            "targets": G,
            "agreement": agreement(messages, G, self.method),
        }

    def _asked_components(self, messages, n_classes):
        """Return q at most."""
        if self.n_components != "auto":
            return int(self.n_components)
        usual = float(np.median([len(m["held"]) for m in messages]))
        widest = max(m["n_columns"] for m in messages)
        return min(20, ceil(0.3 * usual) + n_classes // 2, widest)

    def _fit_shared(self, X, names, y, shared):
        """Map this client's anchor rows and class means to the targets."""
        held, classes = self._own_rows(X, y, shared)
        labels, G = anchor_labels(self.anchors), shared["targets"]
        place, n_anchors = placed(classes, is_numeric(y), shared), len(shared["kept"])
        known = place >= 0
        table = self._table(X, held, classes, shared, known)
        target = G[np.concatenate([held, n_anchors + place[known]])]
        W, t = table.map_to(target, self.method)
        if self.standardize:
            Z = X @ W + t
            sd = Z.std(axis=0)
            sd = np.where(sd > 1e-8 * max(sd.max(), 1e-300), sd, 1.0)
            W, t = W / sd, (t - Z.mean(axis=0)) / sd
        self.anchors_ = [labels[j] for j in shared["kept"]]
        self.held_ = np.isin(np.arange(n_anchors), held)
        self.labels_ = [*shared["labels"], *shared["bins"]]
        self.targets_, self.agreement_ = G, shared["agreement"]
        self.projection_, self.offset_ = W, t
        self.n_components_ = G.shape[1]
        self.feature_names_out_ = [f"anchor{j}" for j in range(G.shape[1])]

    def _transform(self, X):
        """Map the rows; their labels are not used."""
        return X @ self.projection_ + self.offset_
