"""What targets mean to the steps that read them, where clients predict other things.

A step that is fitted with targets takes equal labels for the same thing. Where the
clients' targets are different quantities, every label carries its quantity's name, and
a number is low, middle or high among its client's own. Where some clients have classes
of a quantity that others have as a number, and the labels are numbers themselves, they
are taken as ordered, and the numbers are cut at the ranks that give the classes'
shares.
"""

import numpy as np
import pandas as pd

THIRDS = np.array(["low", "middle", "high"])


def tell_meanings(groups):
    """Tell groups with numbers the classes that others have of the same quantity."""
    classes: dict = {}
    for group in groups:
        plan, result = group.plan, group.result
        ordered = all(isinstance(c, int | float) for c in result.classes)
        if plan.meaning and plan.task == "classification" and ordered:
            classes.setdefault(plan.meaning, result)
    for group in groups:
        known = classes.get(group.plan.meaning)
        numbers = group.plan.task == "regression" and group.result.n_targets == 1
        if not numbers or known is None:
            continue
        if "pooled_shares" in known.start:
            ranks = np.cumsum(known.start["pooled_shares"])[:-1]
            group.result.start |= {"rank_labels": known.classes, "ranks": ranks}


def meant(y, plan, payload):
    """Return a client's target as the steps shall read it.

    Parameters
    ----------
    y : array of shape (n,) or (n, m), or None
        Class codes, or scaled targets.
    plan : Plan
        The recipe; without a ``meaning`` the target is returned as it is.
    payload : dict
        What started the alignment.

    Returns
    -------
    y : array, Series of shape (n,) or None
        Labels as text, which say in ``attrs`` of what, if the plan says what they mean.
    """
    if y is None or not plan.meaning:
        return y
    name = plan.meaning
    if plan.task == "classification":
        labels = np.asarray(payload["classes"])[y]
    elif "ranks" in payload:
        labels = np.asarray(payload["rank_labels"])[_cut(y, payload["ranks"])]
    else:
        name = f"{name} (thirds)"
        labels = _thirds(y if y.ndim == 1 else _first_component(y))
    y = pd.Series([f"{name}={label}" for label in labels.tolist()])
    y.attrs["quantity"] = name
    return y


def _thirds(y):
    return THIRDS[_cut(y, [1 / 3, 2 / 3])]


def _cut(y, ranks):
    """Return between which of some quantiles each number lies."""
    return np.searchsorted(np.quantile(y, ranks), y, "right")


def _first_component(Y):
    """Return the first principal component of several outputs, standardised."""
    Y = np.asarray(Y, dtype=np.float64)
    scale = Y.std(axis=0)
    Y = (Y - Y.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    component = np.linalg.svd(Y, full_matrices=False)[2][0]
    return Y @ component * np.sign(component[np.abs(component).argmax()])
