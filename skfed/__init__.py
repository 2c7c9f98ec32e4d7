"""Federated learning for tables that do not match, as scikit-learn estimators."""

from .data import ClientData, pool
from .exceptions import ClientError, TooFewClientsError

__version__ = "0.1.0.dev0"

__all__ = ["ClientData", "ClientError", "TooFewClientsError", "pool"]
