"""What a client tells of its target before a recipe is made."""

import warnings
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from ..data._pool import label_kind
from ..data._wide_target import width
from ..exceptions import AlignmentWarning, ClientError

# what a client can have to predict, and the kind of net that learns it
TASKS = {
    "binary": "classification",
    "multiclass": "classification",
    "multilabel": "multilabel",
    "regression": "regression",
    "multioutput_regression": "regression",
}
OF_TYPE = {
    "binary": "binary",
    "multiclass": "multiclass",
    "multilabel-indicator": "multilabel",
    "continuous": "regression",
    "continuous-multioutput": "multioutput_regression",
}
MANY_VALUES = 20  # more whole numbers than that are no labels
ALWAYS_TOLD = ("wide", "width")


@dataclass(frozen=True)
class Introduced:
    """What is known of a client's target before the fit; nothing of single rows.

    Attributes
    ----------
    wide : bool
        Whether it is a table.
    width : int
        Its columns.
    kind : str
        "text", "numbers" or "mixed"; "" where no one asked.
    empty : bool
        Whether there is no row.
    task : str
        A key of ``TASKS``; "" where no one asked.
    """

    wide: bool
    width: int
    kind: str = ""
    empty: bool = False
    task: str = ""


def introduced(client, target, given=None):
    """Return what a client's target is.

    Parameters
    ----------
    client : hashable
        The client's name.
    target : array of shape (n,) or (n, m)
        Its target.
    given : str, default=None
        What it shall predict, or "auto"; None does not ask.
    """
    wide, columns = np.ndim(target) == 2, width(target)
    if given is None:
        return Introduced(wide, columns)
    task = _task(client, target, None if given == "auto" else given)
    return Introduced(wide, columns, label_kind(target), not len(target), task)


def introduce(payload, name, target, columns):
    """Answer, at a site, what is asked before a recipe is made.

    Parameters
    ----------
    payload : dict
        ``task`` is there where the kind of target is asked.
    name : str
        The client's name.
    target : array of shape (n,) or (n, m)
        Its target.
    columns : list of str or None
        Names of the target's columns, if it has several.
    """
    asked = payload.get("task")
    told = asdict(introduced(name, target, asked))
    if asked is None:
        told = {key: told[key] for key in ALWAYS_TOLD}
    return told if columns is None else {**told, "columns": columns}


def _task(client, target, given):
    n_columns = target.shape[1] if target.ndim > 1 else 1
    if target.dtype.kind in "Mm":
        raise ClientError(
            f"the target of client {client!r} holds dates; convert it to numbers"
        )
    if given is None:
        return _detected(client, target)
    if given not in (*TASKS, "classification"):
        raise ValueError(
            f"the task of client {client!r} is {given!r}; known are {list(TASKS)}"
        )
    if TASKS.get(given, given) == "classification":
        if n_columns > 1:
            raise ClientError(
                f"client {client!r} has a target of {n_columns} columns, and "
                f"{given} needs one"
            )
        n_labels = len(pd.unique(target))
        if given == "binary" and n_labels > 2:
            raise ClientError(
                f"client {client!r} has {n_labels} labels and cannot be binary; say "
                "tasks='multiclass'"
            )
        return "multiclass" if given == "multiclass" or n_labels > 2 else "binary"
    if given == "multilabel" and n_columns == 1:
        raise ClientError(
            f"client {client!r} has a target of one column; multilabel needs a column "
            "of 0 and 1 for each label"
        )
    if given == "multilabel":
        return given
    return "regression" if n_columns == 1 else "multioutput_regression"


def _detected(client, target):
    if target.size and pd.isna(target).any():
        raise ClientError(
            f"the target of client {client!r} contains NaN or None in "
            f"{int(pd.isna(target).sum())} rows; drop them"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of many labels: ours says more
        try:
            kind = type_of_target(target, input_name=f"y of client {client!r}")
        except ValueError as error:
            raise ClientError(f"the target of client {client!r}: {error}") from error
    numbers = target.dtype.kind in "iuf"
    if kind == "multiclass-multioutput" and numbers:
        kind = "continuous-multioutput"
    if kind == "multiclass" and numbers:
        n_values = len(np.unique(target))
        if n_values > MANY_VALUES or n_values > len(target) / 2:
            warnings.warn(
                f"client {client!r}: the target has {n_values} different whole numbers "
                f"in {len(target)} rows and is taken as a quantity, not as labels; say "
                f"tasks={{{client!r}: 'regression'}} or 'multiclass'",
                AlignmentWarning,
                stacklevel=2,
            )
            return "regression"
    if kind not in OF_TYPE:
        raise ClientError(
            f"client {client!r} has a target of type {kind!r}, which is none of "
            f"{list(OF_TYPE)}; convert it, or leave the client out"
        )
    return OF_TYPE[kind]
