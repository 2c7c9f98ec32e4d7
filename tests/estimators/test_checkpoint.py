import os
import shutil

import numpy as np
import pandas as pd
import pytest

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from skfed import strategies as S

rng = np.random.default_rng(0)


def table(names, n=40):
    common = rng.normal(size=n)
    columns = {name: common + rng.normal(size=n) for name in names}
    return pd.DataFrame(columns), common


def clients(numbers=False):
    found = {}
    for name, columns in zip("abcd", ("uvw", "uvx", "vwx", "uwx"), strict=True):
        X, common = table(columns)
        found[name] = X, common if numbers else np.where(common > 0, "high", "low")
    return found


CLASSES, NUMBERS = clients(), clients(numbers=True)
MIXED = {c: (CLASSES if c in "ab" else NUMBERS)[c] for c in "abcd"}

CASES = {
    "default": (FederatedClassifier, {"n_rounds": 2}),
    "regression": (FederatedRegressor, {"n_rounds": 2}),
    "loop": (FederatedClassifier, {"n_rounds": 2, "engine": "loop"}),
    "mixed tasks": (FederatedMultiTask, {"n_rounds": 2}),
    "early stopping": (
        FederatedClassifier,
        {"n_rounds": 4, "early_stopping": True, "strategy": S.FedBN(),
         "validation_fraction": 0.3, "personalizer": None},
    ),
    "sampled": (
        FederatedClassifier,
        {"n_rounds": 3, "client_fraction": 0.5, "personalizer": None,
         "strategy": S.Scaffold()},
    ),
}  # fmt: skip
STRATEGIES = [
    S.Scaffold(), S.FedPer(), S.FedDyn(), S.FedAdam(), S.Moon(), S.APFL(), S.Ditto(),
]  # fmt: skip
CASES |= {
    type(strategy).__name__: (
        FederatedRegressor,
        {"n_rounds": 3, "strategy": strategy, "personalizer": None},
    )
    for strategy in STRATEGIES
}


def data_of(cls):
    return {FederatedClassifier: CLASSES, FederatedRegressor: NUMBERS}.get(cls, MIXED)


def build(case, **changes):
    cls, parameters = CASES[case]
    return cls(**{"random_state": 0, **parameters, **changes})


def fit(model):
    return model.fit(data_of(type(model)))


def outcome(model):
    """Return all bits that a fit decides."""
    data = data_of(type(model))
    nets = getattr(model, "nets_", None) or {"": model.net_}
    found = {
        f"{group} {name}": value.numpy()
        for group, net in nets.items()
        for name, value in net.module_.state_dict().items()
    }
    for client, (X, _) in data.items():
        found[f"predicted {client}"] = model.predict(X, clients=client)
        steps = model.pipelines_[client][:-1]
        found[f"aligned {client}"] = np.asarray(steps.transform(X))
    history = model.history_.drop(columns="seconds")
    found |= {f"history {name}": history[name].to_numpy() for name in history}
    found["ledger"] = model.ledger_.astype(str).to_numpy()
    found["engine"] = np.array([model.engine_, model.engine_reason_])
    found["rounds"] = np.array([model.n_rounds_, model.best_round_])
    return found


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def steps_of(directory):
    return sorted(name for name in os.listdir(directory) if name.endswith(".npz"))


def cut(directory, n_steps, to):
    """Copy a checkpoint as it was after some steps."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)
    for name in steps_of(to)[n_steps:]:
        os.unlink(to / name)


def check_resumes(case, tmp_path, some=None):
    plain = outcome(fit(build(case)))
    assert_same(plain, outcome(fit(build(case, checkpoint=tmp_path / "whole"))))
    n_steps = len(steps_of(tmp_path / "whole"))
    indices = range(n_steps + 1) if some is None else [0, n_steps // 2, n_steps]
    for k in indices:
        cut(tmp_path / "whole", k, tmp_path / "cut")
        assert_same(plain, outcome(fit(build(case, checkpoint=tmp_path / "cut"))))
        assert len(steps_of(tmp_path / "cut")) == n_steps


@pytest.mark.parametrize("case", [*map(lambda s: type(s).__name__, STRATEGIES)])
def test_a_fit_resumes_from_somewhere(case, tmp_path):
    check_resumes(case, tmp_path, some=True)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_fit_resumes_from_everywhere(case, tmp_path):
    check_resumes(case, tmp_path)
