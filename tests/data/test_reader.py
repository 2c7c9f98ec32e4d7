import numpy as np
import pandas as pd
import pytest

from skfed import ClientData, ClientError, pool
from skfed.data._reader import read_clients
from skfed.data._tables import sort_names, to_frame

RNG = np.random.default_rng(0)
TABLES = {"a": RNG.normal(size=(4, 2)), "b": RNG.normal(size=(6, 3))}
TARGETS = {"a": np.arange(4), "b": np.arange(6) + 10}
PAIRS = {name: (TABLES[name], TARGETS[name]) for name in TABLES}


def frame():
    parts = [to_frame(t).assign(site=name) for name, t in TABLES.items()]
    return pd.concat(parts, ignore_index=True), np.concatenate([*TARGETS.values()])


def forms():
    X, y = pool(PAIRS)
    table, flat = frame()
    order = RNG.permutation(10)
    yield "dict of pairs", PAIRS, None, {}
    yield "list of pairs", list(PAIRS.values()), None, {}
    yield "dict of tables", TABLES, TARGETS, {}
    yield "list of tables", list(TABLES.values()), list(TARGETS.values()), {}
    yield "container", X, y, {}
    yield "client column", table, flat, {"client_column": "site"}
    rest, sites = table.drop(columns="site"), table["site"]
    yield "clients=", rest, flat, {"clients": sites}
    yield "shuffled", rest.iloc[order], flat[order], {"clients": sites.iloc[order]}


@pytest.mark.parametrize("form", list(forms()), ids=lambda form: form[0])
def test_every_form_gives_the_same_clients_and_its_own_form_back(form):
    name, X, y, extra = form
    cohort = read_clients(X, y, **extra)
    for k, (client, table) in enumerate(cohort.tables.items()):
        key = client if client in TABLES else list(TABLES)[k]
        order = np.argsort(cohort.targets[client])
        np.testing.assert_array_equal(cohort.targets[client][order], TARGETS[key])
        np.testing.assert_array_equal(np.asarray(table)[order], TABLES[key])
    back = cohort.restore(cohort.targets)
    if name.startswith("list"):
        assert isinstance(back, list) and len(back) == 2
    elif name.startswith("dict"):
        assert isinstance(back, dict) and list(back) == ["a", "b"]
    else:
        np.testing.assert_array_equal(back, y)
    flat_X, flat_y = cohort.flat()
    assert isinstance(flat_X, ClientData)
    for client, where, _ in flat_X.items():
        np.testing.assert_array_equal(flat_y[where], cohort.targets[client])


def test_one_table_is_one_client():
    cohort = read_clients(TABLES["a"], TARGETS["a"])
    assert cohort.form == "plain" and list(cohort.tables) == [0]
    nested = read_clients([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    assert nested.form == "plain" and nested.tables[0].shape == (2, 2)


def test_pair_of_nested_lists_is_a_client():
    cohort = read_clients([([[1.0], [2.0]], [0, 1]), ([[3.0], [4.0]], [1, 0])])
    assert [t.shape for t in cohort.tables.values()] == [(2, 1), (2, 1)]


@pytest.mark.parametrize(
    "X, y, extra, text",
    [
        ([], None, {}, "empty"),
        ({}, None, {}, "empty"),
        ("text", None, {}, "cannot read clients"),
        (list(TABLES.values()), [0, 1, 2], {}, "list of 2 targets"),
        (TABLES, {"a": [0]}, {}, "dict of targets"),
        (pool(PAIRS)[0], [0, 1], {}, "10 rows but y has 2"),
        (TABLES["a"], TARGETS["a"], {"clients": ["a"]}, "1 client names for 4 rows"),
        (frame()[0], frame()[1], {"client_column": "town"}, "no client column 'town'"),
        (TABLES["a"], None, {"known": ["a", "b"]}, "fitted on 2 clients"),
        ([TABLES["a"]], None, {"known": [0, 1]}, "cannot be matched"),
        ([TABLES["a"]], None, {"known": ["a"]}, "give a dict by client name"),
    ],
)
def test_errors_name_the_remedy(X, y, extra, text):
    with pytest.raises(ClientError, match=text):
        read_clients(X, y, **extra)


def test_columns_missing_at_prediction_are_kept():
    table, _ = frame()
    cohort = read_clients(table, client_column="site", known=["a", "b"])
    assert cohort.shared_columns
    assert cohort.tables["a"].columns.tolist() == ["x0", "x1", "x2"]


def test_names_sort_by_value_numbers_first():
    assert sort_names([10, "b", 2, "a"]) == [2, 10, "a", "b"]


def test_to_frame_reads_polars_columns():
    pl = pytest.importorskip("polars")
    from datetime import date

    frame = to_frame(
        pl.DataFrame(
            {
                "n": [1, None, 3],
                "b": [True, None, False],
                "s": pl.Series(["x", "y", None], dtype=pl.Categorical),
                "d": [date(2020, 1, 1), None, date(2021, 2, 3)],
            }
        )
    )
    assert frame["n"].tolist()[::2] == [1.0, 3.0] and np.isnan(frame["n"][1])
    assert frame["b"].tolist() == [True, None, False]
    assert frame["s"].tolist() == ["x", "y", None]
    assert frame["d"].dtype.kind == "M" and pd.isna(frame["d"][1])
