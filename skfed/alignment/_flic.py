"""Learned maps that send each class to an anchor which all clients share."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from ..exceptions import AlignmentWarning, ClientError
from ..preprocessing._federated import class_labels, one_target
from ..preprocessing._strata import strata_statistics
from ._base import Aligner
from ._flic_client import (
    generator,
    joint_epochs,
    pretrained,
    read_rows,
    start_head,
    start_map,
)
from ._flic_net import forward, wasserstein
from ._flic_server import averaged, first_answer

_MODES = ("pretrain", "joint")
_COUNTS = {  # integer parameters, and the smallest value of each
    "n_components": 1,
    "hidden": 1,
    "head_hidden": 1,
    "pretrain_epochs": 0,
    "pretrain_batch_size": 1,
    "n_rounds": 1,
    "local_epochs": 1,
    "batch_size": 1,
    "n_bins": 2,
    "min_count": 1,
}


class FlicAligner(Aligner):
    r"""Learn a map per client that sends each class to a common anchor.

    The anchors are normal distributions in q dimensions, one a label, drawn from a
    common seed. Each client trains a small network :math:`\phi_k` so that its rows of
    a class fall where that class's anchor lies. In joint mode a classifier is trained
    besides, and the anchors move. It is the aligner of FLIC [1]_.

    Parameters
    ----------
    mode : {"pretrain", "joint"}, default="pretrain"
        "pretrain": fit the maps to anchors that stay where they were drawn. "joint":
        do so, then train maps, classifiers and anchors together, in ``n_rounds``
        further exchanges.
    n_components : int, default=64
        Number q of output columns.
    hidden : int, default=64
        Hidden units of the map.
    share_hidden : bool, default=False
        In joint mode, average the hidden layer of the classifier over clients, as
        FLIC-HL does; else the whole classifier is private. Its output layer always is.
    head_hidden : int, default=100
        Hidden units of the classifier.
    anchor_scale : float, default=10.0
        Standard deviation of the anchors' means; the anchors' own is 1.
    pretrain_epochs : int, default=100
        Passes over the client's rows towards the anchors.
    pretrain_batch_size : int, default=10
        Rows per step of these.
    n_rounds : int, default=50
        Exchanges of the joint phase.
    local_epochs : int, default=10
        Passes over the client's rows in each.
    batch_size : int, default=100
        Rows per step of these.
    learning_rate : float, default=1e-3
        Adam's step size. Adam starts anew in every exchange.
    alignment_weight : float, default=1e-3
        Weight :math:`\lambda_1` of the distance from the anchors.
    anchor_loss_weight : float, default=1e-3
        Weight :math:`\lambda_2` of the classifier's loss on rows drawn from the
        anchors.
    n_bins : int, default=5
        A numeric target is cut into so many bins, which then are the classes.
    min_count : int, default=5
        A class of fewer rows does not move its anchor, nor tell its label.
    random_state : int, RandomState instance or None, default=None
        Seed of anchors, first weights and batches, which the server draws for all.

    Attributes
    ----------
    labels_ : list
        The C labels of the anchors, sorted; of a numeric target the numbers of the
        bins, from 0.
    anchors_ : ndarray of shape (C, q)
        Means of the anchors.
    coefs_ : list of two ndarray, of shapes (d_k, hidden) and (hidden, q)
        Weights of this client's map, as in scikit-learn's ``MLPClassifier``.
    intercepts_ : list of two ndarray, of shapes (hidden,) and (q,)
        Biases of this client's map.
    centre_ : ndarray of shape (q,)
        Mean of the anchors' means.
    scale_ : float
        Deviation of the anchors in equal shares, in the direction where it is largest.
    distances_ : dict
        Squared Wasserstein distance of each of this client's classes from its anchor.
    bin_edges_ : ndarray of shape (n_bins - 1,)
        Inner edges of the bins; empty for class labels.
    withheld_labels_ : list
        Labels of this client that have fewer than ``min_count`` rows, or are needed
        to hide those.
    feature_names_out_ : list of str
        "flic0", "flic1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If no label has ``min_count`` rows anywhere, or labels are of mixed type.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If rows of a label that nobody may tell take no part, or if a client does not
        move the anchors of small classes, by name.

    See Also
    --------
    PrototypeAligner : Rotations in place of networks, in closed form.

    Notes
    -----
    *What leaves the client.* First the labels that have ``min_count`` rows and their
    counts, or of a numeric target the rows, the mean and the sum of squared deviations:
    in mode "pretrain" this is all. In mode "joint", in each of ``n_rounds`` exchanges,
    those labels again with the client's copy of their anchors, (C_k, q), and with
    ``share_hidden`` the hidden layer of its classifier, (q, head_hidden) and
    (head_hidden,). Both are trained on its rows, so that what
    :doc:`/user_guide/privacy` says of weights holds for them; the hidden layer is
    trained on rows of small classes too. The map never leaves, nor does a column name.

    *Pretraining* minimises, batch by batch,

    .. math::

       \sum_c W_2^2 \bigl( \phi_k(x \mid c),\ N(v_c, I) \bigr)
       = \sum_c \lVert m_c - v_c \rVert^2 + \lVert s_c - 1 \rVert^2

    with mean :math:`m_c` and coordinate-wise deviation :math:`s_c` of the images of
    class c: the distance of normal distributions with diagonal covariance. FLIC takes
    full covariances, which a few rows do not determine.

    *The joint phase* minimises, with a classifier :math:`h_k` and
    :math:`\tilde z \sim N(v_y, I)` drawn anew for every row,

    .. math::

       \operatorname{CE}(h_k(\phi_k(x)), y)
       + \lambda_1 \sum_c W_2^2 \bigl( \phi_k(x \mid c),\ N(v_c, I) \bigr)
       + \lambda_2 \operatorname{CE}(h_k(\tilde z), y)

    over :math:`\phi_k`, :math:`h_k` and the client's copy of v. The server averages
    the copies of each anchor over the clients that sent one, and the hidden layers over
    all, clients counting equally. The classifier is dropped in the end: the model that
    follows the aligner takes its place.

    *Output.* :math:`(\phi_k(x) - \text{centre}) / \text{scale}`, the same shift and
    scale at all clients, so that classes which meet at an anchor still meet. One scale
    for all columns, since C anchors lie in C - 1 directions: with a deviation of 1 in
    each of q columns that direction would be :math:`\sqrt q` long, and training slow.

    Anchors follow from seed and label alone, whatever other labels there are, and the
    first weights of a column from seed and name. Columns and rows are put into an
    order of their own before training, so that the order in which they are given
    does not matter.

    The maps are trained on the rows they then transform and fit these closer than new
    ones; what follows learns from images that are too good. Fewer
    ``pretrain_epochs`` make this smaller. Labels are all that joins the clients: see
    :doc:`/user_guide/flic` for what that is worth.

    References
    ----------
    .. [1] A. Rakotomamonjy, M. Vono, H. J. Medina Ruiz, L. Ralaivola, "Personalised
       Federated Learning on Heterogeneous Feature Spaces", Transactions on Machine
       Learning Research, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.alignment import FlicAligner
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["a", "b", "c"], 20)
    >>> X = rng.normal(size=(60, 4)) + 5 * np.eye(3, 4).repeat(20, axis=0)
    >>> aligner = FlicAligner(n_components=8, random_state=0).fit(X, y)
    >>> aligner.transform(X).shape
    (60, 8)
    """

    def __init__(
        self,
        mode="pretrain",
        n_components=64,
        hidden=64,
        share_hidden=False,
        head_hidden=100,
        anchor_scale=10.0,
        pretrain_epochs=100,
        pretrain_batch_size=10,
        n_rounds=50,
        local_epochs=10,
        batch_size=100,
        learning_rate=1e-3,
        alignment_weight=1e-3,
        anchor_loss_weight=1e-3,
        n_bins=5,
        min_count=5,
        random_state=None,
    ):
        self.mode = mode
        self.n_components = n_components
        self.hidden = hidden
        self.share_hidden = share_hidden
        self.head_hidden = head_hidden
        self.anchor_scale = anchor_scale
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_batch_size = pretrain_batch_size
        self.n_rounds = n_rounds
        self.local_epochs = local_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.alignment_weight = alignment_weight
        self.anchor_loss_weight = anchor_loss_weight
        self.n_bins = n_bins
        self.min_count = min_count
        self.random_state = random_state

    @property
    def n_exchanges(self):  # type: ignore[override] # depends on the mode
        """How often statistics travel: once, and in joint mode once a round."""
        return 1 + (self.n_rounds if self.mode == "joint" else 0)

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        if self.mode not in _MODES:
            raise ValueError(f"mode must be one of {_MODES}, got {self.mode!r}")
        check_scalar(self.share_hidden, "share_hidden", (bool, np.bool_))
        for name, least in _COUNTS.items():
            check_scalar(getattr(self, name), name, Integral, min_val=least)
        for name in ("anchor_scale", "learning_rate"):
            value = getattr(self, name)
            check_scalar(value, name, Real, min_val=0, include_boundaries="neither")
        for name in ("alignment_weight", "anchor_loss_weight"):
            check_scalar(getattr(self, name), name, Real, min_val=0)

    def _read(self, X, y, reset):
        """Return the table; in fit also refuse a missing target."""
        table, names = super()._read(X, y, reset)
        if reset and y is None:
            raise ValueError(
                "FlicAligner requires y to be passed, but the target y is None; "
                "without labels use UnionAligner or FactorAligner"
            )
        return table, names

    def _client_statistics(self, X, names, y, shared):
        """Send the labels first, then the anchors after some local epochs."""
        y = one_target(y, "FlicAligner")
        if shared is None:
            self._carried = None
            is_numeric = class_labels(y) is None
            return {"is_numeric": is_numeric, **strata_statistics(y, self.min_count)}
        rows = read_rows(X, names, y, shared, self.min_count)
        seed, turn = shared["seed"], shared["exchange"]
        phi, head = self._start(rows, shared) if turn == 1 else self._resume(turn)
        if self.share_hidden:
            head = head | {"W1": shared["hidden_W1"], "b1": shared["hidden_b1"]}
        rng = generator(seed, "joint", turn, *rows.names)
        phi, head, anchors = joint_epochs(
            phi, head, rows, shared["anchors"], rng, self.get_params()
        )
        self._carried = {"exchange": turn, "phi": phi, "head": head}
        message = {
            "labels": [shared["labels"][c] for c in np.flatnonzero(rows.moves)],
            "anchors": anchors[rows.moves],
        }
        if self.share_hidden:
            message |= {"hidden_W1": head["W1"], "hidden_b1": head["b1"]}
        return message

    def _start(self, rows, shared):
        """Return the map, trained towards the anchors, and a new classifier."""
        seed, q = shared["seed"], shared["anchors"].shape[1]
        phi = pretrained(
            start_map(rows, seed, self.hidden, q),
            rows,
            shared["anchors"],
            generator(seed, "pretrain", *rows.names),
            self.pretrain_epochs,
            self.pretrain_batch_size,
            self.learning_rate,
        )
        return phi, start_head(seed, q, self.head_hidden, len(shared["labels"]))

    def _resume(self, turn):
        """Return map and classifier as they were after the exchange before."""
        carried = getattr(self, "_carried", None)
        if carried is None or carried["exchange"] != turn - 1:
            raise ClientError(
                f"FlicAligner does not remember exchange {turn - 1} of its joint "
                "phase; run all exchanges in order, on the same object"
            )
        return carried["phi"], carried["head"]

    def _merge(self, statistics, shared):
        """Draw the anchors, then average what the clients made of them."""
        if shared is None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            return first_answer(statistics, seed, self.get_params())
        return averaged(statistics, shared)

    def _fit_shared(self, X, names, y, shared):
        """Take the anchors, and the map that was trained towards them."""
        rows = read_rows(X, names, one_target(y, "FlicAligner"), shared, self.min_count)
        if self.mode == "joint":
            phi, _ = self._resume(shared["exchange"])
        else:
            phi, _ = self._start(rows, shared)
        self._warn(rows)
        self.labels_ = list(shared["labels"])
        self.anchors_ = shared["anchors"]
        self.bin_edges_ = shared["bin_edges"]
        self.withheld_labels_ = rows.withheld
        first = np.empty_like(phi["W1"])
        first[np.argsort(names, kind="stable")] = phi["W1"]
        self.coefs_ = [first, phi["W2"]]
        self.intercepts_ = [phi["b1"], phi["b2"]]
        self.centre_ = self.anchors_.mean(axis=0)
        spread = np.linalg.norm(self.anchors_ - self.centre_, ord=2)
        self.scale_ = float(np.sqrt(spread**2 / len(self.anchors_) + 1.0))
        distances, _, _ = wasserstein(
            forward(phi, rows.x)[1], rows.codes, self.anchors_
        )
        own = np.unique(rows.codes)
        self.distances_ = {self.labels_[c]: float(distances[c]) for c in own}
        self.feature_names_out_ = [f"flic{j}" for j in range(self.anchors_.shape[1])]

    def _warn(self, rows):
        """Warn of classes that do not take part, or not fully."""
        notes = []
        if rows.unknown:
            notes.append(
                f"no client may tell labels {rows.unknown}; their rows do not shape "
                "the map, which maps them all the same"
            )
        small = [label for label in rows.withheld if label not in rows.unknown]
        if small and self.mode == "joint":
            notes.append(f"labels {small} do not move their anchors from here")
        if notes:
            warnings.warn(
                f"FlicAligner: {'; '.join(notes)}: fewer than "
                f"min_count={self.min_count} rows, or needed to hide those",
                AlignmentWarning,
                stacklevel=2,
            )

    def _transform(self, X):
        """Map the rows; labels are not used."""
        (W1, W2), (b1, b2) = self.coefs_, self.intercepts_
        _, z = forward({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, X)
        return (z - self.centre_) / self.scale_

    def __sklearn_tags__(self):
        """Return the tags; y is required."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
