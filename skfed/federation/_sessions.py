"""What sessions of all federations have in common."""

from dataclasses import replace

from ..data._pool import as_target
from ..data._table_path import TablePath
from ..exceptions import ClientError


def close(session):
    """End a session, if it has anything to end."""
    if hasattr(session, "close"):
        session.close()


def loaded(site):
    """Return a client's site with its table read, if it was given by a path."""
    if not isinstance(site.table, TablePath):
        return site
    try:
        table, target = site.table.load()
    except ClientError as error:
        raise ClientError(f"client {site.name!r}: {error}") from error
    target = None if target is None else as_target(site.name, table, target)
    return replace(site, table=table, target=target)
