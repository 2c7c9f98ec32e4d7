"""The reports of real clients in a browser, where one is installed."""

import shutil
import subprocess

import numpy as np
import pytest

from skfed import FederatedMultiTask, FederatedRegressor, compare
from skfed.datasets import load_house_prices, load_schools
from skfed.personalization import HierarchicalStacking
from skfed.report import FederationReport

from .pages import check_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
    pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning"),
]
FEW = HierarchicalStacking(members=["local", "federated"], n_folds=2)
# what the page finds out about itself: requests made, and whether it scrolls sideways
PROBE = """<script>addEventListener("load", () => {
const asked = performance.getEntriesByType("resource").length;
const wide = document.documentElement.scrollWidth - innerWidth;
document.documentElement.dataset.asked = asked;
document.documentElement.dataset.wide = Math.max(wide, 0);
})</script>"""


def opened(html, path, width, dark):
    """Open a page from a file, and return what became of it and the browser's log."""
    # the probe is the test's own; a report has no script
    path.write_text(html.replace("</body>", f"{PROBE}</body>"), "utf-8")
    run = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
            "--enable-logging=stderr",
            f"--user-data-dir={path.parent / 'profile'}", f"--window-size={width},900",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--virtual-time-budget=2000", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def check_in_browser(report, tmp_path):
    html = report.to_html()
    check_page(html)
    for width, dark in ((1200, False), (390, True)):
        dom, console = opened(html, tmp_path / "report.html", width, dark)
        assert console == []
        assert 'data-asked="0"' in dom and 'data-wide="0"' in dom
        assert dom.count("<svg") == html.count("<svg")
        for section in report.sections:
            assert section.title in dom and section.content


@pytest.fixture(scope="module")
def houses():
    clients = load_house_prices(return_clients=True)
    return {name: (X.iloc[:150], y[:150]) for name, (X, y) in clients.items()}


def test_house_prices(houses, tmp_path):
    check_in_browser(FederationReport.from_clients(houses), tmp_path)
    model = FederatedRegressor(personalizer=FEW, n_rounds=5, random_state=0)
    table = compare(model, houses, cv=2, baselines=["local_linear"], n_bootstrap=20)
    report = FederationReport.from_estimator(model.fit(houses), comparison=table)
    check_in_browser(report, tmp_path)


def test_schools(tmp_path):
    schools = load_schools(return_clients=True)
    report = FederationReport.from_clients(schools, tasks="regression")
    check_in_browser(report, tmp_path)
    model = FederatedRegressor(personalizer=FEW, n_rounds=3, random_state=0)
    check_in_browser(FederationReport.from_estimator(model.fit(schools)), tmp_path)


def test_mixed_tasks(houses, tmp_path):
    high = {"boston_ma": 12.5, "canton_ny": 11.5, "andover_ma": 11.4}
    clients = {
        name: (X, np.where(y > high[name], "high", "low") if name in high else y)
        for name, (X, y) in houses.items()
    }
    check_in_browser(FederationReport.from_clients(clients), tmp_path)
    model = FederatedMultiTask(personalizer=FEW, n_rounds=3, random_state=0)
    check_in_browser(FederationReport.from_estimator(model.fit(clients)), tmp_path)
