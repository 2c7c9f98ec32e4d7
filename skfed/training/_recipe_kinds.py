"""Which classes recipes are made of, and how a site finds them."""

import importlib

from ..exceptions import RecipeError


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


def tells_values(cls):
    """Tell scikit-learn's transformers whose output names may hold values of cells."""
    from sklearn import (
        base,
        compose,
        feature_selection,
        impute,
        pipeline,
        preprocessing,
    )

    silent = (
        base.OneToOneFeatureMixin,
        base.ClassNamePrefixFeaturesOutMixin,
        feature_selection.SelectorMixin,
        compose.ColumnTransformer,
        impute.MissingIndicator,
        impute.SimpleImputer,
        pipeline.FeatureUnion,
        pipeline.Pipeline,
        preprocessing.FunctionTransformer,
        preprocessing.PolynomialFeatures,
        preprocessing.SplineTransformer,
    )
    transforms = hasattr(cls, "transform") and not hasattr(cls, "predict")
    ours = cls.__module__.startswith("sklearn.")
    return ours and transforms and not issubclass(cls, silent)


def value_kinds():
    import torch

    return (torch.nn.Module, torch.optim.Optimizer)


def instance_kinds():
    from sklearn.base import BaseEstimator
    from sklearn.compose import make_column_selector
    from sklearn.gaussian_process.kernels import Kernel
    from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
    from skorch.callbacks import Callback
    from skorch.dataset import ValidSplit

    from ..personalization._members import Local, Network, Pooled

    return (
        BaseEstimator,
        BaseCrossValidator,
        BaseShuffleSplit,
        Kernel,
        make_column_selector,
        ValidSplit,
        Callback,
        Local,
        Network,
        Pooled,
    )
