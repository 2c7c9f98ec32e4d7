"""Federated learning for tables that do not match, as scikit-learn estimators."""

from ._versions import show_versions
from .data import ClientData, pool
from .estimators import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from .exceptions import ClientError, TooFewClientsError
from .federation import InProcessFederation
from .metrics import ClientScorer, compare
from .model_selection import ClientKFold, LeaveClientsOut
from .preprocessing import TableEncoder
from .strategies import FedAvg

__version__ = "0.1.0.dev0"

__all__ = [
    "ClientData",
    "ClientError",
    "ClientKFold",
    "ClientScorer",
    "FedAvg",
    "FederatedClassifier",
    "FederatedMultiTask",
    "FederatedRegressor",
    "InProcessFederation",
    "LeaveClientsOut",
    "TableEncoder",
    "TooFewClientsError",
    "compare",
    "pool",
    "show_versions",
]
