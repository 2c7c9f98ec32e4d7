"""What each client has to predict: its task, and which clients predict the same."""

import warnings

from ..exceptions import AlignmentWarning, ClientError
from ..training._introduce import TASKS


def asked_tasks(given, clients):
    """Return what each client is asked to predict, ``{client: task or "auto"}``.

    Parameters
    ----------
    given : "auto", str or dict
        A task for all, or ``{client: task}``; clients without one are detected.
    clients : sequence
        Their names.
    """
    if isinstance(given, str):
        return dict.fromkeys(clients, given)
    unknown = [client for client in given if client not in clients]
    if unknown:
        raise ClientError(f"tasks= names the clients {unknown}, which are not there")
    return {client: given.get(client) or "auto" for client in clients}


def read_quantities(names, told):
    """Return the quantity of each client's target, ``{client: (meaning, key)}``.

    Clients with the same key share a head.

    Parameters
    ----------
    names : dict, str or None
        ``{client: name of its target}``, or one for all. None takes the targets of
        one task for the same quantity, text and numbers apart.
    told : dict
        ``{client: Introduced}``.
    """
    if names is None:
        _warn_of_codes(told)
        meanings = {client: _default_name(own, told) for client, own in told.items()}
    else:
        meanings = dict.fromkeys(told, names) if isinstance(names, str) else names
        wrong = [c for c in meanings if c not in told], set(told) - set(meanings)
        if wrong[0]:
            raise ClientError(f"target_names= names {wrong[0]}, which are not there")
        if wrong[1]:
            raise ClientError(
                f"target_names= says nothing of the clients {sorted(wrong[1], key=str)}"
            )
    meanings = {client: str(meaning) for client, meaning in meanings.items()}
    forms: dict = {}
    for client, meaning in meanings.items():
        forms.setdefault(meaning, set()).add(_form(told[client]))
    quantities = {}
    for client, meaning in meanings.items():
        key = meaning
        if len(forms[meaning]) > 1:
            key = f"{meaning} ({_form(told[client])})"
        if key != meaning and key in forms:
            raise ClientError(
                f"target_names= has {key!r} beside {meaning!r}, which has to be told "
                "apart by this name; choose another"
            )
        quantities[client] = meaning, key
    return quantities


def _form(own):
    """Return what clients must have in common to share a head."""
    if own.task == "multioutput_regression":
        return f"{own.width} numbers"
    if own.task == "multilabel":
        return f"{own.width} labels"
    return "number" if own.task == "regression" else "class"


def _default_name(own, told):
    if own.task == "regression":
        return own.task
    if TASKS[own.task] != "classification":
        return _form(own)
    kinds = {
        other.kind
        for other in told.values()
        if TASKS[other.task] == "classification" and not other.empty
    }
    return "classification" + (f" of {own.kind}" if len(kinds) > 1 else "")


def _warn_of_codes(told):
    """Name clients whose two numeric labels are taken for some of another's many."""
    many, few = (
        [c for c, own in told.items() if own.task == task and own.kind == "numbers"]
        for task in ("multiclass", "binary")
    )
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
