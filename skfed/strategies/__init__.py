"""Federated methods: one file, one published method."""

from ._apfl import APFL
from ._base import Strategy
from ._coordinate_median import CoordinateMedian
from ._ditto import Ditto
from ._fed_adagrad import FedAdagrad
from ._fed_adam import FedAdam
from ._fed_bn import FedBN
from ._fed_dyn import FedDyn
from ._fed_nova import FedNova
from ._fed_per import FedPer
from ._fed_proto import FedProto
from ._fed_prox import FedProx
from ._fed_rep import FedRep
from ._fed_yogi import FedYogi
from ._fedavg import FedAvg
from ._fedavgm import FedAvgM
from ._ifca import IFCA
from ._krum import Krum
from ._lg_fedavg import LGFedAvg
from ._local_only import LocalOnly
from ._messages import (
    ClientRound,
    Evaluate,
    Represent,
    ServerRound,
    Train,
    Trained,
    Update,
)
from ._moon import Moon
from ._multi_krum import MultiKrum
from ._norm_clipping import NormClipping
from ._pfedme import PFedMe
from ._q_fedavg import QFedAvg
from ._scaffold import Scaffold
from ._trimmed_mean import TrimmedMean

__all__ = [
    "APFL",
    "ClientRound",
    "CoordinateMedian",
    "Ditto",
    "Evaluate",
    "FedAdagrad",
    "FedAdam",
    "FedAvg",
    "FedAvgM",
    "FedBN",
    "FedDyn",
    "FedNova",
    "FedPer",
    "FedProto",
    "FedProx",
    "FedRep",
    "FedYogi",
    "IFCA",
    "Krum",
    "LGFedAvg",
    "LocalOnly",
    "Moon",
    "MultiKrum",
    "NormClipping",
    "PFedMe",
    "QFedAvg",
    "Represent",
    "Scaffold",
    "ServerRound",
    "Strategy",
    "Train",
    "Trained",
    "TrimmedMean",
    "Update",
]
