"""Losses of nets with several targets or labels, summed over those of a row."""

from torch import nn


class TargetwiseMSELoss(nn.MSELoss):
    """Squared error, summed over the targets of a row and averaged over rows.

    Each target's weights so get the gradient, and the pull of the weight decay, that
    they had in a net of this target alone.

    Examples
    --------
    >>> import torch
    >>> from skfed.nets._losses import TargetwiseMSELoss
    >>> TargetwiseMSELoss()(torch.ones(4, 2), torch.zeros(4, 2))
    tensor(2.)
    """

    def forward(self, input, target):
        """Return the loss of outputs (n, m)."""
        return super().forward(input, target) * input.shape[-1]


class TargetwiseBCELoss(nn.BCEWithLogitsLoss):
    """Log-loss of each label from its logit, summed over labels, averaged over rows.

    Examples
    --------
    >>> import torch
    >>> from skfed.nets._losses import TargetwiseBCELoss
    >>> TargetwiseBCELoss()(torch.zeros(4, 2), torch.ones(4, 2)).round(decimals=3)
    tensor(1.3860)
    """

    def forward(self, input, target):
        """Return the loss of logits (n, C)."""
        return super().forward(input, target) * input.shape[-1]
