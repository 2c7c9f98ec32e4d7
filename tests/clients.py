"""Small clients whose tables do not match, for the tests of the whole fit."""

import numpy as np
import pandas as pd

NAMES = ("a", "b", "c")


def make_clients(task="classification", n=(40, 55, 70), seed=0, text_labels=False):
    """Three clients with overlapping columns, text, flags and gaps."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k, name in enumerate(NAMES):
        z = rng.normal(size=(n[k], 4))
        table = pd.DataFrame(z @ rng.normal(size=(4, 4)), columns=list("pqrs"))
        table["t"] = z[:, 0] + rng.normal(scale=0.3, size=n[k])
        table["kind"] = np.where(z[:, 1] > 0, "tall", "short")
        table = table.drop(columns=[list("pqr")[k]])
        if name == "b":
            table.loc[rng.random(n[k]) < 0.2, "t"] = np.nan
        value = z[:, 0] + 0.5 * z[:, 1]
        if task == "classification":
            y = np.digitize(value, [-0.5, 0.5])
            y = np.array(["low", "mid", "high"])[y] if text_labels else y
        else:
            y = 10.0 * (k + 1) + (k + 1) * value
        clients[name] = (table, y)
    return clients


def same_weights(first, second):
    """Tell whether two fitted estimators have the same weights, bit for bit."""
    a = first.net_.module_.state_dict()
    b = second.net_.module_.state_dict()
    return list(a) == list(b) and all((a[k] == b[k]).all() for k in a)
