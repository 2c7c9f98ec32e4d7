"""Errors and warnings of skfed, all of which name the client and the remedy."""

__all__ = [
    "AlignmentWarning",
    "CheckpointError",
    "ClientError",
    "ClientFailureWarning",
    "EngineWarning",
    "NegativeControlWarning",
    "RecipeError",
    "StrategyWarning",
    "TooFewClientsError",
]


class ClientError(ValueError):
    """A client's data or request cannot be used; the text says which and why.

    The text leaves a real site, and so names columns, counts and parameters, and no
    cell and no label. What of them helps to find the fault is in a note
    (:meth:`add_note`), which a traceback shows and a site keeps in its log.
    """


class RecipeError(ValueError):
    """A recipe holds what cannot be sent to real sites, or what a site may not read."""


class TooFewClientsError(RuntimeError):
    """Fewer clients answered a broadcast than the fit needs."""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, is damaged, or is of another fit."""


class AlignmentWarning(UserWarning):
    """Columns, categories or labels were left out or could not be matched."""


class ClientFailureWarning(UserWarning):
    """A client failed in a task and the fit goes on without it."""


class NegativeControlWarning(UserWarning):
    """An aligner that exists for comparison only is used to federate clients."""


class StrategyWarning(UserWarning):
    """A strategy cannot do with this net or these clients what it is for."""


class EngineWarning(UserWarning):
    """The engine that was asked for cannot train this net, and another one does."""
