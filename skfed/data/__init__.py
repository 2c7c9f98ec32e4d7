"""Clients' tables: the container, the reader, and the way back."""

from ._client_data import ClientData
from ._match_columns import match_columns
from ._pool import pool
from ._rename_columns import rename_columns

__all__ = ["ClientData", "match_columns", "pool", "rename_columns"]
