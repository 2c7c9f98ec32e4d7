"""Only the columns that enough clients own."""

import math
import warnings

import numpy as np

from ..exceptions import AlignmentWarning, ClientError
from ._base import Aligner
from ._names import check_finite_number, owners, place, positions


class IntersectionAligner(Aligner):
    """Align by name to the columns that all clients, or enough of them, own.

    Useful when the tables nearly agree, and as a baseline otherwise.

    Parameters
    ----------
    min_clients : int or float, default=None
        How many clients must own a column for it to stay: a number of clients, or a
        share in (0, 1] as float. None means all of them.
    fill_value : float, default=0.0
        Value of NaN cells, and of kept columns where a client lacks them.

    Attributes
    ----------
    feature_names_out_ : list of str
        The kept columns, sorted by name.
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If no column is left; the text lists the clients that break the intersection.

    Warns
    -----
    skfed.exceptions.AlignmentWarning
        If columns are dropped, by name.

    See Also
    --------
    UnionAligner : Keeps all columns.

    Notes
    -----
    What leaves the client: its column names.

    Examples
    --------
    >>> from skfed.alignment import IntersectionAligner
    >>> aligner = IntersectionAligner(min_clients=2)
    >>> statistics = {
    ...     "a": {"names": ["age", "height"]},
    ...     "b": {"names": ["age", "height"]},
    ...     "c": {"names": ["age"]},
    ... }
    >>> aligner.merge(statistics)
    {'names': ['age', 'height']}
    """

    accepts_nan = True

    def __init__(self, min_clients=None, fill_value=0.0):
        self.min_clients = min_clients
        self.fill_value = fill_value

    def _check_parameters(self):
        """Raise on a count below 1, a share outside (0, 1] or a bad fill value."""
        check_finite_number(self.fill_value, "fill_value")
        least = self.min_clients
        if least is None or isinstance(least, bool):
            fits = least is None
        elif isinstance(least, (int, np.integer)):
            fits = bool(least >= 1)
        else:
            fits = isinstance(least, (float, np.floating)) and bool(0 < least <= 1)
        if fits:
            return
        raise ValueError(
            "min_clients must be None, a number of clients >= 1 or a share in (0, 1], "
            f"got {least!r}"
        )

    def _client_statistics(self, X, names, y, shared):
        """Send the names."""
        return {"names": names}

    def _merge(self, statistics, shared):
        """Return the kept columns; warn of the others by name."""
        needed = self._clients_needed(len(statistics))
        owned_by = owners(statistics)
        kept = [name for name, who in owned_by.items() if len(who) >= needed]
        dropped = [name for name in owned_by if name not in kept]
        if not kept:
            raise ClientError(_no_column_left(statistics, owned_by, needed))
        if dropped:
            warnings.warn(
                f"IntersectionAligner drops {len(dropped)} columns owned by fewer than "
                f"{needed} of {len(statistics)} clients: {dropped}; lower "
                "min_clients, or keep them with UnionAligner or FactorAligner",
                AlignmentWarning,
                stacklevel=2,
            )
        return {"names": kept}

    def _clients_needed(self, n_clients):
        """Return how many clients must own a column."""
        if self.min_clients is None:
            return n_clients
        if isinstance(self.min_clients, (int, np.integer)):
            return int(self.min_clients)
        # Rounding first keeps 0.7 * 10 = 7.000000000000001 from asking for 8.
        return max(1, math.ceil(round(self.min_clients * n_clients, 9)))

    def _fit_shared(self, X, names, y, shared):
        """Find this client's columns among the kept ones."""
        self._target = positions(names, shared["names"])
        self.feature_names_out_ = list(shared["names"])

    def _transform(self, X):
        """Place the kept columns."""
        return place(X, self._target, len(self.feature_names_out_), self.fill_value)


def _no_column_left(statistics, owned_by, needed):
    """Say which clients lack the columns that most others own."""
    most = max(len(who) for who in owned_by.values())
    common = [name for name, who in owned_by.items() if len(who) == most]
    without = {
        client: [name for name in common if name not in message["names"]]
        for client, message in statistics.items()
    }
    breakers = "; ".join(
        f"{client!r} lacks {names}" for client, names in without.items() if names
    )
    return (
        f"no column is owned by {needed} of {len(statistics)} clients. The most common "
        f"ones, {common}, are owned by {most}: {breakers}. Lower min_clients, rename "
        "columns that mean the same, or use UnionAligner or FactorAligner"
    )
