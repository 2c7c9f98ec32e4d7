"""Which steps a site fits on its own rows, though their columns' names leave it.

Names and number of a step's columns are told. A step that drops or adds columns, or
names them, by what is in the cells would tell single rows by that. So only those are
fitted alone whose columns follow from the columns before them and from the parameters.
"""

from numbers import Integral
from typing import Any

import numpy as np

from ..exceptions import RecipeError


def _whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_)


def _whole_or_none(value):
    return value is None or _whole(value)


def _is(value):
    return lambda given: given is value


def _among(*values):
    return lambda given: isinstance(given, str) and given in values


_FILLS = {
    "add_indicator": (_is(False), "False"),
    "keep_empty_features": (_is(True), "True"),
}
_WIDTH = {"n_components": (_whole_or_none, "a whole number or None")}
_FIXED = {"n_components": (_whole, "a whole number")}

# {public name: {parameter: (what it has to be, in words)}}
SILENT: dict[str, dict[str, Any]] = {
    **{
        f"sklearn.preprocessing.{name}": {}
        for name in (
            "Binarizer",
            "FunctionTransformer",
            "MaxAbsScaler",
            "MinMaxScaler",
            "Normalizer",
            "OrdinalEncoder",
            "PolynomialFeatures",
            "PowerTransformer",
            "QuantileTransformer",
            "RobustScaler",
            "SplineTransformer",
            "StandardScaler",
        )
    },
    # its default names a column for each value of a target that it takes for classes
    "sklearn.preprocessing.TargetEncoder": {
        "target_type": (_among("continuous", "binary"), "'continuous' or 'binary'")
    },
    "sklearn.preprocessing.KBinsDiscretizer": {
        "encode": (_among("ordinal"), "'ordinal'")
    },
    "sklearn.feature_extraction.text.TfidfTransformer": {},
    "sklearn.impute.SimpleImputer": _FILLS,
    "sklearn.impute.KNNImputer": _FILLS,
    "sklearn.impute.IterativeImputer": _FILLS,
    "sklearn.impute.MissingIndicator": {"features": (_among("all"), "'all'")},
    **{
        f"sklearn.decomposition.{name}": _WIDTH
        for name in (
            "FactorAnalysis",
            "FastICA",
            "IncrementalPCA",
            "MiniBatchSparsePCA",
            "PCA",
            "SparsePCA",
            "TruncatedSVD",
        )
    },
    "sklearn.decomposition.NMF": _FIXED,
    "sklearn.decomposition.MiniBatchNMF": _FIXED,
    "sklearn.decomposition.KernelPCA": {
        **_FIXED,
        "remove_zero_eig": (_is(False), "False"),
    },
    "sklearn.kernel_approximation.Nystroem": _FIXED,
    "sklearn.kernel_approximation.RBFSampler": _FIXED,
    "sklearn.random_projection.GaussianRandomProjection": _FIXED,
    "sklearn.random_projection.SparseRandomProjection": _FIXED,
    "sklearn.compose.ColumnTransformer": {},
    "sklearn.pipeline.FeatureUnion": {},
    "sklearn.pipeline.Pipeline": {},
}
TELLS = (
    "whose columns' names or number may tell values of single rows; use a federated "
    "step, or let the site list this class by name"
)
HOLDERS = (  # of which the steps inside are looked at
    "sklearn.compose.ColumnTransformer",
    "sklearn.pipeline.FeatureUnion",
    "sklearn.pipeline.Pipeline",
    "skfed.preprocessing.FederatedComposite",
)
# leaves out columns without a value: behind another step, a statement about cells
READER = "skfed.preprocessing.TableReader"


def check_steps(plan, allowed):
    """Refuse a recipe with a step whose columns depend on the site's cells.

    Parameters
    ----------
    plan : Plan
        The recipe.
    allowed : sequence of str
        The site's list; a class that is on it by its own name is not looked at.
    """
    _check(plan.encoder, "encoder", allowed)
    _check(plan.aligner, "aligner", allowed)
    for i, member in enumerate(plan.members):
        # a member's own model is not looked at: it stays at the site, columns and all
        _check(getattr(member, "aligner", None), f"members[{i}]__aligner", allowed)


def _check(value, place, allowed):
    from ._recipe_kinds import PACKAGES, names_of, public

    if isinstance(value, list | tuple | set | frozenset):
        for i, item in enumerate(value):
            _check(item, f"{place}[{i}]", allowed)
        return
    if isinstance(value, dict):
        _check([*value.values()], place, allowed)
        return
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            _check(value.ravel().tolist(), place, allowed)
        return
    cls = type(value)
    if not (hasattr(value, "transform") or hasattr(value, "fit")):
        return
    own = names_of(cls)
    name = public(f"{cls.__module__}.{cls.__qualname__}")
    if name in HOLDERS:
        for inner, item in value.get_params(deep=False).items():
            _check(item, f"{place}__{inner}", allowed)
        return
    if name == READER:
        raise RecipeError(f"{place} is of {name!r}; leave it out, a site reads first")
    root = cls.__module__.split(".")[0]
    if root == "skfed" or root not in PACKAGES or own & set(allowed):
        return
    if name not in SILENT:
        raise RecipeError(f"{place} is of {name!r}, {TELLS}")
    for inner, (right, words) in SILENT[name].items():
        if not right(getattr(value, inner, None)):
            raise RecipeError(
                f"{place}__{inner} has to be {words}, or the columns' names or number "
                "may tell values of single rows; else let the site list "
                f"{name!r} by name"
            )
