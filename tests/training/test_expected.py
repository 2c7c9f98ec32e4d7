"""What a server takes for an answer."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from skfed.training import _expected
from skfed.training._expected import MOST_COLUMNS
from skfed.training._weights import PREFIX

UPDATE = {"n_rows": 5, "n_steps": 2, "lr": 0.1, "loss": 0.5, "seconds": 0.0}
TOLD = {"n_rows": 5, "columns": ["a"], "target_n": 5, "target_mean": -1.0}


class Groups:
    """One group of clients."""

    def __init__(self, **plan):
        weights = {"w": np.zeros(2)}
        plan = SimpleNamespace(tells_labels=True, tells_target=True, **plan)
        self.plan = plan
        self.group = SimpleNamespace(
            name="", plan=plan, result=SimpleNamespace(weights=weights)
        )

    def of(self, client):
        return self.group

    def __iter__(self):
        return iter([self.group])


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_rows": 10**400},
        {"n_rows": 2**60},
        {"n_steps": 10**20},
        {"lr": -0.1},
        {"lr": 10**400},
        {"seconds": -1.0},
        {"seconds": math.inf},
    ],
    ids=str,
)
def test_updates(wrong):
    expects = _expected.trained(Groups())
    update = {PREFIX + "w": np.ones(2), **UPDATE}
    assert expects("a", update) is None
    assert next(iter(wrong)) in expects("a", {**update, **wrong})
    assert len(expects("a", {"x" * 10**6: 1})) < 500


@pytest.mark.parametrize(
    "wrong",
    [{"target_m2": -1.0}, {"target_n": 10**30}, {"columns": ["a"] * 2**21}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_descriptions_of_numbers(wrong):
    expects = _expected.described(Groups(task="regression"))
    told = {**TOLD, "target_m2": 0.0}
    assert expects("a", told) is None
    assert next(iter(wrong)) in expects("a", {**told, **wrong})
    assert "n_targets" in expects("a", {**told, "n_targets": 2**40})


@pytest.mark.parametrize(
    "wrong",
    [
        {"label_counts": np.array([-1.0, 2.0])},
        {"labels": list(range(MOST_COLUMNS + 1))},
        {"labels": [1, 10**400]},
        {"width": 2**40},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_descriptions_of_labels(wrong):
    expects = _expected.described(Groups(task="classification"))
    told = {"n_rows": 5, "width": 3, "labels": ["a", "b"]}
    told["label_counts"] = np.array([3.0, 2.0])
    assert expects("a", told) is None
    assert next(iter(wrong)) in expects("a", {**told, **wrong})


def test_losses():
    for loss in (0.0, -2.0, math.inf):  # a net that went astray may say so
        assert _expected.evaluated("a", {"loss": loss, "n": 1}) is None
    for loss in (math.nan, -math.inf):
        assert "no loss" in _expected.evaluated("a", {"loss": loss, "n": 1})


def test_rows_of_folds():
    expects = _expected.dealt(2)
    assert expects("a", {"n_rows": np.array([3, 4])}) is None
    assert "below 0" in expects("a", {"n_rows": np.array([3, -4])})
