"""Splitters that know clients."""

from ._client_k_fold import ClientKFold
from ._leave_clients_out import LeaveClientsOut

__all__ = ["ClientKFold", "LeaveClientsOut"]
