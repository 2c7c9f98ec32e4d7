"""The default network: a small MLP beside a linear path."""

import torch
from torch import nn


class SkipMLP(nn.Module):
    """Multilayer perceptron with a linear skip connection.

    ``f(x) = V x + b + MLP(x)``: the linear path learns what a linear model can
    within few rounds, and the hidden layers add what it cannot.

    Parameters
    ----------
    n_inputs : int, default=1
        Width of the input; the federated estimators set it to the aligned width.
    n_outputs : int, default=2
        Number of outputs: classes, or 1 for regression.
    hidden : int or tuple of int, default=32
        Units of the hidden layers; ``()`` leaves the linear path alone.
    dropout : float, default=0.0
        Share of hidden activations that are dropped in training.
    batch_norm : bool, default=False
        Whether each hidden layer is normalised over the batch before its activation.
    dtype : torch.dtype or str, default=None
        Type of the parameters, such as ``"float64"``; None is torch's default.

    Examples
    --------
    >>> import torch
    >>> from skfed.nets import SkipMLP
    >>> SkipMLP(n_inputs=5, n_outputs=3)(torch.zeros(2, 5)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        n_inputs=1,
        n_outputs=2,
        hidden=32,
        dropout=0.0,
        batch_norm=False,
        dtype=None,
    ):
        super().__init__()
        dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        widths = (hidden,) if isinstance(hidden, int) else tuple(hidden)
        layers: list[nn.Module] = []
        width = n_inputs
        for units in widths:
            layers.append(nn.Linear(width, units, dtype=dtype))
            if batch_norm:
                layers.append(nn.BatchNorm1d(units, dtype=dtype))
            layers.append(nn.ReLU())
            if dropout:
                layers.append(nn.Dropout(dropout))
            width = units
        self.skip = nn.Linear(n_inputs, n_outputs, dtype=dtype)
        nn.init.zeros_(self.skip.weight)
        nn.init.zeros_(self.skip.bias)
        self.mlp = None
        if widths:
            layers.append(nn.Linear(width, n_outputs, bias=False, dtype=dtype))
            self.mlp = nn.Sequential(*layers)

    def forward(self, X):
        """Return the outputs for some rows.

        Parameters
        ----------
        X : tensor of shape (n, n_inputs)
            Aligned rows.

        Returns
        -------
        outputs : tensor of shape (n, n_outputs)
            Logits, or the predicted target.
        """
        return self.skip(X) if self.mlp is None else self.skip(X) + self.mlp(X)
