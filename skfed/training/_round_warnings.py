"""What is said of rounds that cannot have gone well."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..exceptions import StrategyWarning
from ._step_size import step_size, usual_curvature

TOO_FAR = 4  # times the loss at the start


def mean_loss(entries):
    """Return the mean loss per row of clients' entries, of the finite ones if any."""
    entries = list(entries)
    entries = [e for e in entries if np.isfinite(e["loss"])] or entries
    rows = sum(entry["n_rows"] for entry in entries)
    return sum(entry["loss"] * entry["n_rows"] for entry in entries) / rows


def warn_of_units(group):
    """Say that columns are not standardised, which makes the step tiny."""
    result = group.result
    usual = usual_curvature(len(result.names), result.n_targets)
    if result.lr < step_size(group.plan.task, [usual]) / 10:
        warnings.warn(
            f"the aligned columns are not standardised, so that the learning rate "
            f"had to be {result.lr:.1e}: training will be slow and poor; put "
            "FederatedStandardScaler() behind the encoder (the default encoder scales)",
            ConvergenceWarning,
            stacklevel=2,
        )


def warn_of_divergence(groups):
    """Say whose training loss rose from the first round to the last."""
    rounds: list[dict] = [{}, {}]
    for entry in groups.result.history:
        if entry["round"] in (1, groups.result.n_rounds):
            rounds[entry["round"] != 1][entry["client"]] = entry
    ends = [dict(groups.split(entries)) for entries in rounds]
    for group, entries in ends[1].items():
        if group not in ends[0]:
            continue
        first = mean_loss(ends[0][group].values())
        last = mean_loss(entries.values())
        if not last <= TOO_FAR * max(first, 1e-3):
            warnings.warn(
                f"the training loss rose from {first:.3g} to {last:.3g}; lower net__lr "
                "or standardise the columns, as the default encoder does",
                ConvergenceWarning,
                stacklevel=2,
            )


def warn_of_still_heads(groups, first):
    """Name targets whose head the strategy has left as it started.

    Parameters
    ----------
    groups : Groups
        The groups.
    first : dict
        The server's weights before the first round.
    """
    weights = groups.result.weights
    still = {name for name, value in first.items() if (weights[name] == value).all()}
    left = []
    for group in groups:
        heads = set(map(group.server_name, group.heads)) & set(first)
        if heads and heads <= still:
            left.append(group.name)
    if left and len(still) < len(first):
        warnings.warn(
            f"{groups.plan.strategy!r} has left the heads of targets {left} as they "
            "started: too few clients predict them for it; choose another strategy",
            StrategyWarning,
            stacklevel=2,
        )
