"""Clients' tables: the container, the reader, and the way back."""

from ._client_data import ClientData
from ._pool import pool

__all__ = ["ClientData", "pool"]
