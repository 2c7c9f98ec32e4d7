"""Where a fit runs: the protocol, the ledger and the backends."""

from ._in_process import InProcessFederation
from ._ledger import Ledger
from ._protocol import Broadcast, Failure, Site, drive

__all__ = ["Broadcast", "Failure", "InProcessFederation", "Ledger", "Site", "drive"]
