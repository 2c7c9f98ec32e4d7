"""The API pages, from one table: a new public name is one more entry here."""

import importlib
import inspect

# {module: (what it is, {section: names})}
API = {
    "skfed": (
        "The federated estimators. The other names of this module are those of the "
        "modules below.",
        {
            "Estimators": [
                "FederatedClassifier",
                "FederatedRegressor",
                "FederatedMultiTask",
            ],
            "Installation": ["show_versions"],
        },
    ),
    "skfed.alignment": (
        "From tables that do not match to one input space.",
        {
            "Aligners": [
                "AutoAligner",
                "FactorAligner",
                "UnionAligner",
                "IntersectionAligner",
                "SharedPrivateAligner",
                "AnchorAligner",
                "PrototypeAligner",
                "ScoreAligner",
                "FlicAligner",
                "FederatedPCAAligner",
                "HashingAligner",
                "OptimalTransportAligner",
            ],
            "Negative controls": [
                "PadAligner",
                "PCAAligner",
                "RandomProjectionAligner",
                "NegativeControl",
                "is_negative_control",
            ],
            "Base class": ["Aligner"],
        },
    ),
    "skfed.preprocessing": (
        "scikit-learn's preprocessing, fitted by all clients together.",
        {
            "Whole tables": ["TableEncoder", "TableReader"],
            "Federated steps": [
                "FederatedStandardScaler",
                "FederatedQuantileTransformer",
                "FederatedSimpleImputer",
                "FederatedOneHotEncoder",
            ],
            "Composition": [
                "FederatedComposite",
                "as_federated",
                "federated_leaves",
            ],
            "Base class": ["FederatedTransformer"],
        },
    ),
    "skfed.strategies": (
        "How clients train in a round, and what the server makes of the answers.",
        {
            "Averaging and its optimizers": [
                "FedAvg",
                "FedAvgM",
                "FedAdam",
                "FedYogi",
                "FedAdagrad",
                "FedNova",
                "QFedAvg",
            ],
            "Against the drift of clients": ["FedProx", "Scaffold", "FedDyn", "Moon"],
            "Parts that stay at home": [
                "FedBN",
                "FedPer",
                "FedRep",
                "LGFedAvg",
                "FedProto",
                "LocalOnly",
            ],
            "Models of each client's own": ["Ditto", "APFL", "PFedMe", "IFCA"],
            "Against faulty clients": [
                "CoordinateMedian",
                "TrimmedMean",
                "Krum",
                "MultiKrum",
                "NormClipping",
            ],
            "Base class and messages": [
                "Strategy",
                "ClientRound",
                "ServerRound",
                "Update",
                "Train",
                "Trained",
                "Evaluate",
                "Represent",
            ],
        },
    ),
    "skfed.personalization": (
        "What each client makes of local and federated models.",
        {
            "Personalizers": [
                "HierarchicalStacking",
                "Gate",
                "Mixture",
                "FineTuning",
                "PriorOffset",
                "PrivateBlock",
            ],
            "Base class": ["Personalizer", "Evidence"],
        },
    ),
    "skfed.report": (
        "One page that says what the clients of a federation are, and what a fit made.",
        {"The report": ["FederationReport", "summarize"]},
    ),
    "skfed.nets": ("The default module.", {"Modules": ["SkipMLP"]}),
    "skfed.federation": (
        "Where a fit runs, and how its parties talk.",
        {
            "Federations": [
                "InProcessFederation",
                "DaskFederation",
                "FlowerFederation",
            ],
            "Protocol": ["Broadcast", "Failure", "Site", "Ledger", "drive"],
        },
    ),
    "skfed.data": (
        "Clients' tables: one container for scikit-learn's tools, or paths to files.",
        {
            "Containers": ["ClientData", "pool"],
            "Tables elsewhere": ["TablePath"],
            "Column names": ["match_columns", "rename_columns"],
        },
    ),
    "skfed.model_selection": (
        "Splitters that know clients.",
        {"Splitters": ["ClientKFold", "LeaveClientsOut"]},
    ),
    "skfed.metrics": (
        "Scores per client.",
        {"Scores": ["ClientScorer", "compare"]},
    ),
    "skfed.inspection": (
        "Pictures of a federation, before a fit and after it.",
        {
            "Before a fit": ["SchemaDisplay", "HeterogeneityDisplay"],
            "After it": [
                "ConvergenceDisplay",
                "ClientGainDisplay",
                "AlignmentDisplay",
                "CommunicationDisplay",
            ],
        },
    ),
    "skfed.datasets": (
        "Clients that do not match: real tables, and dials of heterogeneity.",
        {
            "Generators": ["make_heterogeneous_clients"],
            "Loaders": [
                "load_birth_weight",
                "load_breast_trials",
                "load_doctor_visits",
                "load_house_prices",
                "load_opt_clinics",
                "load_school_districts",
                "load_schools",
                "load_stackoverflow",
                "load_wages",
            ],
        },
    ),
    "skfed.sites": (
        "What runs where a client's data are, under the site's own rules.",
        {
            "A site": ["SiteRunner", "load_pipeline", "SiteModel"],
            "Its configuration": [
                "read_config",
                "read_table",
                "SiteConfig",
                "DataConfig",
                "PolicyConfig",
                "FlowerConfig",
            ],
            "Flower's own processes": [
                "client_app",
                "server_app",
                "write_recipe",
                "read_recipe",
            ],
        },
    ),
    "skfed.testing": (
        "Checks that anybody's aligner, federated step or strategy can run, and the "
        "discovery behind skfed's own tests. The single checks are listed in "
        "`ALIGNER_CHECKS`, `TRANSFORMER_CHECKS` and `STRATEGY_CHECKS`.",
        {
            "Checks": [
                "check_aligner",
                "check_federated_transformer",
                "check_strategy",
            ],
            "Real sites without a network": ["LoopbackFederation"],
            "Faults": ["Fault", "FaultyFederation"],
            "Discovery": [
                "all_aligners",
                "all_estimators",
                "all_strategies",
                "all_transformers",
                "instances",
                "public_classes",
                "public_modules",
            ],
        },
    ),
    "skfed.exceptions": (
        "Errors and warnings, all of which name the client and the remedy.",
        {
            "Errors": [
                "ClientError",
                "TooFewClientsError",
                "CheckpointError",
                "RecipeError",
            ],
            "Warnings": [
                "AlignmentWarning",
                "ClientFailureWarning",
                "NegativeControlWarning",
                "StrategyWarning",
                "EngineWarning",
            ],
        },
    ),
}


