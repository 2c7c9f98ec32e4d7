import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skfed.alignment import FactorAligner
from skfed.alignment._factor_client import nearly_constant, withheld_classes
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, statistics_of


def table(n, d=3, seed=0):
    """Draw a table of n rows and d columns."""
    X = np.random.default_rng(seed).normal(size=(n, d))
    return pd.DataFrame(X, columns=[f"v{j}" for j in range(d)])


def assert_same_message(left, right):
    assert left.keys() == right.keys()
    for key, value in left.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(value, right[key], rtol=1e-9, atol=1e-9)
        else:
            np.testing.assert_array_equal(value, right[key])


def assert_other_message(left, right):
    with pytest.raises(AssertionError):
        assert_same_message(left, right)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 8))
def test_withheld_classes_cannot_be_had_by_subtraction(counts, min_count):
    counts = np.array(counts)
    withheld = withheld_classes(counts, min_count)
    assert withheld[(counts > 0) & (counts < min_count)].all()
    assert not withheld[counts == 0].any()
    hidden, rows = counts[withheld].sum(), counts.sum()
    assert hidden == 0 or hidden >= min(min_count, rows)
    if not ((counts > 0) & (counts < min_count)).any():
        assert not withheld.any()


def test_message_does_not_depend_on_who_is_in_a_small_class():
    X = table(40)
    y = np.repeat([0, 1, 2, 3], [3, 4, 13, 20])
    rng = np.random.default_rng(1)
    swapped = y.copy()
    swapped[:7] = rng.permutation(y[:7])
    assert (swapped != y).any()
    message = FactorAligner().client_statistics(X, y)
    np.testing.assert_array_equal(message["class_known"], [[0, 0, 1, 1]])
    np.testing.assert_array_equal(message["class_counts"], [[0, 0, 13, 20]])
    assert not message["class_means"][:, :2].any()
    assert_same_message(message, FactorAligner().client_statistics(X, swapped))
    bold = FactorAligner(min_count=1)
    assert_other_message(
        bold.client_statistics(X, y), bold.client_statistics(X, swapped)
    )


def test_one_small_class_takes_the_next_smallest_with_it():
    X, y = table(60), np.repeat(["rare", "some", "most"], [2, 18, 40])
    clients = {"clinic": (X, y)}
    with pytest.warns(AlignmentWarning, match=r"'clinic' .* \['rare', 'some'\]"):
        fitted = federate(FactorAligner(), clients)["clinic"]
    assert fitted.withheld_labels_ == ["rare", "some"]
    swapped = y.copy()
    swapped[[0, 10]] = y[[10, 0]]
    assert_same_message(
        FactorAligner().client_statistics(X, y),
        FactorAligner().client_statistics(X, swapped),
    )


def test_small_classes_are_counted_in_every_block():
    X, y = table(60), np.repeat([0, 1], 30)
    X.iloc[28:50, 0] = np.nan
    message = FactorAligner().client_statistics(X, y)
    known = dict(zip(message["block_sizes"], message["class_known"], strict=True))
    assert not known[2].any()
    assert known[3].all()
    with pytest.warns(AlignmentWarning, match=r"withholds .* labels \[0, 1\]"):
        assert FactorAligner().fit(X, y).withheld_labels_ == [0, 1]


def test_enough_rows_of_every_class_warn_of_nothing():
    fitted = FactorAligner().fit(table(60), np.repeat([0, 1], 30))
    assert fitted.withheld_labels_ == []


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(1, 6))
def test_nearly_constant_means_few_cells_off_the_commonest(cells, min_count):
    values = np.array(cells, dtype=float)
    commonest = np.bincount(cells).max()
    off = len(values) - commonest
    few = 0 < off < min_count and commonest > 1
    expected = few or len(values) < min_count
    assert nearly_constant(values, min_count) == expected


def test_indicator_of_a_rare_category_does_not_leave():
    X = table(50).assign(red=0.0)
    here, there = X.copy(), X.copy()
    here.iloc[:3, 3] = 1.0
    there.iloc[20:23, 3] = 1.0
    aligner = FactorAligner()
    message = aligner.client_statistics(here)
    assert 3 not in message["columns"]
    assert_same_message(message, aligner.client_statistics(there))
    bold = FactorAligner(min_count=1)
    assert_other_message(bold.client_statistics(here), bold.client_statistics(there))
    with pytest.warns(AlignmentWarning, match=r"withholds columns \['red'\]"):
        federate(aligner, {"clinic": (here, None)})


def test_nearly_constant_target_does_not_leave():
    X, y = table(50), np.zeros(50)
    y[:2] = [3.0, 4.0]
    with pytest.warns(AlignmentWarning, match="'client' withholds its target"):
        FactorAligner().fit(X, y)
    assert_same_message(
        FactorAligner().client_statistics(X, y),
        FactorAligner().client_statistics(X, y[::-1]),
    )


