"""How much each quantity's clients count for what all clients share.

The head of a quantity is averaged over its own clients alone, so that only the trunk
has to be balanced, and weights in its average do it: nothing changes at the clients,
and the losses' units do not matter.
"""

import numpy as np

LEAST_LOSS = 0.05  # in units of the loss of a constant, so that none rules the others


class Balance:
    """Weights of the groups, by ``plan.balance``.

    "uncertainty" gives a quantity's clients together the weight ``1 / (2 L)`` of
    homoscedastic uncertainty, with their training loss L of the round before in place
    of the variance, which is where that is least; "equal" gives all quantities the same
    weight; None counts rows.

    Parameters
    ----------
    groups : Groups
        The groups.

    References
    ----------
    A. Kendall, Y. Gal, R. Cipolla, "Multi-Task Learning Using Uncertainty to Weigh
    Losses for Scene Geometry and Semantics", CVPR 2018.
    """

    def __init__(self, groups):
        self.groups = groups
        self.losses: dict = {}  # of each group, in units of a constant's
        self.units: dict = {}  # what these are

    def of(self, group):
        """Return the factor of the weights of a group's clients."""
        kind = self.groups.plan.balance
        if kind is None or len(self.groups) == 1:
            return 1.0
        loss = 1.0 if kind == "equal" else self.losses.get(group.name, 1.0)
        return 1.0 / (self._rows(group) * max(loss, LEAST_LOSS))

    def update(self, answers):
        """Note the training losses of a round's clients."""
        if len(self.groups) == 1:
            return
        for group, own in self.groups.split(answers):
            rows = sum(answer["n_rows"] for answer in own.values())
            loss = sum(a["loss"] * a["n_rows"] for a in own.values()) / rows
            if np.isfinite(loss):
                unit = self.units.setdefault(group.name, self._unit(group, loss))
                self.losses[group.name] = loss / unit

    def comparable(self, losses):
        """Return validation losses with the unit in which they compare to others'."""
        if len(self.groups) == 1:
            return losses
        units: dict = {}
        for group in self.groups:
            unit = self.units.get(group.name, null_loss(group))
            units |= dict.fromkeys(group.result.clients, unit)
        return {client: {**a, "unit": units[client]} for client, a in losses.items()}

    def _rows(self, group):
        """Return the weight that a group's clients have together without a factor."""
        share = getattr(self.groups.plan.strategy, "_share", float)
        sizes = self.groups.result.sizes
        return sum(share(sizes[client]) for client in group.result.clients)

    @staticmethod
    def _unit(group, first):
        """Return the loss of a constant; for unscaled targets, the first loss."""
        plan = group.plan
        known = plan.task != "regression" or plan.target_scaling is not None
        return null_loss(group) if known or first <= 0 else first


def null_loss(group):
    """Return about the loss of predicting class shares, or a scaled target's mean."""
    if group.plan.task == "classification":
        return np.log(len(group.result.classes))
    return group.result.n_targets * (
        1.0 if group.plan.task == "regression" else np.log(2)
    )
