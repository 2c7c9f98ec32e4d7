"""Checks inside the federated estimators: nothing lives outside messages and state."""

import warnings

import numpy as np
from sklearn.base import clone

from ..alignment import Aligner
from ..estimators import FederatedClassifier, FederatedRegressor
from ..exceptions import EngineWarning
from ..federation import InProcessFederation
from ..personalization import HierarchicalStacking
from ..training._weights import get_weights
from ._generators import generator_states
from ._step import clients_for, output

ESTIMATORS: dict[str, type] = {
    "classification": FederatedClassifier,
    "regression": FederatedRegressor,
}


def check_step_inside_estimators(step):
    """Check that passing all messages and states through bytes changes no bit."""
    steps = {"encoder": step}
    if isinstance(step, Aligner):
        steps = {"encoder": "passthrough", "aligner": step}
    for target, estimator in ESTIMATORS.items():
        clients = clients_for(step, target=target)
        if not _returns_numbers(step, clients):  # an imputer hands text on
            clients = clients_for(step, target=target, text=False)
        model = estimator(**steps, personalizer=few_folds(), n_rounds=2, random_state=0)
        assert_isolation_changes_nothing(model, clients, step)


def few_folds():
    """Return a personalizer that fits the federation's steps in folds, and no more."""
    return HierarchicalStacking(members=["federated"], n_folds=2)


def _returns_numbers(step, clients):
    X, y = clients["a"]
    return output(clone(step).fit(X, y), X).dtype.kind in "fiub"


def assert_isolation_changes_nothing(model, clients, part):
    """Fit the same model three times, once isolated: weights and predictions agree."""
    tables = {name: X for name, (X, _) in clients.items()}
    before = generator_states()
    fits = []
    for isolate in (False, True, False):
        federation = InProcessFederation(isolate=isolate)
        model.set_params(federation=federation, engine="loop")
        model.fit(clients)
        fits.append((get_weights(model.net_), model.predict(tables)))
    (weights, predicted), *others = fits
    for kind, (again, other) in zip(("isolated", "second"), others, strict=True):
        message = f"{part!r}: the {kind} fit gives other "
        for name, expected in weights.items():
            np.testing.assert_array_equal(
                again[name], expected, err_msg=message + "weights"
            )
        for name, expected in predicted.items():
            np.testing.assert_array_equal(
                other[name], expected, err_msg=message + "predictions"
            )
    assert generator_states() == before, f"{part!r} moves a global random generator"


def assert_engines_agree(model, clients, part):
    """Fit a model of a net in float64 by each engine: they agree up to rounding.

    Returns ``{engine: which one trained}``.
    """
    tables = {name: X for name, (X, _) in clients.items()}
    found, used = [], {}
    for engine in ("loop", "stacked", "fused"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EngineWarning)
            model.set_params(engine=engine).fit(clients)
        used[engine] = model.engine_
        found.append((get_weights(model.net_), _numbers(model, tables)))
        rounds = model.history_["loss"].to_numpy()
        found[-1][1]["losses of the rounds"] = rounds
    for engine, (weights, numbers) in zip(used, found, strict=True):
        for kind, first in zip((weights, numbers), found[0], strict=True):
            for name, expected in first.items():
                scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
                np.testing.assert_allclose(
                    kind[name],
                    expected,
                    rtol=0,
                    atol=1e-12 * scale,
                    err_msg=f"{part!r}: engine={engine!r} differs in {name!r}",
                )
    return used


def _numbers(model, tables):
    """Return what the model says of each client's rows, as numbers."""
    return getattr(model, "predict_proba", model.predict)(tables)
