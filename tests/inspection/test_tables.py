"""Displays of clients' tables: schemas and heterogeneity."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skfed import FederatedClassifier, pool
from skfed.datasets import make_heterogeneous_clients
from skfed.inspection import HeterogeneityDisplay, SchemaDisplay
from skfed.inspection._summaries import (
    covariate_shifts,
    distance,
    jaccard_overlaps,
    label_shifts,
)

TABLES = {
    "north": pd.DataFrame(
        {
            "age": [1.0, np.nan],
            "sex": ["f", "m"],
            "flag": [True, False],
            "when": pd.to_datetime(["2020-01-01", "2021-01-01"]),
        }
    ),
    "south": pd.DataFrame(
        {"age": [2.0, 3.0], "sex": [0, 1], "flag": [1, 0], "odd": ["a", 1], "x": np.nan}
    ),
}
RNG = np.random.RandomState(0)


def test_schema_holds_kinds_gaps_and_clashes():
    found = SchemaDisplay.from_clients(TABLES)
    assert found.columns_ == ["age", "flag", "sex", "when", "odd", "x"]
    assert found.kinds["north"] == {
        "age": "number", "sex": "text", "flag": "boolean", "when": "datetime",
    }  # fmt: skip
    assert found.kinds["south"]["odd"] == "mixed"
    assert found.kinds["south"]["x"] == "empty"
    assert found.missing["north"]["age"] == 0.5
    assert found.clashes_ == ["sex"]
    owned = ~np.ma.getmaskarray(found.image_.get_array())
    assert owned.sum(axis=1).tolist() == [2, 2, 2, 1, 1, 1]
    assert "! sex" in [t.get_text() for t in found.ax_.get_yticklabels()]


@pytest.mark.parametrize("display", [SchemaDisplay, HeterogeneityDisplay])
def test_every_form_gives_the_same_picture(display, clients):
    X, y = pool(clients)
    names = np.repeat(list(clients), [len(t) for _, t in clients.values()])
    frame = pd.concat([t for t, _ in clients.values()], ignore_index=True)
    target = np.concatenate([t for _, t in clients.values()])
    made = [
        display.from_clients(clients),
        display.from_clients(X, y),
        display.from_clients(frame, target, clients=names),
        display.from_clients(frame.assign(who=names), target, client_column="who"),
    ]
    told = [getattr(d, "kinds", None) or d.measures for d in made]
    for each in told[1:]:
        if display is SchemaDisplay:
            assert each == told[0]
        else:
            pd.testing.assert_frame_equal(each, told[0])


def test_unnamed_columns():
    X = np.arange(12.0).reshape(4, 3)
    found = SchemaDisplay.from_clients([X, sparse.csr_matrix(X[:, :2])])
    assert found.columns_ == ["x0", "x1", "x2"]
    data = [(RNG.normal(size=(20, d)), np.arange(20) % 2) for d in (2, 3)]
    model = FederatedClassifier(
        columns="own", personalizer=None, n_rounds=1, random_state=0
    ).fit(data)
    assert len(SchemaDisplay.from_estimator(model).columns_) == 5
    assert HeterogeneityDisplay.from_estimator(model).measures["overlap"].max() == 0


@pytest.mark.parametrize("n, d", [(200, 5), (2, 300), (1, 1)])
def test_schemas_of_any_size(n, d):
    kinds = {k: {f"c{j}": "number" for j in range(d)} for k in range(n)}
    found = SchemaDisplay(kinds).plot()
    assert found.image_.get_array().shape == (d, n)


def test_overlap_is_the_jaccard_index():
    found = jaccard_overlaps({"a": list("pq"), "b": list("qr"), "c": list("s")})
    assert found == pytest.approx({"a": 1 / 6, "b": 1 / 6, "c": 0})
    assert np.isnan(jaccard_overlaps({"a": ["p"]})["a"])


def test_distances_are_zero_for_equal_and_one_for_apart():
    values = np.arange(40.0)
    assert distance(values, values, False, RNG)[0] == 0
    assert distance(values, values + 100, False, RNG)[0] == 1
    labels = np.array(["a", "b"] * 20, dtype=object)
    assert distance(labels, labels, True, RNG)[0] == 0
    assert distance(labels[::2], labels[1::2], True, RNG)[0] == 1
    assert np.isnan(distance(labels[:0], labels, True, RNG)).all()


@pytest.mark.parametrize("discrete", [True, False])
def test_chance_is_the_mean_of_equal_distributions(discrete):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        values = rng.integers(4, size=230) if discrete else rng.normal(size=230)
        found.append(distance(values[:30], values[30:], discrete, RNG))
    measured, expected = np.mean(found, axis=0)
    assert measured == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    "dial, measure", [("label_shift", "label_shift"), ("covariate_shift",) * 2]
)
def test_a_dial_that_is_turned_is_seen(dial, measure):
    found = []
    for strength in (0, 1, 4):
        data = make_heterogeneous_clients(
            6, 80, n_test=0, random_state=0, **{dial: strength}
        )
        told = HeterogeneityDisplay.from_clients(data.clients).measures
        found.append((told[measure] - told[f"{measure}_chance"]).mean())
    assert abs(found[0]) < 0.03 < found[1] < found[2]


def test_sizes_and_gaps_are_counted(clients):
    told = HeterogeneityDisplay.from_clients(clients).measures.set_index("client")
    assert told["n_rows"].to_dict() == {"a": 40, "b": 55, "c": 70}
    table = clients["b"][0]
    assert told["missing"]["b"] == pytest.approx(table.isna().to_numpy().mean())


def test_targets_are_compared_where_they_are_the_same(both):
    targets = {name: np.asarray(y) for name, (_, y) in both.items()}
    tasks = {"a": "number", "b": "number", "c": "label"}
    found = label_shifts(targets, tasks, 0)
    assert sorted(found) == ["a", "b"]
    display = HeterogeneityDisplay.from_clients(both, targets=tasks)
    assert np.isnan(display.measures.set_index("client")["label_shift"]["c"])


def test_without_targets_there_is_no_label_shift(clients):
    found = HeterogeneityDisplay.from_clients({c: X for c, (X, _) in clients.items()})
    assert "label_shift" not in found.shown_
    assert found.axes_.shape == (1, len(found.shown_))


def test_columns_of_one_client_or_of_other_kinds_do_not_shift():
    assert set(covariate_shifts(TABLES, 0)) == {"north", "south"}  # age and flag
    alone = {"north": TABLES["north"], "south": TABLES["south"][["odd", "x"]]}
    assert covariate_shifts(alone, 0) == {}


def test_estimator_tells_rows_and_columns_only(classifier):
    found = HeterogeneityDisplay.from_estimator(classifier)
    assert found.shown_ == ["n_rows", "n_columns", "overlap"]
    assert found.client_names_ == ["a", "b", "c"]
    assert found.points_["n_rows"].get_xdata().tolist() == [40, 55, 70]


def test_a_client_that_joined_later_is_drawn(clients):
    model = FederatedClassifier(personalizer=None, n_rounds=1, random_state=0)
    model.fit({name: clients[name] for name in "ab"}).add_client("c", clients["c"][0])
    found = HeterogeneityDisplay.from_estimator(model)
    assert found.client_names_ == ["c", "a", "b"]  # its rows are not known
    assert found.points_["n_columns"].get_xdata().tolist() == [5, 5, 5]


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no measure is known"):
        HeterogeneityDisplay(pd.DataFrame({"client": ["a"], "missing": [None]})).plot()
