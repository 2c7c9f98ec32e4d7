"""Checks that anybody's aligner, transformer or strategy can run, and discovery."""

from ._checks import (
    ALIGNER_CHECKS,
    STRATEGY_CHECKS,
    TRANSFORMER_CHECKS,
    check_aligner,
    check_federated_transformer,
    check_strategy,
)
from ._discovery import (
    all_aligners,
    all_estimators,
    all_strategies,
    all_transformers,
    public_classes,
    public_modules,
)
from ._faults import Fault, FaultyFederation
from ._instances import instances
from ._loopback import LoopbackFederation

__all__ = [
    "ALIGNER_CHECKS",
    "LoopbackFederation",
    "STRATEGY_CHECKS",
    "TRANSFORMER_CHECKS",
    "Fault",
    "FaultyFederation",
    "all_aligners",
    "all_estimators",
    "all_strategies",
    "all_transformers",
    "check_aligner",
    "check_federated_transformer",
    "check_strategy",
    "instances",
    "public_classes",
    "public_modules",
]
