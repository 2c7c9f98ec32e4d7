"""The methods that are compared, one line each."""

from functools import partial

from sklearn.base import clone

from skfed import FederatedClassifier, FederatedRegressor, alignment, personalization

from . import baselines

N_ROUNDS = 100


def federated(split, draw, seed, **parameters):
    """Fit the federated estimator and return its predictions of the tested clients."""
    classifies = draw.task == "classification"
    kind = FederatedClassifier if classifies else FederatedRegressor
    given = {}
    for name, part in parameters.items():
        if hasattr(part, "get_params"):
            part = clone(part)
            if "random_state" in part.get_params():
                part.set_params(random_state=seed)
        given[name] = part
    model = kind(n_rounds=N_ROUNDS, random_state=seed, **given).fit(split.train)
    tables = {client: X for client, (X, _, _) in split.test.items()}
    if not classifies:
        return model.predict(tables)
    proba = model.predict_proba(tables)
    return {client: (proba[client], model.classes_) for client in tables}


def _fedavg(aligner):
    return partial(federated, aligner=aligner, personalizer=None)


def _aligners():
    """Return plain FedAvg with each aligner that needs nothing but the tables."""
    lines = {
        "FedAvg factor": "FactorAligner",
        "FedAvg intersection": "IntersectionAligner",
        "FedAvg shared-private": "SharedPrivateAligner",
        "FedAvg hashing": "HashingAligner",
        "FedAvg federated PCA": "FederatedPCAAligner",
        "FedAvg prototype": "PrototypeAligner",
        "FedAvg optimal transport": "OptimalTransportAligner",
        "FedAvg FLIC": "FlicAligner",
        "FedAvg score": "ScoreAligner",
        "FedAvg padding (control)": "PadAligner",
        "FedAvg local PCA (control)": "PCAAligner",
    }
    found = {line: getattr(alignment, name, None) for line, name in lines.items()}
    return {line: _fedavg(kind()) for line, kind in found.items() if kind}


def _personalizers():
    """Return the default aligner with each other personalizer that there is."""
    names = "Gate Mixture PriorOffset FineTuning PrivateBlock"
    found = {name: getattr(personalization, name, None) for name in names.split()}
    return {
        name: partial(federated, personalizer=kind())
        for name, kind in found.items()
        if kind
    }


# A method is one line: {name: function of (split, draw, seed) that returns what
# baselines.answers does, per client}.
BASE = {
    "local": baselines.local,
    "local boosting": baselines.local_boosting,
    "pooled": baselines.pooled,
    "pooled boosting": baselines.pooled_boosting,
    "multitask": baselines.multitask,
    "FedAvg union": _fedavg(alignment.UnionAligner()),
    "FedAvg auto": _fedavg("auto"),
    "default": federated,
}
# What the default's protection of small groups costs it.
WITHOUT = {"default (min_count 1)": partial(federated, min_count=1)}
METHODS = BASE | _aligners() | _personalizers() | WITHOUT


def effort(names):
    """Return about how long some methods take, in fits of plain FedAvg."""
    weights = dict.fromkeys(METHODS, 1.0) | dict.fromkeys(list(BASE)[:5], 0.2)
    weights |= {"default": 5.0, "Gate": 5.0, "Mixture": 5.0}
    weights |= dict.fromkeys(WITHOUT, 5.0)
    return sum(weights[name] for name in names)


def chosen(text):
    """Return the names of the methods that an option asks for; local comes always."""
    if text in (None, "all"):
        return list(METHODS if text else BASE)
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise SystemExit(f"unknown methods {unknown}; known are {list(METHODS)}")
    return ["local", *(name for name in METHODS if name in names and name != "local")]
