"""Aligners: from tables that do not match to one input space."""

from ._anchor import AnchorAligner
from ._auto import AutoAligner
from ._base import Aligner
from ._controls import NegativeControl, is_negative_control
from ._factor import FactorAligner
from ._federated_pca import FederatedPCAAligner
from ._flic import FlicAligner
from ._hashing import HashingAligner
from ._intersection import IntersectionAligner
from ._optimal_transport import OptimalTransportAligner
from ._pad import PadAligner
from ._pca import PCAAligner
from ._prototype import PrototypeAligner
from ._random_projection import RandomProjectionAligner
from ._score import ScoreAligner
from ._shared_private import SharedPrivateAligner
from ._union import UnionAligner

__all__ = [
    "Aligner",
    "AnchorAligner",
    "AutoAligner",
    "FactorAligner",
    "FederatedPCAAligner",
    "FlicAligner",
    "HashingAligner",
    "IntersectionAligner",
    "NegativeControl",
    "OptimalTransportAligner",
    "PCAAligner",
    "PadAligner",
    "PrototypeAligner",
    "RandomProjectionAligner",
    "ScoreAligner",
    "SharedPrivateAligner",
    "UnionAligner",
    "is_negative_control",
]
