"""The weights of an earlier fit as the start of another."""

import numpy as np


def carried(before, result):
    """Return a net's initial weights, those of an earlier fit put in their places.

    Input columns match by the names of the aligned columns, rows of the output layer by
    label, other parameters by name and shape. What is new starts as it would have.

    Parameters
    ----------
    before, result : Result
        The earlier fit's, and this one's with its initial weights.
    """
    columns = _places(_shared_names(before), _shared_names(result))
    labels = _places(before.classes, result.classes)
    found = {}
    for name, start in result.weights.items():
        old = before.weights.get(name)
        if old is None or old.ndim != start.ndim:
            found[name] = start
            continue
        axes = [(np.arange(size), np.arange(size)) for size in old.shape]
        if name in result.parts.inputs and name in before.parts.inputs:
            axes[-1] = columns
        if name in result.parts.head and name in before.parts.head and result.classes:
            axes[0] = labels if len(labels[0]) else axes[0]
        inside = [old.shape, start.shape]
        if all(_fit(places, inside, i) for i, places in enumerate(axes)):
            source, target = (np.ix_(*(pair[k] for pair in axes)) for k in (0, 1))
            start = start.copy()
            start[target] = old[source]
        found[name] = start
    return found


def _shared_names(result):
    """Return the names of the aligned columns whose weights are shared."""
    return [n for n, own in zip(result.names, result.private, strict=True) if not own]


def _places(old, new):
    """Return where the common entries stand in two lists."""
    common = [value for value in new if value in old]
    return (
        np.array([old.index(value) for value in common], dtype=int),
        np.array([new.index(value) for value in common], dtype=int),
    )


def _fit(places, shapes, axis):
    """Tell whether the places of an axis are there in both arrays."""
    return all(
        not len(place) or place.max() < shape[axis]
        for place, shape in zip(places, shapes, strict=True)
    )
