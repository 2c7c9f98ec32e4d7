"""Which client each row of X belongs to, for splitters and scorers."""

import numpy as np

from ..exceptions import ClientError
from ._client_data import ClientData
from ._tables import column_names


def client_codes(X, groups=None, client_column=None):
    """Return each row's client as int code (n,) and the clients' names.

    ``groups`` (one client name per row) wins, then the container's own clients,
    then the column of a DataFrame.
    """
    if groups is not None:
        names, codes = _factorize(groups)
        if len(codes) != len(X) and len(codes) != getattr(X, "shape", (0,))[0]:
            raise ClientError(f"{len(codes)} groups for {len(X)} rows; give one each")
        return codes, names
    if isinstance(X, ClientData):
        return X.code, list(X.names)
    columns = column_names(X)
    if client_column is not None and columns is not None and client_column in columns:
        names, codes = _factorize(np.asarray(X[client_column]))
        return codes, names
    raise ClientError(
        "the clients of the rows are unknown: pass ClientData (see skfed.pool), or "
        "groups= with one client name per row, or a DataFrame and client_column="
    )


def _factorize(values):
    import pandas as pd

    codes, names = pd.factorize(np.asarray(values, dtype=object))
    if (codes < 0).any():
        raise ClientError("a row has no client name; fill or drop such rows")
    return list(names), codes
