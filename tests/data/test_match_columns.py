import string

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skfed import ClientData, ClientError
from skfed.data import match_columns, rename_columns
from skfed.data._name_similarity import abbreviation, similarities, tokens

HOUSES = {
    "boston": ["sqft", "rooms", "yr_built"],
    "ames": ["square_feet", "rooms", "year_built", "garage"],
}


def pairs_of(matches):
    return set(zip(matches["column_a"], matches["column_b"], strict=True))


def kept(matches):
    return matches[matches["conflict"] == ""]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("square_feet", ("square", "feet")),
        ("SqFt", ("sq", "ft")),
        ("lot area (m2)", ("lot", "area", "m", "2")),
        ("BMIScore", ("bmi", "score")),
        ("Größe", ("größe",)),
        ("%", ()),
    ],
)
def test_tokens(name, expected):
    assert tokens(name) == expected


@pytest.mark.parametrize(
    "short, long, expected",
    [
        ("sqft", "square_feet", 6 / 7),
        ("SqFt", "square feet", 6 / 7),
        ("yr_built", "year_built", 1.0),
        ("lotsize", "LotSize", 1.0),
        ("sq_feet", "square_ft", 6 / 7),  # each side abbreviates one word
        ("dob", "date_of_birth", 6 / 11),
        ("qty", "quantity", 4 / 6),
        ("height", "weight", 0.0),
        ("feet", "square_feet", 0.0),  # a word is left over
        ("x", "xylophone", 0.0),  # one letter is no evidence
        ("x1", "x10", 0.0),
        ("ft", "fat_tails", 4 / 7),
        ("%", "$", 0.0),
    ],
)
def test_abbreviations(short, long, expected):
    a = abbreviation(tokens(short), tokens(long))
    assert a == abbreviation(tokens(long), tokens(short)) == pytest.approx(expected)


names = st.text(string.ascii_lowercase + "_ 12AB", max_size=12)


@given(st.lists(names, min_size=1, max_size=8, unique=True))
def test_similarities_are_symmetric_and_bounded(names):
    for matrix in similarities(names, (2, 4)):
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        assert (matrix >= 0).all() and (matrix <= 1).all()


def test_numbers_that_differ_are_no_match():
    clients = {"a": ["income_2019", "v_2"], "b": ["income_2020", "v"]}
    assert pairs_of(match_columns(clients)) == {("v_2", "v")}


def test_near_names_are_proposed_and_equal_ones_are_not():
    matches = match_columns(HOUSES)
    assert pairs_of(matches) == {("square_feet", "sqft"), ("year_built", "yr_built")}
    assert matches["similarity"].is_monotonic_decreasing
    assert set(matches["client_a"]) == {"ames"}
    assert set(matches["evidence"]) == {"abbreviation"}
    assert (matches["conflict"] == "").all()
    assert pairs_of(match_columns(HOUSES, threshold=0.9)) == {
        ("year_built", "yr_built")
    }


def test_words_in_another_order_match_by_letters():
    (row,) = match_columns([["living_sqft"], ["sqft_living"]]).to_dict("records")
    assert row["evidence"] == "n-grams"
    assert row["similarity"] == pytest.approx(1.0)


schemas = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.lists(
        st.sampled_from(
            ["sqft", "square_feet", "sq_ft", "feet", "rooms", "rms", "room", "bedrooms"]
        ),
        max_size=5,
        unique=True,
    ),
    min_size=1,
    max_size=5,
)


@given(schemas, st.randoms(use_true_random=False))
def test_order_of_clients_and_columns_is_free(schema, random):
    turned = [(name, random.sample(own, len(own))) for name, own in schema.items()]
    random.shuffle(turned)
    pd.testing.assert_frame_equal(match_columns(schema), match_columns(dict(turned)))


@given(schemas)
def test_matches_are_one_to_one_and_confirmed_ones_merge_nothing(schema):
    matches = match_columns(schema)
    for side in ("a", "b"):
        keys = ["client_a", "client_b", f"column_{side}"]
        assert not matches.duplicated(keys).any()
    for row in matches.to_dict("records"):
        assert row["client_a"] != row["client_b"]
        assert row["column_a"] in set(schema[row["client_a"]])
        assert row["column_b"] in set(schema[row["client_b"]])
        assert row["column_a"] not in schema[row["client_b"]]
        assert row["column_b"] not in schema[row["client_a"]]
    renamed = rename_columns(schema, kept(matches))
    for name, own in schema.items():
        assert len(set(renamed[name])) == len(own)
    for row in kept(matches).to_dict("records"):
        a, b = (
            renamed[row[f"client_{side}"]][
                schema[row[f"client_{side}"]].index(row[f"column_{side}"])
            ]
            for side in "ab"
        )
        assert a == b


