import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfed.preprocessing import (
    FederatedComposite,
    FederatedOneHotEncoder,
    FederatedQuantileTransformer,
    FederatedSimpleImputer,
    FederatedStandardScaler,
    TableEncoder,
)

STEPS = [
    FederatedStandardScaler(),
    FederatedStandardScaler("balanced"),
    FederatedSimpleImputer(),
    FederatedSimpleImputer("most_frequent", min_count=1, add_indicator=True),
    FederatedOneHotEncoder(),
    FederatedQuantileTransformer(),
    TableEncoder(),
    TableEncoder(None, None, indicator=True),
    FederatedComposite(make_pipeline(FederatedStandardScaler())),
]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.filterwarnings("ignore:categories are left out")
def test_fit_is_the_three_acts_and_leaves_the_generators_alone(step):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (40, 3)).astype(float), rng.integers(0, 2, 40)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    whole, acts = clone(step).fit(X, y), clone(step)
    shared = acts.merge({"client": acts.client_statistics(X, y)})
    acts.fit_shared(X, y, shared)
    np.testing.assert_array_equal(whole.transform(X), acts.transform(X))
    names = [f"v{j}" for j in range(3)]
    out = whole.get_feature_names_out(names)
    assert len(out) == whole.transform(X).shape[1]
    with pytest.raises(ValueError, match="input_features should have length"):
        whole.get_feature_names_out(["only"])
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.filterwarnings("ignore:categories are left out")
def test_message_does_not_grow_with_the_rows(step):
    rng = np.random.default_rng(0)

    def size(n):
        X, y = rng.integers(0, 3, (n, 3)).astype(float), rng.integers(0, 2, n)
        message = clone(step).client_statistics(X, y)
        return sum(np.size(value) for value in message.values())

    assert size(2000) == size(20000) <= 700


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.filterwarnings("ignore:categories are left out")
def test_row_order_does_not_matter(step):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (60, 3)).astype(float), rng.integers(0, 2, 60)
    order = rng.permutation(60)
    Z = clone(step).fit(X, y).transform(X)
    np.testing.assert_allclose(clone(step).fit(X[order], y[order]).transform(X), Z)


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.filterwarnings("ignore:categories are left out")
def test_output_follows_the_global_configuration(step):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 3, (60, 2)), columns=["u", "v"])
    expected = clone(step).fit(X).transform(X)
    assert isinstance(expected, np.ndarray)
    with config_context(transform_output="pandas"):
        fitted = clone(step).fit(X)
        Z = fitted.transform(X)
    assert list(Z.columns) == list(fitted.get_feature_names_out())
    np.testing.assert_allclose(Z, expected)


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_merge_needs_messages(step):
    with pytest.raises(ValueError, match="no client messages"):
        step.merge({})
