import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder
from three_acts import run

from skfed.exceptions import AlignmentWarning, ClientError
from skfed.preprocessing import FederatedOneHotEncoder

values = {
    "text": st.sampled_from(["red", "green", "blue", "x=y", ""]),
    "int": st.integers(-2, 3),
    "float": st.sampled_from([-1.5, 0.0, 2.0, 1e9]),
    "bool": st.booleans(),
}


@st.composite
def clients(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3))
    out = {}
    for client in "abc"[: draw(st.integers(1, 3))]:
        n = draw(st.integers(1, 12))
        out[client] = pd.DataFrame(
            {
                f"{kind}{j}": draw(st.lists(values[kind], min_size=n, max_size=n))
                for j, kind in enumerate(kinds)
            }
        )
    return out


@settings(max_examples=40, deadline=None)
@given(clients(), st.sampled_from([None, "if_binary"]))
def test_equals_scikit_learn_on_all_rows(X, drop):
    pooled = OneHotEncoder(drop=drop, sparse_output=False).fit(pd.concat(X.values()))
    step = FederatedOneHotEncoder(min_count=1, drop=drop)
    for client, fitted in run(step, X).items():
        for own, expected in zip(fitted.categories_, pooled.categories_, strict=True):
            np.testing.assert_array_equal(own, expected)
        Z = fitted.transform(X[client])
        np.testing.assert_array_equal(Z, pooled.transform(X[client]))
        assert Z.shape[1] == len(fitted.get_feature_names_out())


def test_missing_category_equals_scikit_learn(federate):
    X = {
        "a": pd.DataFrame({"u": ["r", None, "g"]}).astype(object),
        "b": pd.DataFrame({"u": ["g", "g"]}).astype(object),
    }
    pooled = OneHotEncoder(sparse_output=False).fit(pd.concat(X.values()))
    step = FederatedOneHotEncoder(min_count=1, handle_missing="category")
    for client, fitted in federate(step, X).items():
        np.testing.assert_array_equal(
            fitted.transform(X[client]), pooled.transform(X[client])
        )
        assert list(fitted.get_feature_names_out()) == ["u=g", "u=r", "u=missing"]


def test_columns_align_by_name_whatever_a_client_has(federate):
    X = {
        "a": pd.DataFrame({"colour": ["red"] * 5, "size": ["L"] * 5}),
        "b": pd.DataFrame({"shape": ["round"] * 5, "colour": ["blue"] * 5}),
    }
    fitted = federate(FederatedOneHotEncoder(), X)
    names = {c: list(step.get_feature_names_out()) for c, step in fitted.items()}
    assert names["a"] == ["colour=blue", "colour=red", "size=L"]
    assert names["b"] == ["shape=round", "colour=blue", "colour=red"]


def test_rare_categories_stay_at_home_and_are_named(federate):
    rare = pd.DataFrame({"u": ["x"] * 9 + ["odd"] * 2})
    step = FederatedOneHotEncoder(max_categories=9)
    message = step.client_statistics(rare)
    assert message["categories:u"] == ["x"]
    np.testing.assert_array_equal(message["counts:u"], [5])  # 9, rounded down
    other = pd.DataFrame({"u": ["odd"] * 7})
    federate(step, {"a": rare, "b": other})  # known through b: nothing is lost
    with pytest.warns(AlignmentWarning, match=r"min_count=5.*'u': \['odd'\]"):
        fitted = step.fit(rare)
    assert fitted.left_out_ == {"u": ["odd"]}
    np.testing.assert_array_equal(fitted.transform(rare)[-1], [0])


def test_max_categories_keeps_the_most_frequent_of_all_clients(federate):
    X = {
        "a": pd.DataFrame({"u": list("xxxxyyyz")}),
        "b": pd.DataFrame({"u": list("zzzzzyy")}),
    }
    step = FederatedOneHotEncoder(min_count=1, max_categories=2)
    with pytest.warns(AlignmentWarning, match=r"max_categories=2.*'u': \['x'\]"):
        fitted = federate(step, X)
    assert list(fitted["a"].get_feature_names_out()) == ["u=y", "u=z"]


def test_id_column_vanishes_by_name():
    X = pd.DataFrame({"id": [f"p{i}" for i in range(40)], "u": ["a", "b"] * 20})
    with pytest.warns(AlignmentWarning, match="'id': .*30 more.*the column vanishes"):
        step = FederatedOneHotEncoder().fit(X)
    assert list(step.get_feature_names_out()) == ["u=a", "u=b"]


