"""Aligning by column name: unions of schemas, and moving columns into them."""

from math import isfinite
from numbers import Real

import numpy as np

from ..exceptions import ClientError


def owners(statistics):
    """Return ``{column: [clients that own it]}``, columns sorted by name."""
    found: dict[str, list[str]] = {}
    for client, message in statistics.items():
        for name in message["names"]:
            found.setdefault(name, []).append(client)
    return dict(sorted(found.items()))


def positions(names, schema):
    """Return where each of ``names`` stands in ``schema``, -1 for those not in it."""
    place = {name: j for j, name in enumerate(schema)}
    return np.array([place.get(name, -1) for name in names], dtype=np.intp)


def place(X, target, width, fill_value):
    """Move column j of X to ``target[j]`` of a matrix of ``fill_value``.

    NaN cells take the fill value as well; columns with target -1 are left out.
    """
    placed = np.full((X.shape[0], width), float(fill_value))
    kept = target >= 0
    placed[:, target[kept]] = np.where(np.isnan(X), fill_value, X)[:, kept]
    return placed


def check_finite_number(value, name):
    """Raise unless ``value`` is a finite number."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not isfinite(float(value)):
        raise ClientError(f"{name} must be a finite number, got {value!r}")
