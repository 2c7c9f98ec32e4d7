"""The default: an aligner chosen from what the clients have in common."""

from numbers import Integral

from sklearn.utils import check_scalar

from ._base import Aligner
from ._factor import FactorAligner, NothingToLearnFromError
from ._names import owners
from ._union import UnionAligner


class AutoAligner(Aligner):
    """Choose the aligner from what the clients have in common, and say why.

    The first exchange compares the clients' columns, the second belongs to the
    aligner chosen: :class:`FactorAligner` where some client lacks a column of
    another, so that there is something to impute, and :class:`UnionAligner` where all
    have the same columns or no client may send statistics.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of factors, when the factor model is chosen.
    min_count : int, default=5
        No statistic over fewer rows leaves a client.

    Attributes
    ----------
    choice_ : {"factor", "union"}
        The aligner chosen.
    reason_ : str
        Why.
    aligner_ : Aligner
        The fitted aligner.
    feature_names_out_ : list of str
        The output columns, the same at all clients.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    See Also
    --------
    FactorAligner : Imputes absent columns.
    UnionAligner : Fills absent columns with a constant.

    Notes
    -----
    What leaves the client: first its column names and number of rows, then what the
    chosen aligner sends.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.alignment import AutoAligner
    >>> table = pd.DataFrame({"a": [-1.0, 1.0], "b": [1.0, -1.0]})
    >>> aligner = AutoAligner().fit(table)
    >>> aligner.choice_, aligner.reason_
    ('union', 'all clients have the same 2 columns')
    """

    n_exchanges = 2
    accepts_nan = True

    def __init__(self, n_components="auto", min_count=5):
        self.n_components = n_components
        self.min_count = min_count

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        check_scalar(self.min_count, "min_count", Integral, min_val=1)
        if self.n_components != "auto":
            check_scalar(self.n_components, "n_components", Integral, min_val=1)

    def _client_statistics(self, X, names, y, shared):
        """Send the column names, then what the chosen aligner sends."""
        if shared is None:
            return {"names": names, "n_rows": len(X)}
        return self._make(shared["choice"])._client_statistics(X, names, y, None)

    def _merge(self, statistics, shared):
        """Choose, then let the chosen aligner merge."""
        if shared is None:
            choice, reason = self._choose(statistics)
            return {"choice": choice, "reason": reason}
        choice, reason = shared["choice"], shared["reason"]
        try:
            answer = self._make(choice).merge(statistics)
        except NothingToLearnFromError:
            choice, reason = "union", "no client may send moments of its columns"
            answer = self._make(choice).merge(statistics)
        return {**answer, "choice": choice, "reason": reason}

    def _choose(self, statistics):
        columns = owners(statistics)
        shared = [name for name, who in columns.items() if len(who) == len(statistics)]
        if len(shared) == len(columns):
            return "union", f"all clients have the same {len(columns)} columns"
        if max(m["n_rows"] for m in statistics.values()) < self.min_count:
            return "union", f"no client has min_count={self.min_count} rows"
        return "factor", (
            f"{len(shared)} of {len(columns)} columns are at all {len(statistics)} "
            "clients; the others are imputed"
        )

    def _make(self, choice):
        if choice == "union":
            return UnionAligner()
        return FactorAligner(self.n_components, min_count=self.min_count)

    def _fit_shared(self, X, names, y, shared):
        """Finish the chosen aligner."""
        self.choice_, self.reason_ = shared["choice"], shared["reason"]
        self.aligner_ = self._make(self.choice_)
        self.aligner_.n_features_in_ = len(names)
        self.aligner_._fit_shared(X, names, y, shared)
        self.feature_names_out_ = self.aligner_.feature_names_out_

    def _transform(self, X):
        """Return what the chosen aligner returns."""
        return self.aligner_._transform(X)
