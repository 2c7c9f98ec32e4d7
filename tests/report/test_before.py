import numpy as np
import pandas as pd
import pytest

from skfed.data import ClientData
from skfed.report import FederationReport

from .pages import check_page

RNG = np.random.default_rng(0)
EVIL = "<script>alert('x')</script>"


def numbers(n, *columns, shift=0.0):
    return pd.DataFrame(RNG.normal(shift, 1, (n, len(columns))), columns=list(columns))


def found(report, severity, text):
    """The findings of a severity whose text has these words."""
    frame = report.findings
    return frame[(frame["severity"] == severity) & frame["finding"].str.contains(text)]


def test_all_panels_of_clients_that_differ():
    tables = {name: numbers(30, "age", "dose") for name in "abc"}
    tables["b"]["sex"], tables["c"]["sex"] = ["f", "m"] * 15, ["f"] * 30
    tables["c"].loc[:14, "dose"] = np.nan
    clients = {name: (t, ["yes", "no"] * 15) for name, t in tables.items()}
    report = FederationReport.from_clients(clients)
    page = check_page(report.to_html())
    titles = [section.title for section in report.sections]
    assert titles == [
        "Findings", "Sizes and tasks", "Columns", "Near-equal names", "Missing values",
        "Categories", "Targets", "Covariate shift",
    ]  # fmt: skip
    assert all(title in page.words for title in titles)
    assert "2 at all of them, 0 at one alone" in page.words
    assert "takes factor" in page.words and "50 %" in page.words


def test_types_names_and_spellings_that_clash():
    a, b, c = (numbers(20, "sqft") for _ in range(3))
    a["zip"], b["zip"] = "123", 123.0
    a["heat"], b["heat"] = "Gas", "gas "
    c = c.rename(columns={"sqft": "square_feet"})
    report = FederationReport.from_clients({"a": a, "b": b, "c": c})
    assert found(report, "error", "text at a; number at b")["column"].tolist() == [
        "zip"
    ]
    near = found(report, "warning", "nearly equal")
    assert near["column"].tolist() == ["sqft, square_feet"]
    assert "rename_columns" in near["remedy"].iloc[0]
    assert found(report, "warning", "different categories")["column"].tolist() == [
        "heat"
    ]
    assert found(report, "warning", "no column with any other")["client"].tolist() == [
        "c"
    ]


def test_a_client_with_both_columns_says_that_they_differ():
    clients = {"a": numbers(9, "height", "weight"), "b": numbers(9, "weight")}
    assert found(FederationReport.from_clients(clients), "note", "nearly equal").empty


def test_other_units_are_those_of_the_one_client():
    clients = {name: numbers(50, "temp") for name in "abcd"}
    clients["c"] = clients["c"] * 1.8 + 32
    report = FederationReport.from_clients(clients)
    units = found(report, "warning", "the unit")
    assert units["client"].tolist() == ["c"] and units["column"].tolist() == ["temp"]


def test_what_is_wrong_with_targets():
    X = numbers(20, "x")
    yes = ["yes", "no"] * 10
    clients = {
        "a": (X, yes),
        "b": (X, ["Yes", "no"] * 10),
        "c": (X, [0, 1] * 10),
        "d": (X, [None] * 10 + yes[:10]),
        "e": (X, ["yes"] * 20),
    }
    report = FederationReport.from_clients(clients)
    assert found(report, "error", "labels are text .* numbers")["client"].tolist() == [
        "c"
    ]
    assert found(report, "error", "missing values")["client"].tolist() == ["d"]
    assert len(found(report, "warning", "different labels")) == 1
    assert "e" in found(report, "note", "tells of one label")["client"].iloc[0]
    assert "e" in found(report, "note", "other shares")["client"].iloc[0]


def test_tasks_that_differ_and_tasks_in_doubt():
    X = numbers(40, "x")
    clients = {"a": (X, X["x"]), "b": (X, ["u", "v"] * 20), "c": (X, np.arange(40) % 4)}
    report = FederationReport.from_clients({k: clients[k] for k in "ab"})
    assert "FederatedMultiTask" in found(report, "warning", "predict")["remedy"].iloc[0]
    doubt = FederationReport.from_clients({k: clients[k] for k in "ac"})
    assert found(doubt, "note", "is taken for labels")["client"].tolist() == ["c"]
    sure = FederationReport.from_clients(
        {k: clients[k] for k in "ac"}, tasks="regression"
    )
    assert sure.findings.query("column == 'target'").empty


