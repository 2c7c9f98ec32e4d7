"""Find every public class that the common tests run over; nothing is registered."""

import importlib
import inspect
import pkgutil

from sklearn.base import BaseEstimator

import skfed

from ..alignment import Aligner
from ..preprocessing import FederatedTransformer
from ..strategies import Strategy


def public_modules():
    """List the importable names of the package and of its public modules.

    Returns
    -------
    list of str
        "skfed", then every module of which no part starts with an underscore.
    """
    found = pkgutil.walk_packages(skfed.__path__, "skfed.")
    return ["skfed", *sorted(m.name for m in found if "._" not in m.name)]


def public_classes():
    """List the public classes of skfed.

    Returns
    -------
    list of (str, type)
        Name and class, sorted by name; each class that is defined in skfed and stands
        in the ``__all__`` of a public module, once.
    """
    found: dict[tuple[str, type], None] = {}
    for module_name in public_modules():
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value) and value.__module__.startswith("skfed."):
                found[name, value] = None
    return sorted(found, key=lambda pair: pair[0])


def all_estimators():
    """List the concrete estimators of skfed, aligners and transformers included.

    Returns
    -------
    list of (str, type)
        Name and class of every public BaseEstimator with a ``fit``, sorted by name.

    Examples
    --------
    >>> from skfed.testing import all_estimators
    >>> dict(all_estimators())["FederatedClassifier"]
    <class 'skfed.estimators._classifier.FederatedClassifier'>
    """
    return [pair for pair in _concrete(BaseEstimator) if hasattr(pair[1], "fit")]


def all_aligners():
    """List the concrete aligners of skfed, negative controls included.

    Returns
    -------
    list of (str, type)
        Name and class, sorted by name.

    Examples
    --------
    >>> from skfed.testing import all_aligners
    >>> "UnionAligner" in dict(all_aligners())
    True
    """
    return _concrete(Aligner)


def all_transformers():
    """List the concrete federated transformers of skfed that are no aligners.

    Returns
    -------
    list of (str, type)
        Name and class, sorted by name.

    Examples
    --------
    >>> from skfed.testing import all_transformers
    >>> "FederatedStandardScaler" in dict(all_transformers())
    True
    """
    found = _concrete(FederatedTransformer)
    return [(name, cls) for name, cls in found if not issubclass(cls, Aligner)]


def all_strategies():
    """List the concrete strategies of skfed.

    Returns
    -------
    list of (str, type)
        Name and class, sorted by name.

    Examples
    --------
    >>> from skfed.testing import all_strategies
    >>> "FedAvg" in dict(all_strategies())
    True
    """
    return [
        (name, cls)
        for name, cls in _concrete(Strategy)
        if cls._aggregate is not Strategy._aggregate
    ]


def _concrete(base):
    return [
        (name, cls)
        for name, cls in public_classes()
        if issubclass(cls, base) and not inspect.isabstract(cls)
    ]
