"""What Flower's users write and get, as far as that needs no Flower."""

import json
import sys
import tomllib

import numpy as np
import pytest

from skfed import ClientError, FederatedClassifier, FederatedRegressor
from skfed.alignment import UnionAligner
from skfed.federation import FlowerFederation
from skfed.sites import read_config, read_recipe, write_recipe
from skfed.sites._command import main
from skfed.sites._flower_app import write_fit
from tests.clients import make_clients

SITE = """
name = "north"
target = "price"
state = "north"
[data]
csv = "houses.csv"
"""
FLOWER = SITE + '[flower]\nsuperlink = "flower.example.org:443"\n'


def written(directory, text):
    path = directory / "north.toml"
    path.write_text(text)
    return path


def test_the_section_flower_is_read(tmp_path):
    text = FLOWER + 'root_certificates = "ca.crt"\nkey = "north.key"\n'
    found = read_config(written(tmp_path, text)).flower
    assert found.superlink == "flower.example.org:443"
    assert found.root_certificates == tmp_path / "ca.crt"
    assert found.key == tmp_path / "north.key"


@pytest.mark.parametrize(
    "text, why",
    [
        (SITE + '[flower]\nkey = "k"\n', "flower.superlink"),
        (SITE + '[flower]\nsuperlink = "example.org"\n', "host:port"),
        (FLOWER + 'cert = "ca.crt"\n', "flower.cert.*unknown"),
    ],
)
def test_a_section_that_cannot_be_used_is_named(tmp_path, text, why):
    with pytest.raises(ClientError, match=why):
        read_config(written(tmp_path, text))


def test_a_site_without_the_section_does_not_run(tmp_path, capsys):
    assert main(["run", str(written(tmp_path, SITE))]) == 1
    assert "[flower] is missing" in capsys.readouterr().err


def test_the_app_has_what_flower_asks_of_one(tmp_path):
    assert main(["app", str(tmp_path / "app")]) == 0
    project = tomllib.loads((tmp_path / "app" / "pyproject.toml").read_text())
    app = project["tool"]["flwr"]["app"]
    assert (tmp_path / "app" / project["project"]["license"]["file"]).exists()
    for module in app["components"].values():
        file = module.split(":")[0].replace(".", "/") + ".py"
        compile((tmp_path / "app" / file).read_text(), file, "exec")
    assert set(app["config"]) == {"recipe", "out", "clients", "timeout", "checkpoint"}


def test_a_recipe_comes_back_from_its_file(tmp_path):
    model = FederatedClassifier(
        aligner=UnionAligner(),
        n_rounds=3,
        federation=FlowerFederation(),
        checkpoint="x",
    )
    write_recipe(model, tmp_path / "recipe.json")
    found = read_recipe(tmp_path / "recipe.json")
    assert repr(found) == repr(model.set_params(federation=None, checkpoint=None))


def test_a_recipe_names_no_foreign_class(tmp_path):
    file = tmp_path / "recipe.json"
    write_recipe(FederatedRegressor(), file)
    node = json.loads(file.read_text())
    node["estimator"]["class"] = "subprocess.Popen"
    file.write_text(json.dumps(node))
    with pytest.raises(ClientError, match="subprocess"):
        read_recipe(file)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_fit_is_written_without_pickles(tmp_path, task):
    kind = FederatedClassifier if task == "classification" else FederatedRegressor
    model = kind(n_rounds=2, personalizer=None, random_state=0).fit(make_clients(task))
    write_fit(model, tmp_path / "out")
    with np.load(tmp_path / "out" / "weights.npz", allow_pickle=False) as weights:
        for name, value in model.net_.module_.state_dict().items():
            np.testing.assert_array_equal(weights[name], value.numpy())
    told = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert told["clients"] == model.client_names_
    assert told["n_rounds"] == 2
    assert (tmp_path / "out" / "ledger.csv").stat().st_size


def test_without_flower_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "flwr", None)
    with pytest.raises(ImportError, match=r"skfed\[flower\]"):
        FederatedClassifier(federation=FlowerFederation()).fit()


@pytest.mark.parametrize("given", [{"clients": []}, {"n_sites": 0}])
def test_a_fit_needs_a_site(given):
    with pytest.raises(ClientError, match="needs a site"):
        FlowerFederation(**given).open()
