"""Where a fit runs: the protocol, the ledger, the journal and the backends."""

from ._dask import DaskFederation
from ._drive import drive
from ._flower import FlowerFederation
from ._in_process import InProcessFederation
from ._ledger import Ledger
from ._protocol import Broadcast, Failure, Site

__all__ = [
    "Broadcast",
    "DaskFederation",
    "Failure",
    "FlowerFederation",
    "InProcessFederation",
    "Ledger",
    "Site",
    "drive",
]
