"""Small, quick instances of every class, in one table."""

from sklearn.pipeline import make_pipeline

from ..preprocessing import FederatedStandardScaler

# One entry a class, one dict a variant; a class that is not listed is built by its
# defaults. A random step is seeded here, so that its checks can compare.
PARAMETERS: dict[str, list[dict]] = {
    # labels of the first rows in the checks' tables, and positions in scikit-learn's
    "AnchorAligner": [
        {"anchors": list(range(8))},
        {"anchors": list(range(8)), "method": "procrustes", "standardize": False},
    ],
    "AutoAligner": [{}, {"anchors": list(range(8))}],
    "FactorAligner": [{}, {"output": "both"}],
    "FederatedClassifier": [
        {"n_rounds": 15, "random_state": 0},
        {"n_rounds": 15, "random_state": 0, "early_stopping": True},
    ],
    "FederatedMultiTask": [
        {"n_rounds": 15, "random_state": 0},
        {"n_rounds": 15, "random_state": 0, "tasks": "regression"},
    ],
    "FederatedPCAAligner": [{}, {"n_components": 2, "whiten": True}],
    "FederatedRegressor": [
        {"n_rounds": 15, "random_state": 0},
        # pooled moments need min_count rows, and one check has a single row
        {
            "n_rounds": 15,
            "random_state": 0,
            "target_scaling": "pooled",
            "min_count": 1,
        },
    ],
    "FedAvg": [{}, {"weighting": "uniform", "ownership": False}],
    "FederatedSimpleImputer": [
        {},
        {"strategy": "most_frequent", "min_count": 1, "add_indicator": True},
    ],
    "FederatedStandardScaler": [{}, {"scaling": "balanced"}],
    # one check has ten rows of three classes
    "FlicAligner": [
        {"n_components": 6, "pretrain_epochs": 3, "min_count": 1, "random_state": 0},
        {
            "mode": "joint",
            "share_hidden": True,
            "n_components": 6,
            "pretrain_epochs": 1,
            "n_rounds": 2,
            "local_epochs": 2,
            "min_count": 1,
            "random_state": 0,
        },
    ],
    "HashingAligner": [{"n_components": 8}, {"mode": "gaussian"}],
    "IntersectionAligner": [{}, {"min_clients": 0.6}],
    # one check has ten rows of three classes
    "OptimalTransportAligner": [
        {"min_count": 1},
        {"method": "coral", "balanced": False, "shrinkage": 0.1, "strength": 0.5},
    ],
    "LoopbackFederation": [{"configs": ()}],
    # the same here
    "PrototypeAligner": [{"min_count": 1}],
    "RandomProjectionAligner": [{"random_state": 0}],
    # few folds, as every check fits all penalties in each
    "ScoreAligner": [{"cv": 2}, {"cv": 3, "passthrough": True}],
    "TableEncoder": [{}, {"scaling": None, "impute": None, "indicator": True}],
    "UnionAligner": [{}, {"indicator": "both"}],
}

# Meta-estimators, whose first argument is an estimator.
INNER = {"FederatedComposite": lambda: make_pipeline(FederatedStandardScaler())}


def instances(classes):
    """Build the instances that the common tests check.

    Parameters
    ----------
    classes : list of (str, type)
        What a function such as :func:`all_estimators` returns.

    Returns
    -------
    list of estimators
        One for each row of the class in the table of test parameters, or one with
        the default parameters.

    Examples
    --------
    >>> from skfed.testing import all_aligners, instances
    >>> [step for step in instances(all_aligners()) if "Factor" in repr(step)]
    [FactorAligner(), FactorAligner(output='both')]
    """
    built = []
    for name, cls in classes:
        inner = (INNER[name](),) if name in INNER else ()
        built += [cls(*inner, **given) for given in PARAMETERS.get(name, [{}])]
    return built
