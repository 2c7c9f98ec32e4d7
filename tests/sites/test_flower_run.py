"""The official way, ``flwr run``: Flower starts all processes of a fit."""

import json
import time

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs skfed[flower]")
pytestmark = pytest.mark.slow

from examples.sites import three_hospitals  # noqa: E402
from examples.sites.loopback import BIN, Loopback, free_port  # noqa: E402
from skfed import FederatedClassifier  # noqa: E402
from skfed.alignment import IntersectionAligner  # noqa: E402
from skfed.sites import read_recipe, write_recipe  # noqa: E402

WHOLE = 900.0  # seconds: each message starts a process that imports everything


@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
def test_flwr_run_gives_the_weights_of_one_process(tmp_path):
    names = ("northside", "riverside")
    model = FederatedClassifier(
        aligner=IntersectionAligner(),
        n_rounds=1,
        personalizer=None,
        random_state=0,
        engine="loop",
    )
    recipe, out = tmp_path / "recipe.json", tmp_path / "out"
    write_recipe(model, recipe)
    assert repr(read_recipe(recipe)) == repr(model)
    with Loopback(tmp_path, isolation="subprocess") as loop:
        tables = three_hospitals.hospitals()
        for name in names:
            config = three_hospitals.write_site(loop, name, tables[name])
            command = ("supernode", "--port", free_port(), config)
            loop.start(name, BIN / "python", "-m", "skfed.sites", *command)
        loop.call(BIN / "python", "-m", "skfed.sites", "app", "app")
        clients = ",".join(names)
        given = f'recipe="{recipe}" out="{out}" clients="{clients}"'
        said = loop.call(
            *("flwr", "run", "app", "loop", "--format", "json", "--run-config", given)
        )
        run = json.loads(said[said.index("{") :])
        assert run["success"], said
        status = wait_for(loop, run["run-id"])
        assert status == "finished:completed", loop.log("superlink")
    told = json.loads((out / "fit.json").read_text())
    assert told["clients"] == list(names)
    expected = three_hospitals.in_one_process(model, tmp_path, names)
    with np.load(out / "weights.npz") as found:
        for name, value in expected.net_.module_.state_dict().items():
            np.testing.assert_array_equal(found[name], value.numpy())


def wait_for(loop, run_id):
    """Return how a run has ended."""
    end = time.monotonic() + WHOLE
    while time.monotonic() < end:
        said = loop.call("flwr", "list", "loop", "--run-id", run_id, "--format", "json")
        status = json.loads(said[said.index("{") :])["runs"][0]["status"]
        if status.startswith("finished"):
            return status
        time.sleep(2)
    return f"not within {WHOLE:g} s"
