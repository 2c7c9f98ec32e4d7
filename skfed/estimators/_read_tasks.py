"""What each client has to predict: its task, and which clients predict the same."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from ..data._pool import label_kind
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


def read_tasks(given, targets):
    """Return each client's task, as given or as its target says.

    Parameters
    ----------
    given : "auto", str or dict
        A task for all, or ``{client: task}``; clients without one are detected.
    targets : dict
        ``{client: array}``.

    Returns
    -------
    tasks : dict
        ``{client: a key of TASKS}``.
    """
    if isinstance(given, str):
        given = {} if given == "auto" else dict.fromkeys(targets, given)
    unknown = [client for client in given if client not in targets]
    if unknown:
        raise ClientError(f"tasks= names the clients {unknown}, which are not there")
    return {c: _task(c, target, given.get(c)) for c, target in targets.items()}


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


def read_quantities(names, tasks, targets):
    """Return the quantity of each client's target, ``{client: (meaning, key)}``.

    Clients with the same key share a head.

    Parameters
    ----------
    names : dict, str or None
        ``{client: name of its target}``, or one for all. None takes the targets of
        one task for the same quantity, text and numbers apart.
    tasks : dict
        ``{client: task}``.
    targets : dict
        ``{client: array}``.
    """
    if names is None:
        _warn_of_codes(tasks, targets)
        meanings = {
            c: _default_name(tasks[c], targets[c], targets, tasks) for c in tasks
        }
    else:
        meanings = dict.fromkeys(tasks, names) if isinstance(names, str) else names
        wrong = [c for c in meanings if c not in tasks], set(tasks) - set(meanings)
        if wrong[0]:
            raise ClientError(f"target_names= names {wrong[0]}, which are not there")
        if wrong[1]:
            raise ClientError(
                f"target_names= says nothing of the clients {sorted(wrong[1], key=str)}"
            )
    meanings = {client: str(meaning) for client, meaning in meanings.items()}
    forms: dict = {}
    for client, meaning in meanings.items():
        forms.setdefault(meaning, set()).add(_form(tasks[client], targets[client]))
    quantities = {}
    for client, meaning in meanings.items():
        key = meaning
        if len(forms[meaning]) > 1:
            key = f"{meaning} ({_form(tasks[client], targets[client])})"
        if key != meaning and key in forms:
            raise ClientError(
                f"target_names= has {key!r} beside {meaning!r}, which has to be told "
                "apart by this name; choose another"
            )
        quantities[client] = meaning, key
    return quantities


def _form(task, target):
    """Return what clients must have in common to share a head."""
    if task == "multioutput_regression":
        return f"{target.shape[1]} numbers"
    if task == "multilabel":
        return f"{target.shape[1]} labels"
    return "number" if task == "regression" else "class"


def _default_name(task, target, targets, tasks):
    if task == "regression":
        return task
    if TASKS[task] != "classification":
        return _form(task, target)
    kinds = {
        label_kind(other)
        for client, other in targets.items()
        if TASKS[tasks[client]] == "classification" and len(other)
    }
    return "classification" + (f" of {label_kind(target)}" if len(kinds) > 1 else "")


def _warn_of_codes(tasks, targets):
    """Name clients whose two numeric labels are taken for some of another's many."""
    many = [
        client
        for client, task in tasks.items()
        if task == "multiclass" and label_kind(targets[client]) == "numbers"
    ]
    few = [
        client
        for client, task in tasks.items()
        if task == "binary" and label_kind(targets[client]) == "numbers"
    ]
    if many and few:
        warnings.warn(
            f"clients {few[:5]} have two labels, which are taken for labels of clients "
            f"{many[:5]}, since labels match by value; if they mean something else, "
            "say so by target_names=",
            AlignmentWarning,
            stacklevel=2,
        )


def task_name(plan, result, labels):
    """Return the task of a newcomer to a group, from its labels if it has some."""
    if plan.task == "regression":
        several = result.n_targets > 1
        return "multioutput_regression" if several else "regression"
    if plan.task == "multilabel":
        return plan.task
    return "multiclass" if len(labels or result.classes) > 2 else "binary"
