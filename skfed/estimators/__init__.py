"""Federated estimators with scikit-learn's interface."""

from ._classifier import FederatedClassifier
from ._multi_task import FederatedMultiTask
from ._regressor import FederatedRegressor

__all__ = ["FederatedClassifier", "FederatedMultiTask", "FederatedRegressor"]
