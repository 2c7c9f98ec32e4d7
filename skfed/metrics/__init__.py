"""Scores that know clients, and the comparison with local and pooled models."""

from ._client_scorer import ClientScorer
from ._compare import compare

__all__ = ["ClientScorer", "compare"]