def test_two_columns_of_one_client_are_a_conflict():
    clients = {"a": ["sqft"], "b": ["square_feet"], "c": ["sqft", "square_feet"]}
    matches = match_columns(clients)
    text = "client 'c' has ['sqft', 'square_feet'], which the matches of"
    assert len(matches) == 1
    assert matches["conflict"].str.startswith(text).all()
    with pytest.raises(ClientError, match="Leave out matches that do not hold"):
        rename_columns(clients, matches)
    assert rename_columns(clients, kept(matches)) == clients


def test_conflict_through_a_third_client_ends_when_a_match_is_left_out():
    clients = {"a": ["temp", "temperature"], "b": ["temperat"]}
    clients["c"] = ["temper"]
    matches = match_columns(clients)
    assert (matches["conflict"] != "").any()
    fine = matches[matches["column_a"] != "temp"]
    fine = fine[fine["column_b"] != "temp"]
    renamed = rename_columns(clients, fine)
    assert renamed["a"] == ["temp", "temperature"]
    assert len(set(renamed["a"])) == 2


def test_the_name_of_most_clients_is_taken_everywhere():
    clients = {"a": ["sqft"], "b": ["square_feet"], "c": ["sqft"], "d": ["sqft"]}
    assert rename_columns(clients, match_columns(clients)) == {
        name: ["sqft"] for name in "abcd"
    }
    only = match_columns(clients).query("client_a == 'a'")
    assert rename_columns(clients, only)["b"] == ["sqft"]


def as_pandas(columns):
    return pd.DataFrame(np.ones((2, len(columns))), columns=columns)


def test_form_of_the_clients_is_kept_and_tables_are_not_changed():
    tables = {name: as_pandas(own) for name, own in HOUSES.items()}
    matches = match_columns(tables)
    expected = ["square_feet", "rooms", "year_built"]
    renamed = rename_columns(tables, matches)
    assert list(renamed) == list(tables)
    assert list(renamed["boston"].columns) == expected
    assert list(tables["boston"].columns) == HOUSES["boston"]
    pairs = [(table, np.zeros(2)) for table in tables.values()]
    as_list = rename_columns(pairs, match_columns(pairs))
    assert list(as_list[0][0].columns) == expected
    assert as_list[0][1] is pairs[0][1]
    X = ClientData(tables)
    pooled = rename_columns(X, match_columns(X))
    assert list(pooled.tables["boston"].columns) == expected
    np.testing.assert_array_equal(pooled.code, X.code)
    polars = {
        name: pl.DataFrame({c: [1.0] for c in own}) for name, own in HOUSES.items()
    }
    assert rename_columns(polars, matches)["boston"].columns == expected


def test_integer_labels_are_kept():
    tables = {
        "a": pd.DataFrame([[1, 2]], columns=[7, "sqft"]),
        "b": as_pandas(["sq ft"]),
    }
    renamed = rename_columns(tables, match_columns(tables))
    assert list(renamed["a"].columns) == [7, "sq ft"]


def test_nothing_to_match():
    for clients in ([["a"]], [["a"], ["a"]], [[], ["%"]], {"u": ["p"], "v": ["q"]}):
        matches = match_columns(clients)
        assert matches.empty
        assert list(matches) == list(match_columns(HOUSES))
        assert rename_columns(clients, matches) == clients


def test_bad_input_is_refused_by_name():
    with pytest.raises(ClientError, match="client 'a' has no table with column names"):
        match_columns({"a": np.ones((2, 2))})
    for clients in ({}, [], as_pandas(["a"]), "ab"):
        with pytest.raises(ClientError, match="give clients as a dict or list"):
            match_columns(clients)
    matches = match_columns(HOUSES)
    with pytest.raises(ClientError, match="'sqft'.* no client has"):
        rename_columns({"ames": HOUSES["ames"]}, matches)
    with pytest.raises(ClientError, match=r"no column \['column_b'\]"):
        rename_columns(HOUSES, matches.drop(columns="column_b"))
    for options in ({"threshold": 0.0}, {"ngram_range": (3, 2)}):
        with pytest.raises(ValueError, match=next(iter(options))):
            match_columns(HOUSES, **options)
