"""The first step of every client's Pipeline: any table becomes a named DataFrame."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data._tables import column_names, is_polars, to_frame


class TableReader(TransformerMixin, BaseEstimator):
    """Turn a client's table into a pandas DataFrame with named columns.

    Columns match between clients by name, so that every later step needs names.
    Reads numpy arrays, scipy sparse matrices (made dense), pandas and polars
    DataFrames. A column without a single value in fit is left out, as the client
    does not have it.

    Parameters
    ----------
    prefix : str, default=""
        Put before the generated names ``x0, x1, ...`` of unnamed columns. The
        federated estimators use it to tell apart columns that clients do not share.
    columns : list of str, default=None
        The columns that are passed on; None is all.

    Attributes
    ----------
    columns_ : list of str
        Names of the columns that are passed on.
    empty_columns_ : list of str
        Names of the columns that were missing in all rows.
    n_features_in_ : int
        Number of columns in fit.
    feature_names_in_ : array of shape (d,)
        Names of the columns in fit, where the table has names.

    Raises
    ------
    ValueError
        If there is no column with a value, a name is doubled or a number infinite.

    Notes
    -----
    *What leaves the client.* Nothing; the step is fitted on each client alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.preprocessing import TableReader
    >>> TableReader(prefix="a.").fit_transform(np.eye(2))
       a.x0  a.x1
    0   1.0   0.0
    1   0.0   1.0
    """

    def __init__(self, prefix="", columns=None):
        self.prefix = prefix
        self.columns = columns

    def fit(self, X, y=None):
        """Learn the columns.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame of shape (n, d)
            The client's table.
        y : None
            Ignored.

        Returns
        -------
        self : TableReader
            The fitted reader.
        """
        frame = self._read(X, reset=True)
        self._read_names = frame.columns.tolist()
        wanted = np.ones(frame.shape[1], dtype=bool)
        if self.columns is not None:
            wanted = frame.columns.isin(list(self.columns))
        has_value = frame.notna().any().to_numpy()
        self.columns_ = frame.columns[has_value & wanted].tolist()
        self.empty_columns_ = frame.columns[~has_value & wanted].tolist()
        if not self.columns_:
            raise ValueError(
                f"no column has a value ({frame.shape[1]} columns, {len(frame)} rows); "
                "give a table with at least one column that is not all missing"
            )
        return self

    def transform(self, X):
        """Return the rows as DataFrame.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame of shape (n, d)
            Rows with the columns seen in fit.

        Returns
        -------
        frame : DataFrame of shape (n, len(columns_))
            The same rows with named columns.
        """
        check_is_fitted(self)
        frame = self._read(X, reset=False)
        if frame.columns.tolist() != self._read_names:
            raise ValueError(
                f"the columns are {frame.columns.tolist()}; they were "
                f"{self._read_names} in fit, and have to come in that order"
            )
        return frame if self.columns_ == self._read_names else frame[self.columns_]

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns as object array.

        Parameters
        ----------
        input_features : None
            Ignored; the names were learnt in fit.

        Returns
        -------
        names : array of shape (len(columns_),)
            Column names.
        """
        check_is_fitted(self)
        return np.asarray(self.columns_, dtype=object)

    def _read(self, X, reset):
        if isinstance(X, pd.DataFrame) or is_polars(X):
            names = pd.Index(X.columns)
            if names.has_duplicates:
                raise ValueError(
                    f"column {names[names.duplicated()][0]!r} occurs twice; rename "
                    "one, since columns match by name"
                )
            validate_data(self, X, skip_check_array=True, reset=reset)
            if not X.shape[0]:
                raise ValueError(f"Found array with 0 sample(s) (shape={X.shape})")
            frame = to_frame(X, self._names(X))
            self._refuse_infinite(frame)
            return frame
        numeric = sparse.issparse(X) or np.asarray(X).dtype.kind in "biufc"
        X = check_array(
            X,
            accept_sparse=["csr", "csc"],
            dtype="numeric" if numeric else None,
            ensure_all_finite="allow-nan" if numeric else False,
            estimator=self,
            input_name="X",
        )
        validate_data(self, X, skip_check_array=True, reset=reset)
        return to_frame(X, self._names(X))

    def _names(self, X):
        names = column_names(X)
        if names is None:
            return [f"{self.prefix}x{j}" for j in range(X.shape[1])]
        return names

    def _refuse_infinite(self, frame):
        for name in frame.columns[~frame.columns.duplicated()]:
            column = frame[name]
            if column.dtype.kind == "f" and np.isinf(column.to_numpy(float)).any():
                raise ValueError(
                    f"column {name!r} contains infinity; replace it by a number or "
                    "mark it as missing (NaN)"
                )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags
