"""The pooled ridge is that of the pooled rows, its penalty well chosen."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from skfed.training._pooled_linear import ALPHAS, _generalised_errors, _ridge, solve


def moments(Z, y):
    rows = np.column_stack([np.ones(len(Z)), Z, y])
    return rows.T @ rows


def client(seed, columns, n=50, q=12, noise=2.0):
    rng = np.random.default_rng(seed)
    Z = np.zeros((n, q))
    Z[:, columns] = rng.normal(size=(n, len(columns)))
    return Z, Z.sum(axis=1) + noise * rng.normal(size=n)


@pytest.mark.parametrize("alpha", [0.1, 30.0])
def test_it_is_the_ridge_of_the_pooled_rows(alpha):
    parts = [client(k, [k, k + 1, k + 2]) for k in range(4)]
    Z, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    (coef,) = _ridge(sum(moments(*part) for part in parts), [alpha])
    model = Ridge(alpha).fit(Z, y)
    np.testing.assert_allclose(coef, np.r_[model.intercept_, model.coef_])


def test_generalised_errors_are_those_of_the_rows():
    Z, y = client(0, range(12))
    found = _generalised_errors(moments(Z, y), ALPHAS)
    for alpha, error in zip(ALPHAS, found, strict=True):
        model = Ridge(alpha).fit(Z, y)
        centred = Z - Z.mean(axis=0)
        gram = centred.T @ centred
        df = 1 + np.trace(np.linalg.solve(gram + alpha * np.eye(12), gram))
        rss = ((y - model.predict(Z)) ** 2).sum()
        assert error == pytest.approx(rss / (50 - df) ** 2)


def test_without_a_common_column_the_penalty_still_fits_the_noise():
    """Leaving out clients says nothing then: all penalties tie."""
    parts = [client(k, [3 * k, 3 * k + 1, 3 * k + 2], noise=8.0) for k in range(4)]
    coef = solve([moments(*part) for part in parts])
    Z, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    wanted = RidgeCV(ALPHAS).fit(Z, y)
    assert np.linalg.norm(coef[1:] - wanted.coef_) < 0.1 * np.linalg.norm(wanted.coef_)
