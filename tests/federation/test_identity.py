"""The same seed gives the same bits wherever the clients are."""

import contextlib

import numpy as np
import pytest
import torch

from skfed import FederatedClassifier, FederatedRegressor, InProcessFederation
from skfed.federation import DaskFederation
from tests.clients import make_clients, same_weights

ESTIMATORS = {
    "classification": FederatedClassifier,
    "regression": FederatedRegressor,
}
PLACES = ["isolate", "joblib", "dask"]


def federation_at(place, request):
    if place == "dask":
        return DaskFederation(request.getfixturevalue("dask_client"))
    return InProcessFederation(
        n_jobs=2 if place == "joblib" else None, isolate=place == "isolate"
    )


def arrays(value, path="", seen=()):
    """Yield (path, dtype, shape, bytes) of every array in a fitted object."""
    if id(value) in seen:
        return
    seen = (*seen, id(value))
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield path, value.dtype, value.shape, value.tobytes()
        return
    if isinstance(value, np.ndarray | list | tuple):
        parts = enumerate(value)
    elif isinstance(value, dict):
        parts = value.items()
    elif type(value).__module__.startswith(("skfed", "sklearn")):
        parts = vars(value).items() if hasattr(value, "__dict__") else ()
    else:
        return
    for name, part in parts:
        yield from arrays(part, f"{path}.{name}", seen)


def fitted(task, federation, clients, **parameters):
    model = ESTIMATORS[task](
        n_rounds=2, random_state=0, federation=federation, **parameters
    )
    return model.fit(clients)


def assert_same(first, second, tables):
    """Compare weights, all that the Pipelines hold, and predictions."""
    assert same_weights(first, second)
    assert first.aligned_names_ == second.aligned_names_
    for attribute in ("pipelines_", "predictors_"):
        known = list(arrays(getattr(first, attribute)))
        assert len(known) > 20
        assert known == list(arrays(getattr(second, attribute)))
    for method in ("predict", "predict_proba"):
        with contextlib.suppress(AttributeError):
            known = getattr(first, method)(tables)
            found = getattr(second, method)(tables)
            assert all((found[name] == known[name]).all() for name in tables)
    histories = [model.history_.drop(columns="seconds") for model in (first, second)]
    assert histories[0].equals(histories[1])
    assert first.ledger_.equals(second.ledger_)


@pytest.fixture(scope="module", params=ESTIMATORS)
def reference(request):
    """Clients with other columns each, and their fit in this process."""
    clients = make_clients(request.param)
    return request.param, clients, fitted(request.param, None, clients, engine="loop")


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_defaults_give_the_same_bits_everywhere(reference, place, request):
    task, clients, known = reference
    found = fitted(task, federation_at(place, request), clients)
    assert found.engine_ == "loop"
    assert_same(known, found, {name: X for name, (X, _) in clients.items()})


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_large_tables_give_the_same_bits(place, request):
    """joblib hands out arrays of more than a megabyte as read-only memory maps."""
    rng = np.random.default_rng(0)
    clients = {}
    for name, width in (("a", 70), ("b", 72), ("c", 71)):
        X = rng.normal(size=(2000, width))
        clients[name] = X, X[:, :3].sum(axis=1)
    parameters = {"personalizer": None, "columns": "position"}
    known = fitted("regression", None, clients, engine="loop", **parameters)
    found = fitted("regression", federation_at(place, request), clients, **parameters)
    assert_same(known, found, {name: X for name, (X, _) in clients.items()})