def test_unknown_and_left_out_categories(federate):
    X = pd.DataFrame({"u": ["a"] * 6 + ["b"] * 6 + ["rare"]})
    new = pd.DataFrame({"u": ["new", "a", "rare", None]})
    with pytest.warns(AlignmentWarning):
        step = FederatedOneHotEncoder().fit(X)
    np.testing.assert_array_equal(step.transform(new), [[0, 0], [1, 0], [0, 0], [0, 0]])
    with pytest.warns(AlignmentWarning):
        strict = FederatedOneHotEncoder(handle_unknown="error").fit(X)
    strict.transform(X)  # its own rare category is not unknown
    with pytest.raises(ValueError, match=r"'u' has categories \['new'\]"):
        strict.transform(new)


@pytest.mark.parametrize("dtype", ["object", "category", "str", "string"])
def test_text_dtypes_agree(dtype):
    X = pd.DataFrame({"u": ["b", "a", None, "b"]})
    reference = FederatedOneHotEncoder(min_count=1).fit_transform(X)
    Z = FederatedOneHotEncoder(min_count=1).fit(X).transform(X.astype(dtype))
    np.testing.assert_array_equal(Z, reference)
    Z = FederatedOneHotEncoder(min_count=1).fit_transform(X.astype(dtype))
    np.testing.assert_array_equal(Z, reference)


def test_integers_at_one_client_and_floats_at_another_are_the_same_numbers(federate):
    X = {
        "a": pd.DataFrame({"u": [1, 2, 2]}),
        "b": pd.DataFrame({"u": [1.0, np.nan, 3.0]}),
        "c": pd.DataFrame({"u": pd.array([True, None, False], dtype="boolean")}),
    }
    fitted = federate(FederatedOneHotEncoder(min_count=1), X)
    np.testing.assert_array_equal(fitted["a"].categories_[0], [0.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(fitted["a"].transform(X["a"])[0], [0, 1, 0, 0])
    np.testing.assert_array_equal(fitted["b"].transform(X["b"])[1], [0, 0, 0, 0])
    np.testing.assert_array_equal(fitted["c"].transform(X["c"])[0], [0, 1, 0, 0])


def test_long_integer_ids_are_not_merged():
    X = pd.DataFrame({"u": [2**53, 2**53 + 1] * 3})
    Z = FederatedOneHotEncoder(min_count=1).fit_transform(X)
    np.testing.assert_array_equal(Z[:2], np.eye(2))


def test_client_order_does_not_matter(federate):
    X = {c: pd.DataFrame({"u": list(v)}) for c, v in (("a", "xyz"), ("b", "zzw"))}
    step = FederatedOneHotEncoder(min_count=1, max_categories=2)
    with pytest.warns(AlignmentWarning):
        one = federate(step, X)["a"]
    with pytest.warns(AlignmentWarning):
        other = federate(step, {"a": X["b"], "b": X["a"]})["a"]
    np.testing.assert_array_equal(one.categories_[0], other.categories_[0])


def test_errors_name_column_and_remedy(federate):
    step = FederatedOneHotEncoder(min_count=1)
    text, number = pd.DataFrame({"u": ["1", "2"]}), pd.DataFrame({"u": [1, 2]})
    with pytest.raises(ClientError, match="'u' holds text at client 'a'.*client 'b'"):
        federate(step, {"a": text, "b": number})
    with pytest.raises(
        ClientError, match="'u' holds number and its categories are text"
    ):
        step.fit(text).transform(number)
    for cell, kind in (({}, "dict"), ([1], "list"), (b"x", "bytes"), ("x", "mixed")):
        X = pd.DataFrame({"u": pd.Series([1.5, cell], dtype=object)})
        with pytest.raises(TypeError, match=f"'u' cannot be encoded.*{kind}"):
            step.fit(X)
    with pytest.raises(TypeError, match="'u' holds dates"):
        step.fit(pd.DataFrame({"u": pd.to_datetime(["2020-01-01"])}))
    clash = pd.DataFrame({"u": ["missing", None]})
    with pytest.raises(ClientError, match="'u=missing' occurs twice in the output"):
        FederatedOneHotEncoder(min_count=1, handle_missing="category").fit(clash)
    clash = pd.DataFrame({"u": ["v=w"], "u=v": ["w"]})
    with pytest.raises(ClientError, match="'u=v=w' occurs twice in the output"):
        step.fit(clash)
    with pytest.raises(ValueError, match="drop of FederatedOneHotEncoder"):
        FederatedOneHotEncoder(drop="first").fit(text)
