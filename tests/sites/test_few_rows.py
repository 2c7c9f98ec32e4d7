"""No recipe and no order of messages makes a site tell of a few rows."""

from types import SimpleNamespace

import numpy as np
import pytest

from skfed.preprocessing import FederatedSimpleImputer, FederatedStandardScaler
from skfed.preprocessing._disclosure import at_site
from skfed.sites import SiteRunner
from skfed.training._describe import _split
from tests.clients import make_clients
from tests.real_sites import ask, make_sites, refused, with_policy
from tests.sites.test_policy import begun, recipe

TOLD = {"seed": 0, "n_clients": 2, "client": 0}
STOPS = {"early_stopping": True, "validation_fraction": 0.5}


@pytest.fixture
def config(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients())
    return configs[0]


def rows_of(fraction, n, n_clients):
    """Return how many rows are trained on and held out."""
    plan = SimpleNamespace(
        validation_fraction=fraction, early_stopping=True, min_count=5, task="other"
    )
    state = {"n_clients": n_clients, "seed": 0, "client": 0}
    return tuple(map(len, _split(plan, state, np.zeros(n))))


def test_neither_part_of_a_split_has_few_rows():
    assert rows_of(0.996, 200, 2) == (200, 0)
    assert rows_of(0.97, 200, 2) == (6, 194)
    assert rows_of(0.1, 200, 2) == (180, 20)


def test_a_server_that_says_there_is_one_client_changes_nothing():
    assert rows_of(0.1, 20, 1) == (18, 2)
    with at_site():
        assert rows_of(0.1, 20, 1) == rows_of(0.1, 20, 2) == (20, 0)


def test_a_recipe_that_holds_out_nearly_all(config):
    given = {**STOPS, "validation_fraction": 0.6}
    answer = ask(SiteRunner(config), "prepare", {"recipe": recipe(**given)})
    assert refused(answer)
    assert "validation_fraction=0.6" in answer.reason
    assert "n_rows" in ask(SiteRunner(config), "prepare", {"recipe": recipe(**STOPS)})


def test_few_rows_are_not_trained_on(tmp_path):
    table, y = make_clients()["a"]
    configs, _ = make_sites(tmp_path, {"a": (table[:4], y[:4])})
    config = with_policy(configs[0], target="labels")
    runner = SiteRunner(config)
    text = recipe(aligner="passthrough", personalizer=None)
    ask(runner, "prepare", {"recipe": text})
    assert ask(runner, "describe", TOLD, number=1)["n_rows"] == 4
    for task in ("align", "train", "evaluate"):
        answer = ask(runner, task, {"round": 1}, number=2)
        assert refused(answer)
        assert "fewer than min_count=5 rows" in answer.reason


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"client": 1}, {"n_clients": 3}, {"newcomer": True}]
)
def test_other_rows_cannot_be_described(config, change):
    runner = begun(config, early_stopping=True)
    answer = ask(runner, "describe", {**TOLD, **change}, number=2)
    assert refused(answer)
    assert "for other rows" in answer.reason
    assert "n_rows" in ask(runner, "describe", TOLD, number=2)
    fresh = SiteRunner(config)  # a new process knows it too
    assert refused(ask(fresh, "describe", {**TOLD, **change}, number=3))


def test_a_seed_is_a_number(config):
    runner = begun(config)
    answer = ask(runner, "describe", {**TOLD, "seed": np.zeros(3)}, number=2)
    assert "takes whole numbers" in answer.reason


def test_fits_inside_the_fit_have_its_seed(config):
    runner = begun(config, personalizer="auto")
    scope = {"scope": "main, fold 1", "network": "", "fold": 0}
    answer = ask(runner, "describe", {**TOLD, **scope, "seed": 1}, number=2)
    assert refused(answer)
    assert "the seed of the fit" in answer.reason


def test_evaluations_end_with_the_rounds(config):
    runner = begun(config, early_stopping=True)
    runner._store.state["asked"]["evaluate", ""] = 2
    answer = ask(runner, "evaluate", {"round": 1}, number=2)
    assert refused(answer)
    assert "n_rounds=2, and as many are evaluated" in answer.reason


def column(n_ones):
    return (np.arange(40) < n_ones).astype(float)[:, None]


@pytest.mark.parametrize(
    "n_ones, told", [(0, True), (1, False), (9, False), (10, True)]
)
@pytest.mark.parametrize("kind", [FederatedStandardScaler, FederatedSimpleImputer])
def test_a_site_sends_no_moments_of_nearly_constant_columns(kind, n_ones, told):
    X = column(n_ones)
    X[20] = np.nan
    step = kind(min_count=10)
    assert step.client_statistics(X)["columns"] == ["x0"]
    with at_site():
        sent = step.client_statistics(X)
    assert sent["columns"] == (["x0"] if told else [])
    assert len(sent["mean"]) == told


def test_nor_of_one_class(config):
    y = np.tile(["a", "b"], 20)
    X = np.r_[column(12), column(12)][:40]
    X[(y == "a") & (np.arange(40) > 1)] = 0.0  # one cell of 20 in the class
    scaler = FederatedStandardScaler("balanced", min_count=5)
    assert np.isfinite(scaler.client_statistics(X, y)["profile"]).all()
    with at_site():
        sent = scaler.client_statistics(X, y)
    assert sent["columns"] == ["x0"]
    assert np.isnan(sent["profile"]).all()


def test_fits_of_a_day_are_counted(config):
    config = with_policy(config, max_fits=2)
    text = recipe(aligner="passthrough", personalizer=None)
    for fit in ("one", "one"):  # a fit that starts again could have another recipe
        assert "n_rows" in ask(SiteRunner(config), "prepare", {"recipe": text}, fit)
        ask(SiteRunner(config), "describe", TOLD, fit, 1)
    answer = ask(SiteRunner(config), "prepare", {"recipe": text}, "two")
    assert refused(answer)
    assert "policy.max_fits=2" in answer.reason
    path = config.state / "fits.json"
    path.write_text(path.read_text().replace('"day": "20', '"day": "19'))
    assert "n_rows" in ask(SiteRunner(config), "prepare", {"recipe": text}, "two")
