"""Small federations for the checks: clients' tables of several schemas."""

import numpy as np
import pandas as pd

SCHEMAS = {
    "same columns": {"a": "rst", "b": "rst", "c": "rst"},
    "partly shared": {"a": "pqr", "b": "rst", "c": "rpu"},
    "disjoint": {"a": "pq", "b": "rs", "c": "tu"},
    "one client": {"a": "prs"},
}


def make_clients(
    schema, target="classification", n_rows=60, whole_numbers=False, text=False
):
    """Draw the clients of a federation.

    Parameters
    ----------
    schema : str or dict
        A key of ``SCHEMAS``, or ``{client: columns}``.
    target : {"classification", "regression", None}, default="classification"
        Kind of the target; None is no target.
    n_rows : int, default=60
        Rows of the first client; each of the next four has a tenth less, and so on.
    whole_numbers : bool, default=False
        Whether values are 0, 1, 2 or 3, so that they may stand for categories.
    text : bool, default=False
        Whether every table gets a column "colour" of text besides.

    Returns
    -------
    dict of (DataFrame, array or None)
        ``{client: (X, y)}``, sorted by client; the same for the same arguments. Rows
        are labelled 0, 1, ..., by an index that is not pandas' default one.
    """
    rng = np.random.default_rng(7)
    clients = {}
    schema = SCHEMAS[schema] if isinstance(schema, str) else schema
    for k, (name, columns) in enumerate(sorted(schema.items())):
        n = n_rows - (k % 5) * n_rows // 10
        labels = np.arange(n) % 2
        common = rng.normal(size=(n, 1)) + labels[:, None]
        values = common + rng.normal(size=(n, len(columns))) + k / 2
        if whole_numbers:
            values = np.clip(np.round(values), 0, 3)
        # row labels that mean something: row 3 of one client is row 3 of the others
        X = pd.DataFrame(values, columns=list(columns), index=np.arange(n))
        if text:
            X["colour"] = rng.choice(["red", "green", "blue"], n)
        y = {
            "classification": labels,
            "regression": common[:, 0] + rng.normal(size=n),
            None: None,
        }[target]
        clients[name] = (X, y)
    return clients


def shuffled(clients, seed=0):
    """Return the same clients with their rows in another order, and the orders."""
    rng = np.random.default_rng(seed)
    orders = {name: rng.permutation(len(X)) for name, (X, _) in clients.items()}
    moved = {
        name: (X.iloc[orders[name]], None if y is None else y[orders[name]])
        for name, (X, y) in clients.items()
    }
    return moved, orders


def with_gaps(clients, every=5):
    """Return the same clients with NaN in every fifth row of their first column."""
    holed = {}
    for name, (X, y) in clients.items():
        X = X.copy()
        X.iloc[::every, 0] = np.nan
        holed[name] = (X, y)
    return holed
