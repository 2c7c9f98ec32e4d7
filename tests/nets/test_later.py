"""Optimizers that are made when they are needed."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from skfed import FederatedClassifier
from skfed.nets._later import Later
from tests.clients import make_clients, same_weights

SCRIPT = """
import sys
from skfed import FederatedClassifier, FederatedRegressor
from tests.clients import make_clients
model = KIND(personalizer=None, n_rounds=2, random_state=0)
model.fit(make_clients()).predict({"a": make_clients()["a"][0]})
assert "torch._dynamo" not in sys.modules
"""


def fitted():
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0)
    return model.fit(make_clients())


@pytest.mark.parametrize("kind", ["FederatedClassifier", "FederatedRegressor"])
def test_a_default_fit_does_not_load_torchs_compiler(kind):
    script = SCRIPT.replace("KIND", kind)
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_the_net_of_a_fit_trains_on_as_skorchs_do():
    net = fitted().net_
    assert type(net.optimizer_) is Later
    before = net.module_.skip.weight.detach().clone()
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(30, net.module_.skip.in_features)).astype(np.float32)
    net.set_params(lr=0.5)
    net.partial_fit(Z, rng.integers(3, size=30))
    assert net.optimizer_.param_groups[0]["lr"] == 0.5
    assert not (net.module_.skip.weight == before).all()


def test_a_pickled_model_has_the_optimizer_itself():
    model = fitted()
    again = pickle.loads(pickle.dumps(model))
    assert type(again.net_.optimizer_) is torch.optim.SGD
    assert same_weights(model, again)
    own = again.net_.optimizer_.param_groups[0]["params"]
    assert {id(p) for p in own} == {id(p) for p in again.net_.module_.parameters()}
