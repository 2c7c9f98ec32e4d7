"""Federated methods: one file, one published method."""

from ._base import Strategy, Update
from ._fedavg import FedAvg

__all__ = ["FedAvg", "Strategy", "Update"]
