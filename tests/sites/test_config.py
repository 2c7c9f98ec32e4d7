"""The site's file, its table, and errors that name the key."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skfed import ClientError
from skfed.sites import DataConfig, SiteConfig, read_config, read_table

GOOD = """
name = "north"
target = "price"
state = "state/north"

[data]
csv = "houses.csv"
columns = ["m2", "kind"]

[data.types]
kind = "category"

[data.rename]
m2 = "area"

[policy]
min_count = 10
max_rounds = 50
tasks = ["introduce", "prepare", "describe"]
classes = ["skfed"]
log = "sent.jsonl"
"""


def written(directory, text):
    path = Path(directory) / "site.toml"
    path.write_text(text)
    return path


def test_a_file_is_read(tmp_path):
    config = read_config(written(tmp_path, GOOD))
    assert config.name == "north"
    assert config.target == ("price",)
    assert config.state == tmp_path / "state" / "north"
    assert config.data.csv == tmp_path / "houses.csv"
    assert config.data.columns == ("m2", "kind")
    assert config.data.types == {"kind": "category"}
    assert config.data.rename == {"m2": "area"}
    assert config.policy.min_count == 10
    assert config.policy.max_rounds == 50
    assert config.policy.anchors is False
    assert config.policy.tasks == ("introduce", "prepare", "describe")
    assert config.policy.classes == ("skfed",)
    assert config.policy.log == tmp_path / "sent.jsonl"
    assert not config.policy.dry_run


def without(line):
    assert line in GOOD
    return GOOD.replace(line, "")


@pytest.mark.parametrize(
    "text, key, why",
    [
        (without('name = "north"'), "name", "text"),
        (GOOD.replace("north", "no/th", 1), "name", "letters"),
        (without('target = "price"'), "target", "missing"),
        (GOOD.replace('"price"', "3"), "target", "list of texts"),
        (GOOD.replace('"price"', '["price", "price"]'), "target", "twice"),
        (without('state = "state/north"'), "state", "missing"),
        (GOOD.replace("[policy]", "[polcy]"), "polcy", "did you mean 'policy'?"),
        (GOOD.replace("csv =", "cvs ="), "data.cvs", "did you mean 'csv'?"),
        (GOOD.replace("csv =", 'sql = "x"\ncsv ='), "data", "one of csv"),
        (without('csv = "houses.csv"'), "data", "one of csv"),
        (GOOD.replace("csv =", "sql ="), "data.sql", "url"),
        (GOOD.replace("csv =", 'url = "x"\ncsv ='), "data.url", "goes with sql"),
        (GOOD.replace('"category"', '"colour"'), "data.types.kind", "known are"),
        (GOOD.replace('"area"', "3"), "data.rename", "section of lines"),
        (GOOD.replace("= 10", "= 0"), "policy.min_count", "at least 1"),
        (GOOD.replace("= 10", "= true"), "policy.min_count", "whole number"),
        (GOOD.replace("= 50", '= "many"'), "policy.max_rounds", "whole number"),
        (GOOD.replace('"describe"', '"steal"'), "policy.tasks", "'steal'"),
        (GOOD.replace('["skfed"]', "[1]"), "policy.classes", "list of texts"),
        (GOOD + "dry_run = 1\n", "policy.dry_run", "true or false"),
        (
            GOOD.replace("csv =", "drop_missing_target = 1\ncsv ="),
            "data.drop_missing_target",
            "true or false",
        ),
        (GOOD + 'target = "x"\n', "policy.target", "one of"),
        ("data = 3\n" + GOOD.split("[data]")[0], "data", "section"),
    ],
)
def test_errors_name_file_and_key(tmp_path, text, key, why):
    path = written(tmp_path, text)
    with pytest.raises(ClientError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: the key {key!r} ")
    assert why in str(caught.value)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ClientError, match="cannot be read"):
        read_config(tmp_path / "nothing.toml")
    with pytest.raises(ClientError, match="is no TOML file"):
        read_config(written(tmp_path, "name = "))


FRAME = pd.DataFrame(
    {
        "id": ["p1", "p2", "p3"],
        "code": ["007", "010", None],
        "m2": [70, 90, 80],
        "flag": ["true", "0", None],
        "built": ["2001-05-06", "1999-01-01", "2010-10-10"],
        "price": [1.5, 2.5, 3.5],
        "extra": [1, 2, 3],
    }
)
TYPES = {
    "code": "text",
    "m2": "integer",
    "flag": "boolean",
    "built": "date",
    "extra": "category",
}


def site(data, target=("price",)):
    return SiteConfig("a", target, Path("unused"), data)


def given(tmp_path, source, **options):
    """Return a data section for the same rows in one of the sources."""
    if source == "csv":
        path = tmp_path / "d.csv"
        FRAME.to_csv(path, index=False)
        return DataConfig(csv=path, **options)
    if source == "parquet":
        pytest.importorskip("pyarrow")
        path = tmp_path / "d.parquet"
        FRAME.to_parquet(path)
        return DataConfig(parquet=path, **options)
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "d.db"
    connection = sqlite3.connect(path)
    FRAME.to_sql("t", connection, index=False)
    connection.close()
    return DataConfig(sql="SELECT * FROM t", url=f"sqlite:///{path}", **options)


@pytest.mark.parametrize("source", ["csv", "parquet", "sql"])
def test_every_source_gives_the_same_table(tmp_path, source):
    data = given(
        tmp_path, source, types=TYPES, rename={"m2": "area"}, index="id",
        columns=("code", "m2", "flag", "built", "extra"),
    )  # fmt: skip
    X, y = read_table(site(data))
    assert list(X.columns) == ["code", "area", "flag", "built", "extra"]
    assert X.index.tolist() == ["p1", "p2", "p3"]
    assert X["code"].tolist()[:2] == ["007", "010"]
    assert X["code"].isna().tolist() == [False, False, True]
    assert X["area"].dtype == np.int64
    assert X["flag"].tolist()[:2] == [True, False]
    assert X["built"].dt.year.tolist() == [2001, 1999, 2010]
    assert X["extra"].dtype == "category"
    assert y.tolist() == [1.5, 2.5, 3.5]


def test_rows_without_a_target_are_left_out_if_so_asked(tmp_path):
    data = given(tmp_path, "csv")
    X, y = read_table(site(data, ("code",)))
    assert y.isna().sum() == 1
    data = given(tmp_path, "csv", drop_missing_target=True)
    X, y = read_table(site(data, ("code",)))
    assert len(X) == len(y) == 2
    assert not y.isna().any()


def test_several_targets_make_a_table(tmp_path):
    X, y = read_table(site(given(tmp_path, "csv"), ("m2", "price")))
    assert list(y.columns) == ["m2", "price"]
    assert not {"m2", "price"} & set(X.columns)


@pytest.mark.parametrize(
    "options, target, why",
    [
        ({}, ("cost",), "target names ['cost']"),
        ({"columns": ("m2", "m3")}, ("price",), "data.columns names ['m3']"),
        ({"columns": ("m2", "price")}, ("price",), "which is the target"),
        ({"rename": {"m3": "x"}}, ("price",), "data.rename names ['m3']"),
        ({"rename": {"m2": "extra"}}, ("price",), "columns already"),
        ({"types": {"m3": "text"}}, ("price",), "data.types names ['m3']"),
        ({"types": {"code": "number"}, "index": "no"}, ("price",), "data.index names"),
        ({"types": {"id": "number"}}, ("price",), "data.types.id"),
        ({"types": {"built": "boolean"}}, ("price",), "data.types.built"),
    ],
)
def test_errors_of_the_table_name_key_and_column(tmp_path, options, target, why):
    with pytest.raises(ClientError) as caught:
        read_table(site(given(tmp_path, "csv", **options), target))
    assert why in str(caught.value)


def test_sources_that_are_not_there(tmp_path, monkeypatch):
    with pytest.raises(ClientError, match="cannot be read"):
        read_table(site(DataConfig(csv=tmp_path / "no.csv")))
    pytest.importorskip("sqlalchemy")
    monkeypatch.delenv("NO_SUCH_URL", raising=False)
    with pytest.raises(ClientError, match="'NO_SUCH_URL' is not set"):
        read_table(site(DataConfig(sql="SELECT 1", url_env="NO_SUCH_URL")))
    monkeypatch.setenv("NO_SUCH_URL", f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(ClientError, match="data.sql cannot be read"):
        read_table(site(DataConfig(sql="SELECT * FROM t", url_env="NO_SUCH_URL")))


def test_optional_packages_are_named(tmp_path, monkeypatch):
    import sys

    for package, data in (
        ("pyarrow", DataConfig(parquet=tmp_path / "d.parquet")),
        ("sqlalchemy", DataConfig(sql="SELECT 1", url="sqlite://")),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ImportError, match=rf"{package}.*skfed\[sites\]"):
            read_table(site(data))


def test_a_table_of_another_country_is_read(tmp_path):
    (tmp_path / "k.csv").write_bytes(
        "Größe;am;hb;gut\n1,5;03.08.2023;<5;ja\n2,5;04.09.2023;7,2;nein\n".encode(
            "latin-1"
        )
    )
    (tmp_path / "k.toml").write_text(
        """
        name = "k"
        target = "gut"
        state = "k"
        [data]
        csv = "k.csv"
        separator = ";"
        decimal = ","
        encoding = "latin-1"
        date_format = "%d.%m.%Y"
        missing = ["<5"]
        [data.types]
        am = "date"
        hb = "number"
        """
    )
    X, y = read_table(read_config(tmp_path / "k.toml"))
    assert X["Größe"].tolist() == [1.5, 2.5]
    assert X["am"].dt.month.tolist() == [8, 9]
    assert np.isnan(X["hb"][0]) and X["hb"][1] == 7.2
    assert y.tolist() == ["ja", "nein"]


def test_day_and_month_are_not_guessed(tmp_path):
    (tmp_path / "k.csv").write_text("am,y\n03.08.2023,1\n04.09.2023,2\n")
    (tmp_path / "k.toml").write_text(
        'name = "k"\ntarget = "y"\nstate = "k"\n[data]\ncsv = "k.csv"\n'
        '[data.types]\nam = "date"\n'
    )
    with pytest.raises(ClientError, match="data.types.am"):
        read_table(read_config(tmp_path / "k.toml"))


def test_a_site_may_say_that_rows_are_asked_for_by_name(tmp_path):
    config = read_config(written(tmp_path, GOOD + "anchors = true\n"))
    assert config.policy.anchors is True
    with pytest.raises(ClientError, match=r"policy\.anchors.*true or false"):
        read_config(written(tmp_path, GOOD + 'anchors = "yes"\n'))
