"""Federated versions of scikit-learn's preprocessing, equal to a pooled fit."""

from ._federated import FederatedTransformer

__all__ = ["FederatedTransformer"]
