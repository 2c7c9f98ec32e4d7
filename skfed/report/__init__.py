"""One page that says what the clients of a federation are, and what a fit made."""

from ._report import FederationReport
from ._summarize import summarize

__all__ = ["FederationReport", "summarize"]
