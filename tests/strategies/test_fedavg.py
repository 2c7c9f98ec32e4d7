import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skfed import ClientError, FedAvg, FederatedClassifier
from skfed.strategies import Update


def updates(n_rows=(1, 3), seed=0, owned=None):
    rng = np.random.default_rng(seed)
    return [
        Update(
            name,
            n,
            {"w": rng.normal(size=(2, 3)).astype("f"), "b": rng.normal(size=2)},
            {} if owned is None else {"w": owned[k]},
        )
        for k, (name, n) in enumerate(zip("ab", n_rows, strict=True))
    ]


START = {"w": np.full((2, 3), 9, np.float32), "b": np.zeros(2)}


@pytest.mark.parametrize(
    "weighting, share", [("rows", 0.25), ("uniform", 0.5), ("sqrt", 1 / (1 + 3**0.5))]
)
def test_weighted_mean(weighting, share):
    a, b = updates()
    new = FedAvg(weighting=weighting).aggregate(START, [a, b])
    expected = share * a.weights["w"] + (1 - share) * b.weights["w"]
    np.testing.assert_allclose(new["w"], expected, rtol=1e-6)
    assert new["w"].dtype == np.float32 and new["b"].dtype == np.float64


def test_input_columns_are_averaged_over_their_owners():
    owned = [np.array([True, True, False]), np.array([True, False, False])]
    a, b = updates(owned=owned)
    new = FedAvg().aggregate(START, [a, b])
    both = 0.25 * a.weights["w"] + 0.75 * b.weights["w"]
    np.testing.assert_allclose(new["w"][:, 0], both[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(new["w"][:, 1], a.weights["w"][:, 1])
    np.testing.assert_array_equal(new["w"][:, 2], START["w"][:, 2])
    plain = FedAvg(ownership=False).aggregate(START, [a, b])
    np.testing.assert_allclose(plain["w"], both, rtol=1e-6)


def test_a_parameter_that_only_some_send_is_averaged_over_those():
    a, b = updates()
    del a.weights["b"]
    new = FedAvg().aggregate(START, [a, b])
    np.testing.assert_array_equal(new["b"], b.weights["b"])


def test_integer_buffers_keep_their_type():
    start = {"n": np.array(0)}
    new = FedAvg().aggregate(start, [Update("a", 1, {"n": np.array(7)})])
    assert new["n"].dtype == np.int64 and new["n"] == 7 and new["n"].shape == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_by_name(value):
    a, b = updates()
    b.weights["w"][0, 0] = value
    with pytest.raises(ClientError, match="client 'b' sent weights.*not finite.*'w'"):
        FedAvg().aggregate(START, [a, b])


def test_wrong_shapes_are_refused_by_name():
    a, b = updates()
    a.weights["w"] = np.zeros((3, 2))
    with pytest.raises(ClientError, match=r"'a' sent 'w' of shape \(3, 2\); expected"):
        FedAvg().aggregate(START, [a, b])


@given(st.integers(1, 30), st.floats(0.01, 1.0), st.integers(0, 99))
def test_selection_is_sorted_distinct_and_large_enough(n, fraction, seed):
    clients = [f"client {k:02}" for k in range(n)]
    rng = np.random.default_rng(seed)
    chosen = FedAvg().select(clients, fraction, rng, at_least=min(2, n))
    assert list(chosen) == sorted(set(chosen))
    assert min(2, n) <= len(chosen) <= max(fraction * n + 1, 2)


def test_unknown_weighting_is_refused_before_any_client_works():
    model = FederatedClassifier(strategy=FedAvg(weighting="row"))
    with pytest.raises(ValueError, match="'weighting' parameter of FedAvg.*'row'"):
        model.fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("fraction, n, k", [(0.07, 100, 7), (0.14, 50, 7), (0.5, 3, 2)])
def test_shares_that_are_whole_numbers_are_met(fraction, n, k):
    chosen = FedAvg().select(range(n), fraction, np.random.default_rng(0))
    assert len(chosen) == k
