"""Losses of nets with several targets, summed over the targets of a row."""

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