def names():
    """Return the full names of all entries.

    Returns
    -------
    list of str
        Such as "skfed.alignment.UnionAligner".
    """
    return [
        f"{module}.{name}"
        for module, (_, sections) in API.items()
        for section in sections.values()
        for name in section
    ]


def methods():
    """Return the public methods that skfed itself defines, for every class.

    What scikit-learn's base classes add (``get_params``, ``set_output``, ...) is
    documented there.

    Returns
    -------
    dict of list of str
        Method names by full class name.
    """
    found = {}
    for full in names():
        module, _, name = full.rpartition(".")
        obj = getattr(importlib.import_module(module), name)
        if inspect.isclass(obj):
            found[full] = [m for m in dir(obj) if _is_own(obj, m)]
    return found


def _is_own(cls, name):
    if name.startswith("_"):
        return False
    owner = next(base for base in cls.__mro__ if name in vars(base))
    member = inspect.getattr_static(cls, name)
    is_function = inspect.isfunction(member) or isinstance(member, classmethod)
    documented = bool(inspect.getdoc(getattr(cls, name)))
    return is_function and documented and owner.__module__.startswith("skfed")


def write_pages(folder):
    """Write one page per module, with a summary table for every section.

    Parameters
    ----------
    folder : Path
        Where to write; made if it is not there, and cleared of pages of names that
        are no longer public.

    Returns
    -------
    list of str
        The pages, relative to the folder's parent.
    """
    folder.mkdir(exist_ok=True)
    known = set(names())
    for page in folder.glob("skfed.*.rst"):
        if page.stem not in known:
            page.unlink()
    written = []
    for module, (summary, sections) in API.items():
        lines = [module, "=" * len(module), "", summary, ""]
        lines += [f".. module:: {module}", ""]
        for title, section in sections.items():
            lines += [title, "-" * len(title), "", ".. autosummary::"]
            lines += ["   :toctree: .", "   :nosignatures:", ""]
            lines += [f"   {name}" for name in section] + [""]
        page = folder / f"api.{module}.rst"
        page.write_text("\n".join(lines), "utf-8")
        written.append(f"{folder.name}/{page.name}")
    return written
