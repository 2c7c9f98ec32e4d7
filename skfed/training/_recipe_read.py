"""A recipe back from JSON, at a site: only known classes, and nothing is run.

A class is taken by its dotted name, if that is on the site's list, and only if it is a
kind of class that recipes are made of. Of those nothing but the constructor is called.
"""

import json
from dataclasses import fields
from numbers import Integral, Real

import numpy as np

from ..alignment import Aligner
from ..exceptions import RecipeError
from ._recipe import (
    ALLOWED_CLASSES,
    BUILTINS,
    FORMAT,
    FUNCTIONS,
    plan_fields,
    runs_no_callback,
    skfed_version,
)
from ._recipe_arrays import check_texts, plain
from ._recipe_kinds import (
    found_class,
    is_allowed,
    is_instance,
    is_named,
    is_value,
    names_of,
)
from ._recipe_names import ONE_PROCESS, check_key, check_name
from ._recipe_steps import TELLS, check_steps

DEEPEST = 50  # nested values


def decode_plan(text, allowed=ALLOWED_CLASSES, min_count=1, anchors=True):
    """Return the :class:`Plan` that a server has written.

    Parameters
    ----------
    text : str
        What ``encode_plan`` returned.
    allowed : sequence of str, default=ALLOWED_CLASSES
        Packages, modules and classes that may be named.
    min_count : int, default=1
        The least that a parameter named ``min_count`` may be, anywhere in the recipe.
    anchors : bool, default=True
        Whether aligners may ask which rows are there by their names.

    Raises
    ------
    RecipeError
        If it is none, names what is not allowed, or asks for less than ``min_count``.
    """
    from ._plan import Plan

    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError("the recipe is no JSON") from error
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise RecipeError(f"the recipe is not of format {FORMAT}")
    if given.get("skfed") != skfed_version():
        raise RecipeError(
            f"the server runs skfed {given.get('skfed')} and this site "
            f"{skfed_version()}; install the same"
        )
    plan, names = given.get("plan"), set(plan_fields(Plan))
    if not isinstance(plan, dict) or set(plan) != names:
        raise RecipeError("the recipe does not have the parts that it should have")
    reader = Reader(allowed, min_count, anchors)
    found = {name: reader.decode(node, name) for name, node in plan.items()}
    for one in fields(Plan):
        kinds = _KINDS.get(one.type)
        if one.name in found and kinds and not _is(found[one.name], kinds):
            raise RecipeError(f"{one.name} cannot be {found[one.name]!r}")
    decoded = Plan(**found)
    check_steps(decoded, reader.allowed)
    return decoded


# what a plan's fields may hold, by what they are declared as
_KINDS: dict = {
    str: (str,),
    int: (Integral,),
    float: (Real,),
    bool: (bool,),
    list: (list,),
    dict: (dict,),
    str | None: (str, type(None)),
    int | None: (Integral, type(None)),
}


def _is(value, kinds):
    return isinstance(value, kinds) and (
        bool in kinds or not isinstance(value, bool | np.bool_)
    )