def test_wide_table_sends_single_columns_only():
    X, y = table(11, d=9), np.arange(11) % 2
    clients = {"wide": (X, y), "long": (table(50, d=9, seed=1), np.arange(50) % 2)}
    with pytest.warns(AlignmentWarning, match="'wide' has 11 rows for 9 columns") as w:
        fitted = federate(FactorAligner(), clients)
    assert "small_clients='send'" in str(w[0].message)
    assert fitted["wide"].withheld_labels_ == [0, 1]
    statistics = statistics_of(FactorAligner(), {"wide": (X, y)})["wide"]
    np.testing.assert_array_equal(statistics["block_sizes"], np.ones(9))
    assert not statistics["class_known"].any()
    rng = np.random.default_rng(2)
    mixed = pd.DataFrame({name: rng.permutation(X[name]) for name in X})
    assert_same_message(statistics, FactorAligner().client_statistics(mixed, y[::-1]))
    np.testing.assert_allclose(statistics["means"], X.mean())
    np.testing.assert_allclose(statistics["scatters"], X.var(ddof=0) * 11)
    bold = FactorAligner(small_clients="send").client_statistics(X, y)
    np.testing.assert_array_equal(bold["block_sizes"], [9])


def test_one_row_more_than_columns_and_labels_is_enough():
    send = FactorAligner().client_statistics
    X, labels, numbers = table(12, d=9), np.arange(12) % 2, np.arange(12.0)
    for y, least in [(labels, 12), (numbers, 11), (None, 10)]:
        enough = send(X[:least], None if y is None else y[:least])
        few = send(X[: least - 1], None if y is None else y[: least - 1])
        assert enough["block_sizes"].tolist() == [9]
        assert few["per_column"]
        assert few["block_sizes"].tolist() == [1] * 9


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.floats(0.0, 0.6),
    st.integers(1, 7),
    st.sampled_from(["withhold", "send"]),
)
def test_every_block_has_enough_rows(seed, n, share, min_count, small_clients):
    rng = np.random.default_rng(seed)
    X = table(n, d=4, seed=seed).mask(rng.random((n, 4)) < share)
    y = rng.integers(0, 3, size=n)
    aligner = FactorAligner(min_count=min_count, small_clients=small_clients)
    message = aligner.client_statistics(X, y)
    assert (message["counts"] >= min_count).all()
    if small_clients == "withhold" and not message["per_column"]:
        needed = message["block_sizes"] + len(message["labels"]) + 1
        assert (message["counts"] >= needed).all()
    shown = message["class_counts"][message["class_known"]]
    assert ((shown == 0) | (shown >= min_count)).all()
    for counts, known, rows in zip(
        message["class_counts"], message["class_known"], message["counts"], strict=True
    ):
        hidden = rows - counts.sum() if not message["per_column"] else rows
        assert known.all() or hidden >= min_count
    floats = [
        v for v in message.values() if getattr(v, "dtype", int) is np.dtype(float)
    ]
    assert all(np.isfinite(value).all() for value in floats)


def test_rows_of_rare_patterns_join_the_fullest_block():
    X = table(60)
    X.iloc[:25, 0] = np.nan
    X.iloc[25:28, 1] = np.nan
    message = FactorAligner().client_statistics(X)
    blocks = dict(zip(message["block_sizes"], message["counts"], strict=True))
    assert blocks == {2: 25, 3: 35}


def test_pattern_below_min_count_is_no_block_though_it_has_more_rows_than_columns():
    X = table(60, d=2)
    X.iloc[:7, 0] = np.nan
    message = FactorAligner(min_count=8).client_statistics(X)
    assert message["counts"].tolist() == [60]
    message = FactorAligner(min_count=7).client_statistics(X)
    assert sorted(message["counts"]) == [7, 53]


def test_filled_cells_neither_shrink_nor_inflate_what_is_sent():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 1))
    full = table(3000, d=6) + 2 * z
    holes = full.mask(rng.random((3000, 6)) < 0.3)
    message = FactorAligner(min_count=1000).client_statistics(holes)
    (n,) = message["counts"]
    assert n == holes.notna().any(axis=1).sum()
    sent = message["scatters"].reshape(6, 6) / n
    np.testing.assert_allclose(sent, full.cov(), atol=0.25)


def test_table_of_nothing_but_nearly_constant_columns_sends_nothing():
    X = pd.DataFrame(np.eye(20, 3), columns=list("abc"))
    assert FactorAligner().client_statistics(X)["block_sizes"].size == 0
    with pytest.raises(ClientError, match="nothing may leave"):
        FactorAligner().fit(X)


def test_too_few_rows_everywhere_is_an_error_with_a_remedy():
    with pytest.raises(ClientError, match=r"'client' with n_samples=3.*min_count"):
        FactorAligner().fit(table(3))
    FactorAligner(min_count=3, small_clients="send").fit(table(3))
