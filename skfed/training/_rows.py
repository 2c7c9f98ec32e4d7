"""A client's aligned rows, and the net that reads them."""

import numpy as np
import pandas as pd
import torch

from ..exceptions import ClientError
from ..nets._prototype import is_binary, net_dtype
from ._own import own_of, personal
from ._weights import set_weights, unpack, unpack_extra

# keys of a client's state whose values have its rows, in any order or number
OF_ROWS = frozenset(
    "x y z z_valid target step rows fit_rows valid_rows folds evidence".split()
)


def without_rows(state):
    """Return of a client's state what its Pipeline is made of."""
    kept = {key: value for key, value in state.items() if key not in OF_ROWS}
    if "scopes" in kept:
        kept["scopes"] = {name: without_rows(s) for name, s in kept["scopes"].items()}
    return kept


def frame(Z, step, index=None):
    """Return a step's output as DataFrame, so that names reach the next step.

    ``index`` holds the names of the rows, by which a step may find anchors; a step
    that returns other rows gives them no names.
    """
    if isinstance(Z, pd.DataFrame):
        return Z
    Z = Z.toarray() if hasattr(Z, "toarray") else np.asarray(Z)
    try:
        names = [str(name) for name in step.get_feature_names_out()]
    except (AttributeError, ValueError):
        names = [f"x{j}" for j in range(Z.shape[1])]
    index = index if index is not None and len(index) == len(Z) else None
    return pd.DataFrame(Z, columns=pd.Index(names, dtype=object), index=index)


def matrix(x, names, site):
    try:
        z = np.array(x, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ClientError
        raise kind(
            f"client {site.name!r} has columns that are not numeric after its "
            f"preprocessing: {error}; encode them in `encoder` (the default does)"
        ) from error
    if z.shape[1] == 0:
        raise ClientError(
            f"client {site.name!r} has no column left after its preprocessing"
        )
    bad = ~np.isfinite(z).all(axis=0)
    if bad.any():
        column = names[int(np.flatnonzero(bad)[0])]
        raise ClientError(
            f"client {site.name!r} has NaN or infinity in column {column!r} after its "
            "preprocessing; impute in `encoder` (the default does)"
        )
    return z


def aligned(table, state, site):
    """Return rows of a table behind all fitted steps."""
    for _, _, step in state["fitted"]:
        table = frame(step.transform(table), step)
    return matrix(table, [str(name) for name in table.columns], site)


def net_and_parts(payload, state, site):
    """Return this process's net, and what of it stays at home."""
    private = state["private_columns"]
    width, n_outputs = len(private), payload["n_outputs"]
    net = site.plan.built_net(width, n_outputs)
    own_head = payload.get("local_heads", False)
    return net, site.plan.parts(width, n_outputs, private, own_head)


def loaded_net(payload, state, site):
    """Return a net with the weights by which the client predicts."""
    net, parts = net_and_parts(payload, state, site)
    extra = unpack_extra(payload)
    weights = personal(site.plan.strategy, parts, unpack(payload), extra, own_of(state))
    set_weights(net, weights)
    return net


def tensors(net, state, task, valid=False):
    """Return aligned rows and target as the net takes them."""
    key = "z_valid" if valid else "z"
    dtype = net_dtype(net)
    z = state[key]  # read-only where joblib maps it from disk
    Z = torch.as_tensor(z if z.flags.writeable else z.copy(), dtype=dtype)
    if z.dtype != Z.numpy().dtype:
        state[key] = Z.numpy()  # converted once, shared from then on
    target = state["target"][state["valid_rows" if valid else "fit_rows"]]
    if task != "classification":
        y = torch.as_tensor(target, dtype=dtype)
        y = y[:, None] if y.ndim == 1 else y
    else:
        y = torch.as_tensor(target, dtype=dtype if is_binary(net) else None)
    return Z.to(net.device), y.to(net.device)
