"""What arrays a recipe may hold, so that a short one takes no large room at a site."""

import numpy as np

from ..exceptions import RecipeError

WIDEST = 2**16  # bytes of an element
TEXT_GROWS = 64  # at most, from characters of JSON to bytes of an array


def check_texts(values, width, place):
    """Refuse texts that would take much more room as an array than they do here."""
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise RecipeError(f"{place} holds other values than texts")
    room = TEXT_GROWS * (64 + sum(len(v) + 4 for v in values))
    if width * len(values) > room:
        raise RecipeError(f"{place} has wider texts than it says; give a list")


def plain(name):
    """Return the name of a dtype that holds no objects."""
    dtype = np.dtype(name)
    if dtype.kind not in "biufU" or not 0 < dtype.itemsize <= WIDEST:
        raise RecipeError(f"no recipe holds arrays of type {name!r}")
    return name
