"""Pictures of a federation, before a fit and after it (extra ``skfed[plot]``)."""

from ._alignment import AlignmentDisplay
from ._client_gain import ClientGainDisplay
from ._communication import CommunicationDisplay
from ._convergence import ConvergenceDisplay
from ._heterogeneity import HeterogeneityDisplay
from ._schema import SchemaDisplay

__all__ = [
    "AlignmentDisplay",
    "ClientGainDisplay",
    "CommunicationDisplay",
    "ConvergenceDisplay",
    "HeterogeneityDisplay",
    "SchemaDisplay",
]
