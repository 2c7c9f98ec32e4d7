"""Fits over a SuperLink and three sites, all processes of their own, with faults."""

import shutil
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs skfed[flower]")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning"),
]

from examples.sites import three_hospitals as hospitals  # noqa: E402
from examples.sites.loopback import Loopback  # noqa: E402
from skfed import FederatedClassifier  # noqa: E402
from skfed.exceptions import ClientFailureWarning  # noqa: E402
from skfed.federation import FlowerFederation  # noqa: E402
from skfed.sites import load_pipeline  # noqa: E402

WHOLE = 300.0  # seconds that anything may take on a busy machine
NAMES = list(hospitals.COLUMNS)


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    with Loopback(tmp_path_factory.mktemp("loop")) as loop:
        for name, table in hospitals.hospitals().items():
            hospitals.write_site(loop, name, table)
            hospitals.start_site(loop, name)
        yield loop


def federation(loop, **parameters):
    given = {"clients": NAMES, "patience": WHOLE, "timeout": WHOLE} | parameters
    return FlowerFederation(loop.superlink, root_certificates=loop.certificate, **given)


def model(federation=None, **parameters):
    given = {"n_rounds": 3, "personalizer": None, "random_state": 0} | parameters
    return FederatedClassifier(engine="loop", federation=federation, **given)


@pytest.fixture(scope="module")
def expected(loop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hospitals.in_one_process(model(), loop.directory)


def when_trained(loop, name, act):
    """Do something, in another thread, after a site has trained in one more round."""

    def watch():
        while trainings(loop, name) == before and time.monotonic() < end:
            time.sleep(0.05)
        act()

    before, end = trainings(loop, name), time.monotonic() + WHOLE
    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def trainings(loop, name):
    log = loop.directory / f"{name}_state" / "sent.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return sum('"task": "train"' in line and '"again"' not in line for line in lines)


def test_the_default_estimator_is_the_same_at_real_sites(loop):
    own = model(federation(loop), n_rounds=2, personalizer="auto").fit()
    here = hospitals.in_one_process(own, loop.directory)
    assert hospitals.is_same(own, here)
    for name, table in hospitals.hospitals().items():
        site = load_pipeline(loop.directory / f"{name}.toml")
        rows = table.drop(columns="malignant").reset_index(drop=True)
        np.testing.assert_array_equal(
            site.predict_proba(), here.predict_proba({name: rows})[name]
        )


@pytest.mark.parametrize("forgets", [False, True])
def test_a_site_killed_in_a_round_and_started_again_changes_nothing(
    loop, expected, forgets
):
    def act():
        loop.kill("riverside")
        if forgets:
            shutil.rmtree(loop.directory / "riverside_state" / "fit")
        hospitals.start_site(loop, "riverside")

    thread = when_trained(loop, "riverside", act)
    found = model(federation(loop)).fit()
    thread.join()
    assert hospitals.is_same(found, expected)


def test_a_fit_goes_on_without_a_site_that_was_killed(loop):
    thread = when_trained(loop, "southgate", lambda: loop.kill("southgate"))
    with pytest.warns(ClientFailureWarning, match="southgate"):
        found = model(federation(loop, timeout=40.0), min_clients=2).fit()
    thread.join()
    hospitals.start_site(loop, "southgate")
    assert found.n_rounds_ == 3


DRIVER = """
import sys, warnings
from skfed import FederatedClassifier
from skfed.federation import FlowerFederation
warnings.simplefilter("ignore")
link, certificate, checkpoint, *names = sys.argv[1:]
federation = FlowerFederation(
    link, root_certificates=certificate, clients=names, patience=300, timeout=300
)
FederatedClassifier(
    n_rounds=3, personalizer=None, random_state=0, engine="loop",
    federation=federation, checkpoint=checkpoint,
).fit()
"""


def test_a_server_that_was_killed_goes_on_from_its_checkpoint(loop, expected, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    arguments = [loop.superlink, loop.certificate, checkpoint, *NAMES]
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, *map(str, arguments)])
    try:
        when_trained(loop, "northside", driver.kill).join()
    finally:
        driver.kill()
    assert driver.wait() != 0, "the driver had ended before it was killed"
    before = trainings(loop, "northside")
    found = model(federation(loop), checkpoint=checkpoint).fit()
    assert hospitals.is_same(found, expected)
    assert trainings(loop, "northside") - before <= 2, "all rounds were made again"
