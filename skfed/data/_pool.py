"""From per-client pairs to the one container and flat target of scikit-learn."""

import numpy as np
import pandas as pd

from ..exceptions import ClientError
from ._client_data import ClientData
from ._tables import as_table, is_table, n_rows, plain_name
from ._wide_target import as_array, check_alike, check_same_width, target_columns, width


def pool(clients, *, mixed=False):
    """Concatenate clients for scikit-learn's tools.

    Parameters
    ----------
    clients : dict or list of pairs ``(X_k, y_k)``
        One pair per client: a table of shape (n_k, d_k) and its target of shape
        (n_k,), or (n_k, m) with the same m targets at all. A list names its clients
        0, 1, ....
    mixed : bool, default=False
        Whether some clients' targets may be text and others' numbers, which are
        different things to predict, as for :class:`~skfed.FederatedMultiTask`.

    Returns
    -------
    X : ClientData of shape (n,)
        All rows, interleaved.
    y : array of shape (n,) or (n, m)
        The targets in the same order.

    Raises
    ------
    ClientError
        If an entry is not a pair, lengths or numbers of targets differ, or some
        clients' labels are strings and others' numbers without ``mixed``.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.data import pool
    >>> X, y = pool([(np.zeros((2, 3)), [0, 1]), (np.ones((2, 5)), [1, 1])])
    >>> X, y.tolist()
    (ClientData(4 rows: 0 2, 1 2), [0, 1, 1, 1])
    """
    tables, targets = split_pairs(clients)
    pairs = clients if isinstance(clients, dict) else dict(enumerate(clients))
    check_alike(target_columns({name: pair[1] for name, pair in pairs.items()}))
    X = ClientData(tables)
    y = concatenate_targets(targets, mixed)
    start = np.cumsum([0, *(len(t) for t in targets.values())])[:-1]
    return X, y[start[X.code] + X.row]


def is_pair(obj):
    """Tell whether ``obj`` is a client's ``(table, target)``."""
    if not isinstance(obj, list | tuple) or len(obj) != 2 or not is_table(obj[0]):
        return False
    target = obj[1]
    return hasattr(target, "shape") or isinstance(target, list | tuple)


def split_pairs(clients):
    """Return ``({name: table}, {name: target})`` from pairs, checked."""
    pairs = clients if isinstance(clients, dict) else dict(enumerate(clients))
    tables, targets = {}, {}
    for key, pair in pairs.items():
        name = plain_name(key)
        if isinstance(pair, list | tuple) and len(pair) == 2:
            shape = getattr(pair[0], "shape", None)
            if shape is not None and len(shape) != 2:
                raise ClientError(
                    f"the table of client {name!r} has shape {tuple(shape)}; give two "
                    "dimensions, for one column X.to_frame() or X.reshape(-1, 1)"
                )
        if not is_pair(pair):
            raise ClientError(
                f"client {name!r} is given as {type(pair).__name__}, not as a pair "
                "(X, y) of a two-dimensional table and its target"
            )
        tables[name], targets[name] = as_table(pair[0]), as_target(name, *pair)
    return tables, targets


def as_target(name, table, target):
    """Return a client's target as array, its length checked against the table."""
    values = as_array(target)
    if len(values) != n_rows(table):
        raise ClientError(
            f"client {name!r} has {n_rows(table)} rows but {len(values)} targets"
        )
    return values


def concatenate_targets(targets, mixed=False):
    """Concatenate the targets of clients; strings beside numbers only if so asked."""
    widths = {name: width(t) for name, t in targets.items()}
    if mixed and len(set(widths.values())) > 1:
        return _as_objects(targets)
    check_same_width(widths)
    kinds = {name: label_kind(t) for name, t in targets.items() if len(t)}
    found: dict = {}
    for name, kind in kinds.items():
        found.setdefault(kind, name)
    if len(found) > 1 and mixed:
        return np.concatenate([np.asarray(t, dtype=object) for t in targets.values()])
    if len(found) > 1:
        (kind_a, a), (kind_b, b) = list(found.items())[:2]
        raise ClientError(
            f"labels of client {a!r} are {kind_a} and those of client {b!r} are "
            f"{kind_b}; labels match by value, so convert them to one type"
        )
    return np.concatenate(list(targets.values()))


def label_kind(target):
    """Say in a word what a target holds: text, numbers or objects."""
    target = np.asarray(target)
    if target.dtype.kind in "US":
        return "text"
    if target.dtype.kind == "O":
        texts = [isinstance(v, str) for v in target.ravel()]
        return "text" if all(texts) else "mixed" if any(texts) else "numbers"
    return "numbers"


def values_of(target):
    """Return a client's target with the dtype that its values have by themselves."""
    values = as_array(target)
    if values.dtype != object or not len(values):
        return values
    if isinstance(values[0], np.ndarray) and values.ndim == 1:
        return np.stack(list(values))
    frame = pd.DataFrame(values.tolist()).infer_objects()
    return frame.to_numpy() if values.ndim > 1 else frame[0].to_numpy()


def _as_objects(targets):
    """Return an array of objects: a number or label, or a client's row of several."""
    rows = [row for target in targets.values() for row in np.asarray(target)]
    values = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        values[i] = row
    return values
