"""Nested plain values as JSON and a few arrays, for files and digests.

Arrays of one dtype are stored one after the other, since a file with thousands of
members would take longer than the round it tells of.
"""

import hashlib
import json
from typing import Any

import numpy as np

KINDS = "biufcSUmM"  # of dtypes without Python objects


def save_tree(file, value):
    """Write nested dicts, lists, scalars and arrays to a file: JSON and npz."""
    arrays: dict = {}
    told = json.dumps(_told(value, arrays))
    members: dict[str, Any] = {"head": np.frombuffer(told.encode(), dtype=np.uint8)}
    members |= {dtype: np.concatenate(parts) for dtype, (parts, _) in arrays.items()}
    np.savez(file, **members)


def load_tree(file):
    """Return what :func:`save_tree` wrote; runs no code of the file.

    Raises
    ------
    ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile
        If the file is not what it made.
    """
    with np.load(file, allow_pickle=False) as members:
        told = json.loads(members["head"].tobytes().decode())
        arrays = {name: members[name] for name in members.files if name != "head"}
    return _value(told, arrays)


def digest(value):
    """Return a digest of nested plain values, alike for the same bits alone."""
    arrays: dict = {}
    told = json.dumps(_told(value, arrays))
    found = hashlib.blake2b(told.encode(), digest_size=16)
    for dtype, (parts, _) in arrays.items():
        found.update(dtype.encode())
        for part in parts:
            found.update(part.view(np.uint8).data if part.size else b"")
    return found.hexdigest()


def _told(value: Any, arrays: dict):
    """Return a value as JSON; its arrays are put with the others of their dtype."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray):
        return {"array": _put(value, arrays)}
    if isinstance(value, np.generic):
        return {"number": _put(np.asarray(value), arrays)}
    if type(value) is bytes:
        return {"bytes": value.hex()}
    if type(value) is list:
        return {"list": [_told(item, arrays) for item in value]}
    if type(value) is tuple:
        return {"tuple": [_told(item, arrays) for item in value]}
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {"dict": {key: _told(item, arrays) for key, item in value.items()}}
    raise TypeError(
        f"a {type(value).__name__} cannot be kept: only arrays without objects, "
        "numbers, text, and lists and dicts of them by text"
    )


def _put(array, arrays):
    """Return dtype, place, shape and order of an array among those of its dtype."""
    if array.dtype.kind not in KINDS:
        raise TypeError(f"an array of {array.dtype} cannot be kept: it holds objects")
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = np.ravel(array, order="F" if by_columns else "C")
    parts, place = arrays.setdefault(array.dtype.str, ([], 0))
    parts.append(flat)
    arrays[array.dtype.str] = parts, place + flat.size
    return [array.dtype.str, place, list(array.shape), "F" if by_columns else "C"]


def _value(told: Any, arrays: dict):
    if not isinstance(told, dict):
        return told
    ((kind, value),) = told.items()
    if kind == "array":
        return _taken(value, arrays)
    if kind == "number":
        return _taken(value, arrays)[()]
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "dict":
        return {key: _value(item, arrays) for key, item in value.items()}
    items = [_value(item, arrays) for item in value]
    return tuple(items) if kind == "tuple" else items


def _taken(place, arrays):
    dtype, start, shape, order = place
    size = int(np.prod(shape, dtype=np.int64))
    flat = arrays[dtype][start : start + size]
    if flat.size != size:
        raise ValueError("an array is shorter than it should be")
    return flat.copy().reshape(shape, order=order)
