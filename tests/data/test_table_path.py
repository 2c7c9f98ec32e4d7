import pandas as pd
import polars as pl
import pytest

from skfed import ClientError, FederatedClassifier, FederatedMultiTask
from skfed.data import TablePath
from skfed.data._reader import read_clients
from tests.clients import make_clients, same_weights

FRAME = pd.DataFrame({"x": [1.0, 2.0, 4.0], "k": ["u", "v", "u"], "y": [0, 1, 1]})


@pytest.mark.parametrize("end", ["csv", "csv.gz", "tsv", "json", "CSV"])
def test_the_reader_follows_the_name(tmp_path, end):
    path = tmp_path / f"site.2024.{end}"
    if end == "json":
        FRAME.to_json(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if end == "tsv" else ",")
    X, y = TablePath(path, "y").load()
    pd.testing.assert_frame_equal(X, FRAME[["x", "k"]], check_dtype=False)
    assert y.tolist() == [0, 1, 1]


def test_options_reach_the_reader_and_any_frame_will_do(tmp_path):
    FRAME.to_csv(tmp_path / "s.csv", sep=";", index=False)
    X, y = TablePath(str(tmp_path / "s.csv"), ["x", "y"], sep=";").load()
    assert X.columns.tolist() == ["k"] and y.columns.tolist() == ["x", "y"]
    path = TablePath(tmp_path / "s.csv", "y", reader=pl.read_csv, separator=";")
    X, y = path.load()
    assert X.columns == ["x", "k"] and y.to_list() == [0, 1, 1]
    X, y = TablePath(tmp_path / "s.csv", reader=pd.read_csv, sep=";").load()
    assert X.columns.tolist() == ["x", "k", "y"] and y is None


def test_dask_frames_are_computed_where_they_are_read(tmp_path):
    frames = pytest.importorskip("dask.dataframe")
    for part in range(2):
        FRAME.to_csv(tmp_path / f"{part}.csv", index=False)
    X, y = TablePath(str(tmp_path / "*.csv"), "y", reader=frames.read_csv).load()
    assert isinstance(X, pd.DataFrame) and len(X) == len(y) == 6


@pytest.mark.parametrize(
    "path, text",
    [
        (TablePath("no.csv", "y"), "cannot read 'no.csv': FileNotFoundError"),
        (TablePath("no.xyz", "y"), "ends in none of .csv"),
        (TablePath("no", "y"), "give reader="),
        (TablePath("no", "y", reader=str), "returned str; it has to return a DataF"),
        (TablePath(FRAME, "z", reader=pd.DataFrame), r"lacks the target \['z'\]"),
    ],
    ids=str,
)
def test_errors_help(path, text):
    with pytest.raises(ClientError, match=text):
        path.load()


def test_reading_clients_leaves_paths_alone_until_prediction(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    path = TablePath(tmp_path / "a.csv", "y")
    pair = FRAME[["x"]], FRAME["y"]
    cohort = read_clients([path, pair])
    assert cohort.tables[0] is path and cohort.targets[0] is None
    assert cohort.pairs()[0] is path and len(cohort.pairs()[1]) == 2
    cohort = read_clients({"a": path}, known=["a"])
    assert len(cohort.tables["a"]) == 3 and cohort.targets["a"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "X, y, text",
    [
        ({"a": TablePath("a.csv")}, None, "say which column is target"),
        ({"a": TablePath("a.csv", "y")}, {"a": [1]}, "names its target itself"),
        ({"a": TablePath("a.csv", "y"), "b": 3}, None, "client 'b' is given as int"),
    ],
)
def test_paths_have_a_target_of_their_own(X, y, text):
    with pytest.raises(ClientError, match=text):
        read_clients(X, y)


def test_a_fit_from_paths_is_the_fit_from_tables(tmp_path):
    clients = make_clients()
    paths = {}
    for name, (table, y) in clients.items():
        table.assign(y=y).to_csv(tmp_path / f"{name}.csv", index=False)
        paths[name] = TablePath(tmp_path / f"{name}.csv", "y")
    pairs = {name: path.load() for name, path in paths.items()}
    model = FederatedClassifier(n_rounds=2, personalizer=None, random_state=0)
    first = model.fit(pairs)
    predicted = first.predict({name: X for name, (X, _) in pairs.items()})
    again = FederatedClassifier(n_rounds=2, personalizer=None, random_state=0)
    again.fit(paths)
    assert same_weights(first, again)
    assert again.client_features_ == first.client_features_
    assert again.score(paths) == first.score(pairs)
    found = again.predict(paths)
    assert all((found[name] == predicted[name]).all() for name in paths)
    again.drop_client("c", paths)
    again.add_client("new", paths["c"])
    assert again.client_names_ == ["a", "b", "new"]
    with pytest.raises(ClientError, match="has to see"):
        FederatedMultiTask().fit(paths)
