"""What each client makes of local and federated models."""

from ._base import Personalizer
from ._evidence import Evidence
from ._fine_tuning import FineTuning
from ._gate import Gate
from ._mixture import Mixture
from ._prior_offset import PriorOffset
from ._private_block import PrivateBlock
from ._stacking import HierarchicalStacking

__all__ = [
    "Evidence",
    "FineTuning",
    "Gate",
    "HierarchicalStacking",
    "Mixture",
    "Personalizer",
    "PriorOffset",
    "PrivateBlock",
]
