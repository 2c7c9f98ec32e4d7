"""A constant column leaves no rounding behind."""

import numpy as np
import pandas as pd
import pytest

from skfed.alignment import FactorAligner
from skfed.preprocessing import FederatedStandardScaler


@pytest.mark.parametrize("value", [0.1, -3e9 - 0.3, 1 / 3])
@pytest.mark.parametrize("n", [7, 1000])
def test_a_constant_becomes_zero(value, n):
    scaler = FederatedStandardScaler(scaling="client")
    assert not scaler.fit_transform(np.full((n, 1), value)).any()


def test_small_numbers_keep_their_spread():
    X = 1e-9 * np.arange(20.0)[:, None]
    Z = FederatedStandardScaler(scaling="client").fit_transform(X)
    np.testing.assert_allclose(Z.std(), 1.0)


def test_means_that_differ_by_rounding_are_no_spread():
    rng = np.random.default_rng(0)
    tables = {
        name: pd.DataFrame(
            {"a": rng.normal(size=40), "b": rng.normal(size=40), "c": level}
        )
        for name, level in (("one", 1.0), ("two", 1.0 + 2e-16), ("three", 1.0))
    }
    aligner = FactorAligner()
    sent = {name: aligner.client_statistics(X) for name, X in tables.items()}
    aligner.fit_shared(tables["one"], None, aligner.merge(sent))
    assert aligner.scale_[2] == 1.0
