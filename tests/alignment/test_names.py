import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skfed.alignment import IntersectionAligner, SharedPrivateAligner, UnionAligner
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, statistics_of

schemas = st.lists(
    st.sets(st.sampled_from("abcdef"), min_size=1).map(sorted), min_size=1, max_size=4
)


def tables(schemas):
    """One table of distinct numbers per schema."""
    return {
        f"client{k}": (
            pd.DataFrame(
                np.arange(3.0 * len(names)).reshape(3, -1) + 100 * k, columns=names
            ),
            None,
        )
        for k, names in enumerate(schemas)
    }


@settings(deadline=None)
@given(schemas)
def test_union_is_reindexing_by_name(schemas):
    clients = tables(schemas)
    union = sorted({name for names in schemas for name in names})
    for name, one in federate(UnionAligner(fill_value=-1.0), clients).items():
        X = clients[name][0]
        expected = X.reindex(columns=union).fillna(-1.0)
        np.testing.assert_array_equal(one.transform(X), expected)
        assert list(one.get_feature_names_out()) == union


@settings(deadline=None)
@given(schemas)
def test_union_of_one_own_columns_is_lossless(schemas):
    clients = tables(schemas)
    for name, one in federate(UnionAligner(), clients).items():
        X = clients[name][0]
        Z = pd.DataFrame(one.transform(X), columns=one.get_feature_names_out())
        pd.testing.assert_frame_equal(Z[list(X.columns)], X)


def test_union_indicators():
    clients = {
        "one": (pd.DataFrame({"a": [1.0, np.nan], "b": [3.0, 4.0]}), None),
        "two": (pd.DataFrame({"b": [5.0], "c": [6.0]}), None),
    }
    fitted = federate(UnionAligner(indicator="both", min_count=1), clients)
    names = list(fitted["one"].get_feature_names_out())
    assert names == [
        *"abc",
        "missingindicator_a",
        "absentindicator_a",
        "absentindicator_c",
    ]
    one = fitted["one"].transform(clients["one"][0])
    np.testing.assert_array_equal(one, [[1, 3, 0, 0, 0, 1], [0, 4, 0, 1, 0, 1]])
    two = fitted["two"].transform(clients["two"][0])
    np.testing.assert_array_equal(two, [[0, 5, 6, 0, 1, 0]])
    missing = federate(UnionAligner(indicator="missing", min_count=1), clients)["two"]
    assert list(missing.get_feature_names_out()) == names[:4]
    absent = federate(UnionAligner(indicator="absent"), clients)["two"]
    assert list(absent.get_feature_names_out()) == names[:3] + names[4:]


def test_indicator_that_collides_with_a_column_is_refused():
    X = pd.DataFrame({"a": [1.0, np.nan], "missingindicator_a": [0.0, 1.0]})
    with pytest.raises(ClientError, match=r"\['missingindicator_a'\] twice"):
        UnionAligner(indicator="missing", min_count=1).fit(X)


def test_names_are_all_that_leaves():
    clients = tables([["a", "b"], ["b"]])
    for aligner in [UnionAligner(), IntersectionAligner(), SharedPrivateAligner()]:
        for name, message in statistics_of(aligner, clients).items():
            assert message == {"names": list(clients[name][0].columns)}


def test_intersection_keeps_what_enough_clients_own():
    clients = tables([["a", "b", "c"], ["b", "c"], ["c", "d"]])
    for least, kept in [(None, "c"), (3, "c"), (2, "bc"), (0.6, "bc"), (1.0, "c")]:
        aligner = IntersectionAligner(min_clients=least, fill_value=-1.0)
        with pytest.warns(AlignmentWarning, match="drops .* 'd'"):
            fitted = federate(aligner, clients)
        for name, one in fitted.items():
            X = clients[name][0]
            expected = X.reindex(columns=list(kept)).fillna(-1.0)
            np.testing.assert_array_equal(one.transform(X), expected)
    union = federate(IntersectionAligner(min_clients=1), clients)["client0"]
    assert list(union.get_feature_names_out()) == list("abcd")


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_share_of_clients_is_not_rounded_up_by_floating_point(part, whole):
    part = min(part, whole)
    needed = IntersectionAligner(min_clients=part / whole)._clients_needed(whole)
    assert needed == part
    assert IntersectionAligner(min_clients=0.07)._clients_needed(100) == 7


def test_empty_intersection_names_the_clients_that_break_it():
    clients = tables([["a", "b"], ["a", "c"], ["d"]])
    with pytest.raises(ClientError, match=r"'client2' lacks \['a'\]") as error:
        federate(IntersectionAligner(), clients)
    assert "client0" not in str(error.value)


def test_shared_private_contains_the_local_linear_model():
    clients = tables([["a", "b"], ["b", "c"]])
    aligner = SharedPrivateAligner(scale=0.25, bias=2.0)
    for name, one in federate(aligner, clients).items():
        X = clients[name][0]
        Z = one.transform(X)
        shared, private = Z[:, :3], Z[:, 3:6]
        np.testing.assert_array_equal(private, 0.25 * shared)
        np.testing.assert_array_equal(Z[:, 6], 2.0)
        np.testing.assert_array_equal(one.private_columns_, [0, 0, 0, 1, 1, 1, 1])
        assert Z.shape[1] == one.private_columns_.size


@pytest.mark.parametrize(
    "aligner, text",
    [
        (UnionAligner(indicator="all"), "indicator must be one of"),
        (UnionAligner(fill_value=np.nan), "fill_value"),
        (UnionAligner(fill_value="0"), "fill_value"),
        (IntersectionAligner(min_clients=0), "min_clients"),
        (IntersectionAligner(min_clients=1.5), "min_clients"),
        (IntersectionAligner(min_clients=True), "min_clients"),
        (SharedPrivateAligner(scale=0.0), "scale"),
        (SharedPrivateAligner(bias=np.inf), "bias"),
    ],
)
def test_bad_parameters_are_refused(aligner, text):
    with pytest.raises(ValueError, match=text):
        aligner.fit([[1.0, 2.0], [3.0, 4.0]])
