"""Clients' tables: the container, the reader, and the way back."""

from ._client_data import ClientData
from ._match_columns import match_columns
from ._pool import pool
from ._rename_columns import rename_columns
from ._table_path import TablePath

__all__ = ["ClientData", "TablePath", "match_columns", "pool", "rename_columns"]
