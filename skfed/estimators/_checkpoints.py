"""What a checkpoint tells of a fit, by which it knows that it is the same again."""

import functools
import hashlib
import types
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import Bunch

from ..data._tables import is_polars, to_frame
from ..federation._journal import Journal
from ..federation._tree import digest

# of a recipe: what other entries say already, or is no parameter
DERIVED = {"seed", "member_names", "members", "heads", "before"}
SHORT = 80  # characters of a value that is told as it is


def journal_of(estimator, groups, cohort):
    """Return the journal of a fit, or None; refuse the checkpoint of another fit."""
    if estimator.checkpoint is None:
        return None
    journal = Journal(estimator.checkpoint)
    clients = {
        repr(name): table_digest(cohort.tables[name], cohort.targets[name])
        for name in cohort.tables
    }
    recipe = {"engine": repr(estimator.engine), **recipe_of(groups)}
    journal.begin(seed=groups.plan.seed, recipe=recipe, clients=clients)
    return journal


def known_seed(directory):
    """Return the seed of the fit that a checkpoint is of, or None if it is new."""
    return Journal(directory).head.get("seed")


def recipe_of(groups):
    """Return ``{parameter: text}`` of all that decides a fit besides the tables."""
    found: dict = {}
    for group in groups:
        prefix = f"target {group.name!r}: " if len(groups) > 1 else ""
        for field in fields(group.plan):
            if field.name not in DERIVED and not field.name.startswith("_"):
                value = getattr(group.plan, field.name)
                _tell(value, prefix + field.name, found, ())
        before = group.plan.before
        if before is not None:
            told = [list(before.names), before.classes, dict(before.weights)]
            found[f"{prefix}weights of the fit before"] = digest(told)
    return found


def _tell(value: Any, path, found, inside):
    """Put texts of a value, and of what it is made of, under their paths."""
    if id(value) in inside:
        return
    inside = (*inside, id(value))
    parts: dict = {}
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        found[path] = f"{value.__module__}.{value.__qualname__}"
        return
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        text = repr(value)
    elif isinstance(value, np.ndarray | pd.DataFrame | pd.Series):
        text = "array " + table_digest(np.atleast_1d(np.asarray(value)))
    elif isinstance(value, np.random.RandomState | np.random.Generator):
        found[path] = type(value).__name__  # where it stands is the caller's
        return
    elif hasattr(value, "detach"):  # a tensor
        text = "array " + table_digest(np.atleast_1d(value.numpy(force=True)))
    elif hasattr(value, "state_dict"):
        text = _class(value)
        parts = {k: v.numpy(force=True) for k, v in value.state_dict().items()}
    elif hasattr(value, "get_params"):
        text, parts = _class(value), value.get_params(deep=False)
    elif isinstance(value, functools.partial):
        text, parts = "partial", {"func": value.func, "args": value.args}
        parts |= value.keywords
    elif isinstance(value, dict | Bunch):
        text, parts = "dict", value
    elif isinstance(value, set | frozenset):
        text = f"{sorted(map(repr, value))}"
    elif isinstance(value, list | tuple):
        text, parts = type(value).__name__, dict(enumerate(value))
    else:
        text, parts = _class(value), getattr(value, "__dict__", {})
        text = text if parts or " at 0x" in repr(value) else repr(value)
    if len(text) > SHORT:
        text = f"{text[: SHORT // 2]}... {digest(text)}"
    found[path] = text
    for name, part in parts.items():
        _tell(part, f"{path}__{name}", found, inside)


def _class(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def table_digest(table, target=None):
    """Return a digest of a client's rows; "" for what is no table in this process."""
    found = hashlib.blake2b(digest_size=16)
    for part in (table, target):
        if part is None:
            continue
        if sparse.issparse(part):
            part = part.tocoo()
            columns = [("rows", part.row), ("columns", part.col), ("data", part.data)]
            found.update(repr(part.shape).encode())
        elif isinstance(part, pd.DataFrame) or is_polars(part):
            frame = to_frame(part)
            columns = [(name, frame.iloc[:, j]) for j, name in enumerate(frame)]
            if not isinstance(frame.index, pd.RangeIndex):  # names of rows
                columns.append(("index", pd.Series(frame.index)))
        elif isinstance(part, np.ndarray | pd.Series | list):
            columns = [("values", part if hasattr(part, "dtype") else np.array(part))]
        else:
            return ""
        for name, values in columns:
            kind = getattr(values.dtype, "kind", "O")
            found.update(f"{name!r} {values.dtype} {values.shape}".encode())
            plain = isinstance(values.dtype, np.dtype) and kind in "biufcMm"
            found.update(_plain(values) if plain else _hashed(values))
    return found.hexdigest()


def _plain(values):
    return np.ascontiguousarray(values).tobytes()


def _hashed(values):
    """Return a hash of each value: text, categories, or mixed."""
    flat = values if isinstance(values, pd.Series) else np.asarray(values).ravel()
    series = pd.Series(flat).reset_index(drop=True)
    return pd.util.hash_pandas_object(series, index=False).to_numpy().tobytes()
