"""A recipe as JSON: how a server tells real sites what is to be fitted.

Estimators are written by class and parameters, classes by their dotted names. Nothing
that would have to be run is written: no functions but a few known ones, no pickles.
"""

import functools
import inspect
import json
import sys
from dataclasses import fields, is_dataclass
from importlib.metadata import version

import numpy as np

from ..exceptions import RecipeError
from ._recipe_names import PLACES, check_name

FORMAT = 1
ALLOWED_CLASSES = ("skfed", "sklearn", "skorch", "torch.nn", "torch.optim")
BUILTINS = {kind.__name__: kind for kind in (bool, int, float, str, object)}
# the functions that a recipe may name, beside numpy's elementwise ones
FUNCTIONS = ("sigmoid", "softmax", "tanh", "exp")  # of torch
SERVER_ONLY = ("before",)  # fields of a plan that stay with the server


def skfed_version():
    """Return this installation's version, which server and sites must share."""
    return version("skfed")


def encode_plan(plan):
    """Return a :class:`Plan` as JSON text.

    Raises
    ------
    RecipeError
        If a parameter holds what cannot travel; the text names it and the remedy.
    """
    found = {name: encode(getattr(plan, name), name) for name in plan_fields(plan)}
    return json.dumps({"format": FORMAT, "skfed": skfed_version(), "plan": found})


def plan_fields(plan):
    """Return the names of a plan's fields that travel."""
    names = [f.name for f in fields(plan)]
    return [n for n in names if not n.startswith("_") and n not in SERVER_ONLY]


def encode(value, place):
    """Return a parameter's value as JSON; ``place`` is its name in errors."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return _items(value, place)
    if type(value) is tuple:
        return {"tuple": _items(value, place)}
    if type(value) in (set, frozenset):
        return {type(value).__name__: _items(sorted(value, key=repr), place)}
    if type(value) is dict:
        pairs = value.items()
        return {
            "dict": [[encode(k, place), encode(v, f"{place}[{k!r}]")] for k, v in pairs]
        }
    if type(value) is slice:
        return {"slice": _items((value.start, value.stop, value.step), place)}
    if isinstance(value, np.dtype):
        return {"dtype": _dtype(value, value, place)}
    if isinstance(value, np.generic):
        return {"scalar": _dtype(value.dtype, value, place), "value": value.item()}
    if isinstance(value, np.ndarray):
        return _array(value, place)
    if isinstance(value, type):
        return _type(value, place)
    known = _known_name(value)
    return known if known is not None else _instance(value, place)


def _items(values, place):
    return [encode(value, f"{place}[{i}]") for i, value in enumerate(values)]


def _array(value, place):
    if value.dtype == object:
        name, values = "O", _items(value.ravel(), place)
    else:
        name, values = _dtype(value.dtype, value, place), value.ravel().tolist()
    return {"array": name, "shape": list(value.shape), "values": values}


def _dtype(dtype, value, place):
    wide = dtype.kind == "f" and dtype.itemsize > 8  # JSON would round it
    if dtype.kind not in "biufU" or wide:
        _refuse(place, value, "give numbers or texts")
    return dtype.str


def _type(value, place):
    if value in BUILTINS.values():
        return {"builtin": value.__name__}
    if issubclass(value, np.generic):
        return {"numpy type": value.__name__}
    return {"type": _dotted(value, place)}


def _known_name(value):
    """Return the JSON of a function or dtype that every installation knows."""
    name = getattr(value, "__name__", "")
    if isinstance(value, np.ufunc):
        return {"ufunc": name} if getattr(np, name, None) is value else None
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(value, torch.dtype):
        return {"torch dtype": str(value).removeprefix("torch.")}
    if name in FUNCTIONS and getattr(torch, name) is value:
        return {"torch function": name}
    return None


def _instance(value, place):
    given = _parameters(value)
    if given is None or _holds_weights(value):
        _refuse(place, value, _remedy(value))
    if runs_no_callback(type(value)):
        _refuse(place, value, "sites run no callback but GradientNormClipping")
    if value.__dict__.get("_metadata_request"):
        _refuse(place, value, "leave out its set_..._request")
    standard = defaults(type(value))
    found = {}
    for name, own in given.items():
        if name in standard and _same(own, standard[name]):
            continue
        if name in PLACES:
            _refuse(f"{place}__{name}", own, "leave it out: it is a place at each site")
        check_name(type(value), name, place)  # as the sites will do
        found[name] = encode(own, f"{place}__{name}")
    return {"class": _dotted(type(value), place), "params": found}


def _parameters(value):
    """Return the parameters by which an instance can be built again, or None."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if hasattr(value, "get_params"):
        given = value.get_params(deep=False)
        return {name: own for name, own in given.items() if not name.startswith("_")}
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        return None
    names = list(defaults(type(value), required=True))
    if not names or not all(hasattr(value, name) for name in names):
        return None
    return {name: getattr(value, name) for name in names}


def defaults(cls, required=False):
    """Return the defaults of a class's parameters, of those it passes on as well."""
    found: dict = {}
    for base in cls.__mro__:
        own = base.__dict__.get("__init__")
        if not inspect.isfunction(own):
            continue
        parameters = list(inspect.signature(own).parameters.values())[1:]
        for one in parameters:
            named = one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
            if named and (required or one.default is not one.empty):
                found.setdefault(one.name, one.default)
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    return found


def runs_no_callback(cls):
    """Tell a callback that does not run at sites: it has no effect, or writes files."""
    callbacks = sys.modules.get("skorch.callbacks")
    if callbacks is None or not issubclass(cls, callbacks.Callback):
        return False
    return not issubclass(cls, callbacks.GradientNormClipping)


def _same(value, default):
    plain = (bool, int, float, str)
    return value is default or (
        type(value) is type(default) and type(value) in plain and value == default
    )


def _holds_weights(value):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module | torch.Tensor)


def _dotted(cls, place):
    name = f"{cls.__module__}.{cls.__qualname__}"
    if "<locals>" in name or cls.__module__ == "__main__":
        _refuse(place, cls, "define it in a module that is installed at every site")
    return name


def _remedy(value):
    if _holds_weights(value):
        return "give its class, and its parameters as module__<name>"
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        return "sites run no function that a server sends; give a transformer's class"
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return "give an int"
    return "give numbers, texts, arrays of them, or a scikit-learn estimator"


def _refuse(place, value, remedy):
    text = repr(value)
    text = text if len(text) <= 80 else f"{text[:80]}..."
    raise RecipeError(f"{place}={text} cannot be sent to real sites; {remedy}")