class Reader:
    """Makes values of nodes of JSON, under a site's rules.

    Parameters
    ----------
    allowed : sequence of str
        Packages, modules and classes that may be named.
    min_count : int
        The least that a parameter named ``min_count`` may be.
    anchors : bool, default=True
        Whether aligners may ask which rows are there by their names.
    estimators : bool, default=False
        Whether skfed's estimators may be named, too: by whoever leads a fit, never at
        a site, which would fit them on its own.
    """

    def __init__(self, allowed, min_count, anchors=True, estimators=False):
        self.allowed, self.min_count = tuple(allowed), min_count
        self.anchors, self.estimators = anchors, estimators

    def decode(self, node, place, depth=0):
        """Return the value of a node; ``place`` names it in errors."""
        if depth > DEEPEST:
            raise RecipeError(f"{place} is nested too deeply")
        value = self._value(node, place, depth)
        self._check_count(place, value)
        return value

    def _value(self, node, place, depth):
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, list):
            items = enumerate(node)
            return [self.decode(n, f"{place}[{i}]", depth + 1) for i, n in items]
        try:
            tags = set(node)
            if tags == {"class", "params"}:
                return self._built(node, place, depth)
            if tags == {"array", "shape", "values"}:
                return self._array(node, place, depth)
            if tags == {"scalar", "value"}:
                return np.dtype(plain(node["scalar"])).type(node["value"])
            (tag,) = tags
            return self._tagged(tag, node[tag], place, depth)
        except RecipeError:
            raise
        except Exception as error:  # whatever the JSON holds instead
            raise RecipeError(f"{place} cannot be read: {error}") from error

    def _tagged(self, tag, value, place, depth):
        if tag == "type":
            return self._class(value, place, as_value=True)
        if tag in ("tuple", "set", "frozenset"):
            kind = {"tuple": tuple, "set": set, "frozenset": frozenset}[tag]
            return kind(self.decode(list(value), place, depth + 1))
        if tag == "slice":
            return slice(*self.decode(list(value), place, depth + 1))
        if tag == "dict":
            keys = [self.decode(key, place, depth + 1) for key, _ in value]
            for key in keys:
                check_key(key, place)
            values = [
                self.decode(item, _below(place, key), depth + 1)
                for key, (_, item) in zip(keys, value, strict=True)
            ]
            return dict(zip(keys, values, strict=True))
        if tag == "dtype":
            return np.dtype(plain(value))
        if tag == "builtin":
            return BUILTINS[value]
        if tag == "numpy type":
            return _of_kind(getattr(np, value), lambda v: issubclass(v, np.generic))
        if tag == "ufunc":
            return _of_kind(getattr(np, value), lambda v: isinstance(v, np.ufunc))
        if tag in ("torch dtype", "torch function"):
            import torch

            if tag == "torch function" and value not in FUNCTIONS:
                raise RecipeError(f"{place} names a function, {value!r}")
            found = getattr(torch, value)
            known = tag == "torch function" or isinstance(found, torch.dtype)
            return _of_kind(found, lambda v: known)
        raise RecipeError(f"{place} is of an unknown kind, {tag!r}")

    def _array(self, node, place, depth):
        shape = [int(n) for n in node["shape"]]
        if node["array"] == "O":
            values = self.decode(list(node["values"]), place, depth + 1)
            flat = np.empty(len(values), dtype=object)
            flat[:] = values
            return flat.reshape(shape)
        values, name = node["values"], plain(node["array"])
        if np.dtype(name).kind == "U":
            check_texts(values, np.dtype(name).itemsize, place)
        return np.array(values, dtype=name).reshape(shape)

    def _built(self, node, place, depth):
        cls = self._class(node["class"], place)
        given = {}
        for name, value in node["params"].items():
            check_name(cls, name, place)
            own = name.split("__")[-1] == ONE_PROCESS
            given[name] = (
                None if own else self.decode(value, f"{place}__{name}", depth + 1)
            )
        built = cls(**given)
        self._check_anchors(place, built)
        self._check_count(f"{place}__min_count", getattr(built, "min_count", None))
        return built

    def _class(self, name, place, as_value=False):
        """Return an allowed class by its dotted name."""
        if not isinstance(name, str) or not is_named(name, self.allowed):
            self._not_on_the_list(name, place)
        found = found_class(name)
        if not isinstance(found, type):
            raise RecipeError(f"{place} names {name!r}, of which no recipe is made")
        if not is_allowed(found, name, self.allowed):
            self._not_on_the_list(f"{found.__module__}.{found.__qualname__}", place)
        if runs_no_callback(found):
            raise RecipeError(f"{place} names {name!r}; callbacks do not run at sites")
        if as_value and is_value(found):
            return found
        listed = bool(names_of(found) & set(self.allowed))
        if not as_value and is_instance(found, listed, self.estimators):
            return found
        why = "of which no recipe is made"
        ours = found.__module__.startswith("sklearn.")
        if not as_value and ours and hasattr(found, "transform"):
            why = TELLS
        raise RecipeError(f"{place} names {name!r}, {why}")

    def _not_on_the_list(self, name, place):
        raise RecipeError(
            f"{place} names {name!r}, which is not among the classes that this "
            f"site allows, {list(self.allowed)}"
        )

    def _check_anchors(self, place, built):
        """Refuse to tell which rows are there, and how alike they are."""
        if self.anchors or not isinstance(built, Aligner):
            return
        if getattr(built, "anchors", None) is not None:
            raise RecipeError(
                f"{place}__anchors asks for single rows by their names; the site may "
                "say policy.anchors = true"
            )

    def _check_count(self, place, value):
        if place.rpartition("__")[2] != "min_count" or value is None:
            return
        if not isinstance(value, Real) or not value >= self.min_count:
            raise RecipeError(
                f"{place}={value!r} is less than this site's min_count, "
                f"{self.min_count}"
            )


def _below(place, key):
    """Return the name of an entry of a dict; one for min_count counts as such."""
    return f"{place}__{key}" if isinstance(key, str) else f"{place}[{key!r}]"


def _of_kind(value, right):
    if not right(value):
        raise RecipeError(f"{value!r} is not what it should be")
    return value
