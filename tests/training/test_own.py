"""What stays at a client, cut out of weights and put back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skfed.training._own import Parts, forget_void, keep_own, restore_own

SHAPES = {"in.weight": (4, 5), "in.bias": (4,), "out.weight": (2, 4), "out.bias": (2,)}


def weights(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in SHAPES.items()}


@given(
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.sets(st.sampled_from(sorted(SHAPES))),
)
def test_what_is_cut_can_be_joined_again(private, home):
    private = np.array(private)
    parts = Parts(weights(0), ["in.weight"], private, frozenset(home))
    full = weights(1)
    shared, own = parts.cut(full)
    assert not set(shared) & home
    if "in.weight" not in home and private.any():
        assert shared["in.weight"].shape == (4, (~private).sum())
    for name, value in parts.join(shared, own).items():
        np.testing.assert_array_equal(value, full[name])
    fresh = parts.join(shared, {})
    for name in home:  # without anything of its own, a client has the initial ones
        np.testing.assert_array_equal(fresh[name], weights(0)[name])
    ones = parts.free({name: np.ones(shape) for name, shape in SHAPES.items()})
    assert not set(ones) & home
    if "in.weight" in ones:
        np.testing.assert_array_equal(ones["in.weight"].any(axis=0), ~private)


def test_early_stopping_goes_back_and_a_new_start_forgets():
    state: dict = {}
    for r in range(1, 5):
        own = {"memory": {"round": np.array(float(r))}}
        keep_own(state, own, {"round": r, "best_round": min(r - 1, 2)})
    assert state["own"]["memory"]["round"] == 4
    restore_own(state, 2)
    assert state["own"]["memory"]["round"] == 2
    forget_void(state, {"since": 9})
    assert "own" not in state


def test_what_diverged_is_not_kept():
    state: dict = {}
    keep_own(state, {"home": {"w": np.ones(2)}}, {"round": 1, "best_round": 0})
    bad = {"home": {"w": np.array([1.0, np.nan])}}
    keep_own(state, bad, {"round": 2, "best_round": 0})
    assert np.isfinite(state["own"]["home"]["w"]).all()
