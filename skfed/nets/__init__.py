"""Networks: the default module and what turns a prototype into a trained model."""

from ._modules import SkipMLP

__all__ = ["SkipMLP"]
