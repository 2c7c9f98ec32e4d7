"""Checks of constructor parameters, run when a fit starts."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar


def check_choice(step, name, choices):
    """Raise ValueError unless the parameter is one of the choices."""
    value = getattr(step, name)
    if isinstance(value, str | bool | np.bool_):
        known = value in choices
    else:  # 1 is not True here, and an array is no choice
        known = value is None and None in choices
    if not known:
        raise ValueError(
            f"{name} of {type(step).__name__} must be one of {list(choices)}, got "
            f"{value!r}"
        )


def check_count(step, name, low=1, optional=False):
    """Raise unless the parameter is an integer of at least ``low``."""
    value = getattr(step, name)
    if not (optional and value is None):
        check_scalar(value, name, Integral, min_val=low)


def check_real(step, name, low=0.0, optional=False, include_low=True):
    """Raise unless the parameter is a number above ``low``."""
    value = getattr(step, name)
    if not (optional and value is None):
        sides = "left" if include_low else "neither"
        check_scalar(value, name, Real, min_val=low, include_boundaries=sides)
