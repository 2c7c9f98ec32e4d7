import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skfed.preprocessing._disclosure import releasable, rounded_down

counts = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(counts, st.integers(1, 9))
def test_withheld_rows_cannot_be_recovered_from_the_total(counts, min_count):
    counts = np.array(counts)
    keep = releasable(counts, min_count)
    hidden = counts[~keep].sum()
    assert (counts[keep] >= min_count).all()
    assert hidden == 0 or hidden >= min_count or not keep.any()


@given(counts, st.integers(1, 9))
def test_no_more_is_withheld_than_needed(counts, min_count):
    counts = np.array(counts)
    keep = releasable(counts, min_count)
    extra = counts[~keep & (counts >= min_count)]
    assert len(extra) <= 1  # one large count covers every smaller one


def test_a_single_small_class_takes_the_next_smallest_with_it():
    np.testing.assert_array_equal(releasable([30, 2, 12], 5), [True, False, False])


@given(counts, st.integers(1, 9))
def test_rounded_counts_are_multiples_below_the_truth(counts, min_count):
    rounded = rounded_down(counts, min_count)
    gap = np.array(counts) - rounded
    assert (rounded % min_count == 0).all()
    assert (gap >= 0).all() and (gap < min_count).all()
