"""The default: an aligner chosen from what the clients have in common."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ..preprocessing._federated import class_labels
from ._anchor import AnchorAligner
from ._anchor_client import anchor_labels, anchor_rows
from ._auto_choice import choose
from ._base import Aligner
from ._factor import FactorAligner, NothingToLearnFromError
from ._score import ScoreAligner
from ._shared_private import SharedPrivateAligner
from ._union import UnionAligner


class AutoAligner(Aligner):
    """Choose the aligner from what the clients have in common, and say why.

    The first exchange compares the clients, the others belong to the aligner chosen.
    In this order:

    - all clients have the same columns: :class:`UnionAligner`;
    - no two clients have a column in common, but ``anchors`` are given:
      :class:`AnchorAligner`;
    - no client has ``min_count`` rows: :class:`UnionAligner`;
    - two clients have a column in common, or all a numeric target:
      :class:`FactorAligner`, which imputes the absent columns; the union if no client
      may send what it needs;
    - labels alone are in common: :class:`ScoreAligner`, if they are four or more, the
      median client has three rows for each and no value is missing; else
      :class:`UnionAligner`, since in measurements few labels or rows did not settle
      what columns without a partner stand for;
    - nothing is in common: :class:`SharedPrivateAligner`, which gives every client
      input weights of its own.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of factors, when the factor model is chosen.
    min_count : int, default=5
        No statistic over fewer rows leaves a client.
    anchors : array-like of hashable labels, default=None
        Index labels of rows that are the same entities at several clients, as for
        :class:`AnchorAligner`. They serve where no column is in common.

    Attributes
    ----------
    choice_ : {"union", "factor", "anchor", "score", "shared_private"}
        The aligner chosen.
    reason_ : str
        Why; of the factor model with the share of pairs of columns that some client
        has together.
    aligner_ : Aligner
        The fitted aligner.
    feature_names_out_ : list of str
        The output columns, the same at all clients.
    private_columns_ : ndarray of bool of shape (q,)
        Output columns whose weights stay at home; with "shared_private" only.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    See Also
    --------
    FactorAligner : Imputes absent columns.
    UnionAligner : Fills absent columns with a constant.
    AnchorAligner : Needs rows in common.
    ScoreAligner : Stacks the clients' own models.

    Notes
    -----
    What leaves the client: first its column names, labels and number of rows, and if
    it has a target and missing values, then what the chosen aligner sends.

    With "score" the rows of fit get other values from ``fit_transform`` than
    from ``transform``: scores of models that have not seen them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.alignment import AutoAligner
    >>> table = pd.DataFrame({"a": [-1.0, 1.0], "b": [1.0, -1.0]})
    >>> aligner = AutoAligner().fit(table)
    >>> aligner.choice_, aligner.reason_
    ('union', 'all clients have the same 2 columns')
    """

    accepts_nan = True

    def __init__(self, n_components="auto", min_count=5, anchors=None):
        self.n_components = n_components
        self.min_count = min_count
        self.anchors = anchors

    @property
    def n_exchanges(self):  # type: ignore[override] # anchors ask for one more
        """How often statistics travel."""
        return 2 if self.anchors is None else 1 + AnchorAligner.n_exchanges

    @property
    def differs_in_fit(self):  # type: ignore[override] # known once there is a choice
        """Why ``fit_transform`` differs from ``transform``, if it does."""
        return self.aligner_.differs_in_fit if hasattr(self, "aligner_") else ""

    def fit_shared(self, X, y, shared):
        """Finish the fit on a client from what the server sent back.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table, the same as in ``client_statistics``.
        y : array of shape (n,) or None
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        object
            The fitted aligner itself.
        """
        super().fit_shared(X, y, shared)
        if self.choice_ == "score":
            self.aligner_._forget_rows()
        return self

    def fit_shared_transform(self, X, y, shared):
        """Finish the fit and return the rows as the chosen aligner gives them.

        Parameters
        ----------
        X : array or DataFrame of shape (n, d_k)
            The client's table.
        y : array of shape (n,) or None
            The client's target.
        shared : dict
            The server's last message.

        Returns
        -------
        ndarray of shape (n, q)
            The rows of fit in the space of all clients.
        """
        if shared["choice"] != "score":
            return super().fit_shared_transform(X, y, shared)
        super().fit_shared(X, y, shared)
        table, _ = self._read(X, None, reset=False)
        return self.aligner_._rows_of_fit(table)

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        check_scalar(self.min_count, "min_count", Integral, min_val=1)
        if self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)
        if self.anchors is not None:
            anchor_labels(self.anchors)

    def _read(self, X, y, reset):
        """Return the table; in fit also find the anchors among its rows."""
        table, names = super()._read(X, y, reset)
        if reset and self.anchors is not None:
            labels = anchor_labels(self.anchors)
            self._rows, self._named = anchor_rows(X, len(table), labels)
        return table, names

    def _client_statistics(self, X, names, y, shared):
        """Describe the table, then send what the chosen aligner sends."""
        if shared is None:
            labels = class_labels(y)
            known = [] if labels is None else labels[pd.notna(labels)]
            return {
                "names": names,
                "n_rows": len(X),
                "has_target": y is not None,
                "labels": sorted({str(label) for label in known}),
                "has_gaps": bool(np.isnan(X).any()),
            }
        exchange, answer = _of_the_chosen(shared)
        aligner = self._make(shared["choice"])
        if exchange >= aligner.n_exchanges:
            return {}
        self._refuse_missing(shared["choice"], X, names)
        return aligner._client_statistics(X, names, y, answer)

    def _merge(self, statistics, shared):
        """Choose, then let the chosen aligner merge."""
        if shared is None:
            choice, reason = choose(
                statistics, self.min_count, self.anchors is not None
            )
            return {"choice": choice, "reason": reason, "exchange": 0}
        exchange, answer = _of_the_chosen(shared)
        choice, reason = shared["choice"], shared["reason"]
        if exchange < self._make(choice).n_exchanges:
            try:
                answer = self._make(choice).merge(statistics, answer)
            except NothingToLearnFromError:
                choice, reason = "union", "no client may send moments of its columns"
                answer = self._make(choice).merge(statistics)
        return {
            **answer,
            "choice": choice,
            "reason": reason,
            "exchange": exchange + 1,
        }

    def _make(self, choice):
        if choice == "union":
            return UnionAligner()
        if choice == "shared_private":
            return SharedPrivateAligner()
        if choice == "score":
            return ScoreAligner()
        if choice == "factor":
            return FactorAligner(self.n_components, min_count=self.min_count)
        aligner = AnchorAligner(self.anchors, min_count=self.min_count)
        if hasattr(self, "_rows"):  # not at the server
            aligner._rows, aligner._named = self._rows, self._named
        return aligner

    def _fit_shared(self, X, names, y, shared):
        """Finish the chosen aligner."""
        self.choice_, self.reason_ = shared["choice"], shared["reason"]
        self._refuse_missing(self.choice_, X, names)
        self.aligner_ = self._make(self.choice_)
        self.aligner_.n_features_in_ = len(names)
        self.aligner_._fit_shared(X, names, y, _of_the_chosen(shared)[1])
        self.feature_names_out_ = self.aligner_.feature_names_out_
        self.__dict__.pop("private_columns_", None)
        if self.choice_ == "shared_private":
            self.private_columns_ = self.aligner_.private_columns_

    def _transform(self, X):
        """Return what the chosen aligner returns."""
        self._refuse_missing(self.choice_, X, self._column_names())
        return self.aligner_._transform(X)

    def _refuse_missing(self, choice, X, names):
        """Raise on a gap if the chosen aligner needs whole rows."""
        why = {
            "anchor": "rows are joined by anchors",
            "score": "the clients' own scores, fitted without any, are the columns",
        }
        if choice in why and np.isnan(X).any():
            gaps = [names[j] for j in np.flatnonzero(np.isnan(X).any(axis=0))]
            raise ClientError(
                f"columns {gaps} have missing values, and {why[choice]}; "
                "impute them before (the default encoder does)"
            )


def _of_the_chosen(shared):
    """Return how often the chosen aligner has merged, and its last answer."""
    own = {"choice", "reason", "exchange"}
    answer = {name: value for name, value in shared.items() if name not in own}
    return shared["exchange"], answer if shared["exchange"] else None
