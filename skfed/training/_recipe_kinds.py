"""Which classes recipes are made of, and how a site finds them.

The list is one of what is known to do nothing but compute: a class of the packages
below that is not on it is refused, however it is reached.
"""

import importlib
import sys

from ..exceptions import RecipeError
from ._recipe_steps import SILENT

# of which this file knows the classes; a site vouches for those of others
PACKAGES = ("skfed", "sklearn", "skorch", "torch")
# what no recipe needs of them
CLOSED = (
    "sklearn.datasets",
    "sklearn.externals",
    "sklearn.utils",
    "torch.nn.parallel",
)
UNREAD = ("skorch.hf", "skorch.llm")  # not even imported: they fetch models
# where skfed's parts of recipes are; what fits, reaches others or writes is elsewhere
PARTS = (
    "skfed.alignment",
    "skfed.personalization",
    "skfed.preprocessing",
    "skfed.strategies",
)
ESTIMATORS = ("skfed.estimators",)


def under(name, places):
    """Tell whether a dotted name is one of some others, or inside one."""
    return any(name == one or name.startswith(f"{one}.") for one in places)


def public(name):
    """Return a dotted name without the private modules in it."""
    *modules, last = name.split(".")
    cut = [i for i, part in enumerate(modules) if part.startswith("_")]
    return ".".join([*modules[: cut[0] if cut else None], last])


def dotted(cls):
    """Return the name of a class in the module that defines it."""
    return f"{cls.__module__}.{cls.__qualname__}"


def names_of(cls):
    """Return the names by which a site's list may have a class."""
    own = dotted(cls)
    known = public(own)
    module = sys.modules.get(known.rpartition(".")[0])
    exported = getattr(module, "__dict__", {}).get(cls.__name__) is cls
    return {own, known} if exported else {own}


def is_named(name, allowed):
    """Tell whether a site's list has a name, before anything is imported for it."""
    closed = {"tests", "testing", "conftest"} & set(name.split("."))
    if (closed and under(name, PACKAGES)) or under(name, UNREAD):
        return False
    return under(name, allowed) or under(public(name), allowed)


def is_allowed(cls, name, allowed):
    """Tell whether a site's list has a class where it is defined.

    A name may lead from one module into another which that one has imported.
    """
    return name in allowed or any(under(own, allowed) for own in names_of(cls))


def found_class(name):
    """Return what a dotted name stands for; its modules are imported."""
    parts = name.split(".")
    if not all(part.isidentifier() and not part.startswith("__") for part in parts):
        raise RecipeError(f"{name!r} is no name of a class")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = vars(found)[part]
        return found
    raise RecipeError(f"there is no {name!r} at this site")


def is_value(cls):
    """Tell a class that is itself the value of a parameter: a net's, an optimizer."""
    import torch

    if not issubclass(cls, (torch.nn.Module, torch.optim.Optimizer)):
        return False
    own = dotted(cls)
    known = under(own, ("skfed.nets", "torch.nn", "torch.optim"))
    return (known and not under(own, CLOSED)) or not under(own, PACKAGES)


def is_instance(cls, listed=False, estimators=False):
    """Tell a class of which a recipe may hold an instance.

    Parameters
    ----------
    cls : type
        The class.
    listed : bool, default=False
        Whether the site lists it by its own name, and so vouches for it. skfed's own
        classes have no need of that.
    estimators : bool, default=False
        Whether skfed's estimators are meant, too: never at a site.
    """
    root = cls.__module__.split(".")[0]
    if root == "skfed":
        return _of_skfed(cls, estimators)
    if not issubclass(cls, _kinds()):
        return False
    if root not in PACKAGES or listed:
        return True
    return _of_sklearn(cls) if root == "sklearn" else cls in _of_skorch()


def _kinds():
    """Return what any class is that recipes are made of."""
    from sklearn.base import BaseEstimator
    from sklearn.compose import make_column_selector
    from sklearn.gaussian_process.kernels import Kernel
    from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
    from skorch.callbacks import Callback
    from skorch.dataset import ValidSplit

    return (
        BaseEstimator,
        BaseCrossValidator,
        BaseShuffleSplit,
        Kernel,
        make_column_selector,
        ValidSplit,
        Callback,
    )


def _of_skfed(cls, estimators):
    from ..alignment import Aligner
    from ..personalization import Personalizer
    from ..personalization._members import Local, Network, Pooled
    from ..preprocessing import FederatedTransformer, TableReader
    from ..strategies import Strategy

    if estimators and under(dotted(cls), ESTIMATORS):
        return True
    bases = (Aligner, FederatedTransformer, Personalizer, Strategy)
    known = (Local, Network, Pooled, TableReader)
    return under(dotted(cls), PARTS) and (issubclass(cls, bases) or cls in known)


def _of_sklearn(cls):
    """Tell public models, silent steps, and what holds these."""
    from sklearn.base import ClassifierMixin, RegressorMixin
    from sklearn.compose import make_column_selector
    from sklearn.gaussian_process.kernels import Kernel
    from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
    from sklearn.model_selection._search import BaseSearchCV

    name = public(dotted(cls))
    if under(name, CLOSED) or cls.__name__.startswith("_"):
        return False
    if name not in names_of(cls) and name not in SILENT:
        return False
    kinds = (
        ClassifierMixin,
        RegressorMixin,
        BaseSearchCV,
        BaseCrossValidator,
        BaseShuffleSplit,
        Kernel,
        make_column_selector,
    )
    return issubclass(cls, kinds) or name in SILENT


def _of_skorch():
    from skorch import (
        NeuralNet,
        NeuralNetBinaryClassifier,
        NeuralNetClassifier,
        NeuralNetRegressor,
    )
    from skorch.callbacks import GradientNormClipping
    from skorch.dataset import ValidSplit

    return (
        NeuralNet,
        NeuralNetBinaryClassifier,
        NeuralNetClassifier,
        NeuralNetRegressor,
        GradientNormClipping,
        ValidSplit,
    )
