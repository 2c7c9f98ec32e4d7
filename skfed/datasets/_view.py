"""How one client sees a row: its drift, then its columns or its linear map."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..exceptions import ClientError


class View(NamedTuple):
    """What turns a row of the common problem into a row of one client.

    ``scale`` and ``shift`` hold one number for each column of the common table (NaN
    for text, which stays as it is) or are None, ``columns`` the positions of those
    that the client sees, ``matrix`` its map (n_features, d) of all columns or None.
    """

    scale: np.ndarray | None
    shift: np.ndarray | None
    columns: np.ndarray
    matrix: np.ndarray | None

    def apply(self, X, client):
        """Return the client's table: a DataFrame, or an array after a linear map."""
        if self.scale is not None and self.shift is not None:
            moving = np.flatnonzero(~np.isnan(self.scale))
            names = X.columns[moving]
            moved = X[names].astype(np.float64) * self.scale[moving]
            X = X.assign(**(moved + self.shift[moving]))
        if self.matrix is None:
            return X.iloc[:, self.columns]
        return _numbers(X, client) @ self.matrix

    def truth(self, names):
        """Return what the user may know about the view."""
        seen = [names[j] for j in self.columns]

        def by_column(values):
            if values is None:
                return None
            return {names[j]: float(values[j]) for j in self.columns}

        return {
            "columns": seen,
            "map": self.matrix,
            "scale": by_column(self.scale),
            "shift": by_column(self.shift),
        }


def _numbers(X, client):
    """Return the table as float64 array, or say which column stands in the way."""
    text = [c for c in X if not pd.api.types.is_numeric_dtype(X[c].dtype)]
    if text:
        raise ClientError(
            f"{client}: feature_map='linear' needs numbers, columns {text} are not: "
            "encode or drop them first"
        )
    gaps = X.columns[X.isna().any()].tolist()
    if gaps:
        raise ClientError(
            f"{client}: feature_map='linear' cannot map missing values, columns {gaps} "
            "have some: impute them first (or use the dial `missing`)"
        )
    return X.to_numpy(dtype=np.float64)
