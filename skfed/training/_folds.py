"""The folds of a client's rows."""

import numpy as np

from ..data._tables import n_rows
from ._local import client_generator
from ._target_units import sort_key

FOLD_ROUND = 2**32 - 3  # the generator of the folds, never a round


def split(payload, state, site):
    """Deal the rows to folds at random; tell how many each leaves."""
    state["folds"] = deal(state, payload["n_folds"])
    n_held = np.bincount(state["folds"], minlength=payload["n_folds"])
    return {"n_rows": n_rows(site.table) - n_held}


def deal(state, n_folds):
    """Return the fold of each row.

    At random: folds with equal class shares would show how well the client's own
    shares fit rows that share them, which new rows do not.
    """
    rng = client_generator(state["seed"], FOLD_ROUND, state["client"])
    names = rng.permutation(n_folds)  # else all clients' surplus rows are in fold 0
    return rng.permutation(names[np.arange(len(state["target"])) % n_folds])


def deal_alike(state, n_folds):
    """Return the fold of each row; neighbours by target are in different folds."""
    target = sort_key(state["target"])
    rng = client_generator(state["seed"], FOLD_ROUND, state["client"])
    order = rng.permutation(len(target))
    order = order[np.argsort(target[order], kind="stable")]
    folds = np.empty(len(target), dtype=np.int64)
    for start in range(0, len(target), n_folds):
        block = order[start : start + n_folds]
        folds[block] = rng.permutation(n_folds)[: len(block)]
    return folds