def test_tables_that_a_fit_would_stop_at():
    twice = numbers(9, "x", "y")
    twice.columns = ["x", "x"]
    clients = {
        "twice": twice,
        "mixed": pd.DataFrame({"x": [1, "a", 2] * 3, "z": np.nan}),
        "none": numbers(0, "x"),
        "few": numbers(3, "x"),
        "array": np.ones((9, 2)),
    }
    report = FederationReport.from_clients(clients)
    check_page(report.to_html())
    errors = report.findings.query("severity == 'error'")
    assert sorted(errors["client"]) == ["mixed", "none", "twice"]
    assert (
        found(report, "warning", "fewer rows than min_count")["client"].item() == "few"
    )
    assert found(report, "warning", "without names")["client"].item() == "array"


def test_unnamed_columns_of_other_width_are_each_clients_own():
    report = FederationReport.from_clients([np.ones((9, 2)), np.ones((9, 3))])
    assert "1.x0" in check_page(report.to_html()).words
    assert len(found(report, "warning", "taken as its own")) == 1


@pytest.mark.parametrize("form", ["list", "container", "frame", "plain"])
def test_every_form_of_clients(form):
    X = numbers(20, "x", "z")
    if form == "list":
        report = FederationReport.from_clients([(X, X["x"]), (X, X["x"])])
    elif form == "container":
        report = FederationReport.from_clients(ClientData({"a": X, "b": X}))
    elif form == "frame":
        report = FederationReport.from_clients(
            X.assign(who=["a", "b"] * 10), X["x"], client_column="who"
        )
    else:
        report = FederationReport.from_clients(X, X["x"])
    check_page(report.to_html())


def test_what_clients_call_things_is_text():
    table = pd.DataFrame({EVIL: [EVIL, '"&'] * 9, "x": np.arange(18.0)})
    clients = {EVIL: (table, [EVIL, "b"] * 9), '"><b>': (table * 1, ["b", EVIL] * 9)}
    for html in (
        FederationReport.from_clients(clients).to_html(),
        FederationReport.from_clients(clients)._repr_html_(),
    ):
        page = check_page(html)
        assert EVIL in page.words
        assert "<script" not in html and not page.all("b")


def test_order_of_clients_and_rows_changes_nothing():
    clients = {
        name: (numbers(30, *"xyz"[: i + 1]), ["u", "v", "v"] * 10)
        for i, name in enumerate("abc")
    }
    shuffled = {
        name: (X.iloc[::-1], y[::-1]) for name, (X, y) in reversed(clients.items())
    }
    first, second = map(FederationReport.from_clients, (clients, shuffled))
    pd.testing.assert_frame_equal(first.findings, second.findings)
    assert first.to_html() == second.to_html()


def test_reports_in_one_notebook_have_ids_of_their_own(tmp_path):
    report = FederationReport.from_clients({"a": numbers(9, "x"), "b": numbers(9, "x")})
    check_page("<div>" + report._repr_html_() + report._repr_html_() + "</div>")
    path = report.save(tmp_path / "report.html")
    assert path.read_text("utf-8") == report.to_html()
    assert repr(report).startswith("FederationReport(2 clients before a fit: ")


def test_many_clients_stay_small():
    columns = [f"measurement {j}" for j in range(50)]
    clients = {}
    for k in range(200):
        own = [c for c in columns if RNG.random() < 0.7]
        table = numbers(30, *own, shift=k / 50).mask(RNG.random((30, len(own))) < 0.3)
        clients[f"a client with a long name, {k}"] = (
            table,
            RNG.choice(list("uvw"), 30),
        )
    html = FederationReport.from_clients(clients).to_html()
    check_page(html)
    assert len(html.encode()) < 5e5


def test_a_single_row_without_a_target_is_an_error():
    y = RNG.normal(size=30)
    lacking = np.where(np.arange(30) == 3, np.nan, y)
    clients = {"a": (numbers(30, "age"), y), "b": (numbers(30, "age"), lacking)}
    report = FederationReport.from_clients(clients)
    assert found(report, "error", "missing")["client"].tolist() == ["b"]
