import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor, compare
from skfed.exceptions import ClientError
from skfed.personalization import HierarchicalStacking
from skfed.report import FederationReport

from .pages import check_page

EVIL = "<script>alert('x')</script>"
FEW = HierarchicalStacking(members=["local", "federated"], n_folds=2)


def made(n, columns, seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, len(columns))), columns=list(columns))
    return X, X.sum(axis=1) + rng.normal(size=n)


CLIENTS = {
    "a": made(40, "xyz", 0),
    EVIL: made(60, "xy", 1),
    "c": made(30, ["x", EVIL], 2),
}


@pytest.fixture(scope="module")
def fitted():
    model = FederatedRegressor(personalizer=FEW, n_rounds=4, random_state=0)
    return model.fit(CLIENTS)


def test_all_panels_are_filled(fitted):
    table = compare(fitted, CLIENTS, cv=2, baselines=["local"], n_bootstrap=20)
    report = FederationReport.from_estimator(fitted, comparison=table)
    html = report.to_html()
    page = check_page(html)
    assert EVIL in page.words and "<script" not in html
    assert [section.title for section in report.sections] == [
        "Findings", "Whom it helps", "What each client chose", "Convergence",
        "Alignment", "What left each client", "Cost", "The estimator",
    ]  # fmt: skip
    assert len(page.all("svg")) == 4
    assert "AutoAligner chose factor" in page.words
    assert "has the least out-of-fold loss" in page.words
    assert html == FederationReport.from_estimator(fitted, comparison=table).to_html()


def test_bytes_are_those_of_the_ledger(fitted):
    words = check_page(FederationReport.from_estimator(fitted).to_html()).words
    ledger = fitted.ledger_
    sent = ledger.loc[ledger["direction"] == "up", "bytes"].sum()
    assert f"sent {sent / 1000:.1f} kB" in words
    for task in ledger.loc[ledger["direction"] == "up", "task"].unique():
        assert task in words


def test_without_comparison_it_says_how_to_make_one(fitted):
    report = FederationReport.from_estimator(fitted)
    assert "skfed.compare(estimator, clients)" in check_page(report.to_html()).words
    assert report.findings["remedy"].str.contains("comparison=").any()
    assert repr(report).startswith("FederationReport(3 clients after a fit: ")


def test_clients_that_lose_are_named(fitted):
    table = pd.DataFrame(
        {"n_rows": [40, 30, 60], "local": 0.5, "federated": [0.3, 0.6, np.nan],
         "vs_local": [-0.2, 0.1, np.nan], "vs_local_se": [0.01, 0.01, np.nan]},
        index=pd.Index(["a", "c", EVIL], name="client"),
    )  # fmt: skip
    report = FederationReport.from_estimator(fitted, comparison=table)
    worse = report.findings[report.findings["finding"].str.contains("worse than")]
    assert worse["client"].tolist() == ["a"]
    assert "1 of 2 clients are better" in check_page(report.to_html()).words
    without = table.drop(columns="vs_local_se")
    check_page(FederationReport.from_estimator(fitted, without).to_html())


def test_warnings_of_the_fit_are_findings(fitted):
    model = FederatedRegressor(personalizer=None, n_rounds=2, random_state=0).fit(
        CLIENTS
    )
    model.notices_ = ["client 'a' withholds columns ['x', 'y']: too few rows"]
    report = FederationReport.from_estimator(model)
    row = report.findings.query("severity == 'warning'").iloc[0]
    assert (row["client"], row["column"]) == ("a", "x, y")
    assert "no personalizer with members" in check_page(report.to_html()).words


def test_classes_and_mixed_tasks():
    (X, y), (Z, t) = made(50, "xyz", 3), made(50, "xy", 4)
    labels = np.where(t > 0, "high", "low")
    model = FederatedClassifier(
        personalizer=FEW,
        n_rounds=3,
        early_stopping=True,
        validation_fraction=0.4,
        random_state=0,
    )
    model.fit({"a": (X, np.where(y > 0, "high", "low")), "b": (Z, labels)})
    words = check_page(FederationReport.from_estimator(model).to_html()).words
    assert "Validation loss by round" in words
    mixed = FederatedMultiTask(personalizer=FEW, n_rounds=3, random_state=0)
    mixed.fit({"a": (X, y), "b": (Z, labels)})
    words = check_page(FederationReport.from_estimator(mixed).to_html()).words
    assert "binary" in words and "regression" in words


def test_bad_input_is_refused(fitted):
    with pytest.raises(NotFittedError):
        FederationReport.from_estimator(FederatedRegressor())
    with pytest.raises(ClientError, match="comparison has to be what"):
        FederationReport.from_estimator(fitted, pd.DataFrame({"a": [1]}))


def test_many_clients_stay_small():
    rng = np.random.default_rng(0)
    clients = {f"client {k}": made(12, "uvwxyz", k) for k in range(200)}
    model = FederatedRegressor(personalizer=None, n_rounds=3, random_state=0).fit(
        clients
    )
    gain = rng.normal(0, 0.1, 200)
    table = pd.DataFrame(
        {"n_rows": 12, "local": 0.5, "federated": 0.5 + gain, "vs_local": gain,
         "vs_local_se": 0.05}, index=pd.Index(clients, name="client"),
    )  # fmt: skip
    html = FederationReport.from_estimator(model, table).to_html()
    check_page(html)
    assert len(html.encode()) < 5e5
