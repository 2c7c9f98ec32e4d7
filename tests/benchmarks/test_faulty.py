"""The benchmark of faulty clients: who is told of them, and what the server gets."""

import numpy as np

from benchmarks import faulty
from skfed.strategies import FedAvg, TrimmedMean, Update


def test_robust_strategies_are_told_that_a_fifth_may_be_faulty():
    found = faulty.methods()
    assert set(found) == {
        "FedAvg",
        "CoordinateMedian",
        "Krum",
        "MultiKrum",
        "NormClipping",
        "TrimmedMean",
        "median of owners",
    }
    assert found["Krum"].n_faulty == found["MultiKrum"].n_faulty == 2


def test_the_server_gets_a_step_a_hundred_times_back():
    start = {"w": np.array([[1.0]])}
    names = [f"client {k}" for k in range(10)]
    updates = [Update(name, 1, {"w": np.array([[2.0]])}) for name in names]
    mean = faulty.with_faulty(FedAvg()).aggregate(start, updates)["w"]
    np.testing.assert_allclose(mean, 0.8 * 2 + 0.2 * -99)
    robust = faulty.with_faulty(TrimmedMean(0.2)).aggregate(start, updates)["w"]
    np.testing.assert_allclose(robust, 2.0)


def test_the_table_has_both_scores():
    rows = [("all columns", "FedAvg", bad, 0, 0.9 - bad / 2) for bad in (False, True)]
    table = faulty.summary(rows)
    assert table.to_dict("list") == {
        "strategy": ["FedAvg"],
        "all columns": ["0.900 > 0.400"],
    }
