"""Targets of several columns: one name for each position, the same at all clients."""

import numpy as np
from scipy import sparse

from ..exceptions import ClientError
from ._tables import column_names


def as_array(target):
    """Return a target as array of shape (n,) or (n, m); one column is flattened."""
    target = target.toarray() if sparse.issparse(target) else target
    values = np.asarray(target)
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    return values


def target_columns(targets):
    """Return the column names of targets that are tables.

    Parameters
    ----------
    targets : dict
        ``{client: target}``, as given.
    """
    names: dict = {}
    for client, target in targets.items():
        if len(getattr(target, "shape", ())) == 2:
            own = column_names(target)
            if own is not None and len(own) > 1:
                names[client] = own
    return names


def check_alike(names):
    """Refuse targets whose columns would not mean the same by position.

    Parameters
    ----------
    names : dict
        ``{client: columns of its target}``.
    """
    for client, own in names.items():
        first, known = next(iter(names.items()))
        if own != known:
            raise ClientError(
                f"the targets of client {client!r} are the columns {own} and those of "
                f"client {first!r} are {known}; targets match by position, so give the "
                "same columns in the same order to all clients"
            )


def check_same_width(widths):
    """Refuse clients with targets of other numbers of columns.

    Parameters
    ----------
    widths : dict
        ``{client: number of columns}``.
    """
    first = next(iter(widths), None)
    for client, m in widths.items():
        if m != widths[first]:
            raise ClientError(
                f"client {client!r} has {counted(m)} a row and client {first!r} has "
                f"{counted(widths[first])}; give the same targets to all clients, or "
                "leave out the columns that some lack"
            )


def counted(m):
    """Return a number of targets in words."""
    return "1 target" if m == 1 else f"{m} targets"


def width(target):
    """Return the number of columns of a target."""
    return target.shape[1] if np.ndim(target) == 2 else 1
