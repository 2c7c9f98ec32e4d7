import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier

from skfed import (
    FederatedClassifier,
    FederatedMultiTask,
    FederatedRegressor,
    InProcessFederation,
    TableEncoder,
)
from skfed import strategies as S
from skfed.estimators._checkpoints import _tell, table_digest
from skfed.exceptions import CheckpointError
from skfed.federation._tree import load_tree
from skfed.personalization import HierarchicalStacking, PrivateBlock
from skfed.testing import FaultyFederation

rng = np.random.default_rng(0)


def table(names, n=40):
    common = rng.normal(size=n)
    columns = {name: common + rng.normal(size=n) for name in names}
    return pd.DataFrame(columns), common


def clients(numbers=False):
    found = {}
    for name, columns in zip("abcd", ("uvw", "uvx", "vwx", "uwx"), strict=True):
        X, common = table(columns)
        found[name] = X, common if numbers else np.where(common > 0, "high", "low")
    return found


CLASSES, NUMBERS = clients(), clients(numbers=True)
MIXED = {c: (CLASSES if c in "ab" else NUMBERS)[c] for c in "abcd"}

FEW = {"n_rounds": 2, "personalizer": HierarchicalStacking(n_folds=2)}
CASES = {
    "default": (FederatedClassifier, {"n_rounds": 2}),
    "regression": (FederatedRegressor, FEW),
    "loop": (FederatedClassifier, {**FEW, "engine": "loop"}),
    "mixed tasks": (FederatedMultiTask, FEW),
    "early stopping": (
        FederatedClassifier,
        {
            "n_rounds": 4,
            "early_stopping": True,
            "n_iter_no_change": 1,
            "tol": 0.5,
            "validation_fraction": 0.3,
            "strategy": S.FedPer(),
            "personalizer": None,
        },
    ),
    "sampled": (
        FederatedClassifier,
        {
            "n_rounds": 3,
            "client_fraction": 0.5,
            "personalizer": PrivateBlock(),
            "strategy": S.Scaffold(),
        },
    ),
}
STRATEGIES = [
    S.Scaffold(), S.FedPer(), S.FedDyn(), S.FedAdam(), S.Moon(), S.APFL(), S.Ditto(),
]  # fmt: skip
CASES |= {
    type(strategy).__name__: (
        FederatedRegressor,
        {"n_rounds": 3, "strategy": strategy, "personalizer": None},
    )
    for strategy in STRATEGIES
}


def data_of(cls):
    return {FederatedClassifier: CLASSES, FederatedRegressor: NUMBERS}.get(cls, MIXED)


def build(case, **changes):
    cls, parameters = CASES[case]
    return cls(**{"random_state": 0, **parameters, **changes})


def fit(model):
    return model.fit(data_of(type(model)))


def outcome(model):
    """Return all bits that a fit decides."""
    data = data_of(type(model))
    nets = getattr(model, "nets_", None) or {"": model.net_}
    found = {
        f"{group} {name}": value.numpy()
        for group, net in nets.items()
        for name, value in net.module_.state_dict().items()
    }
    for client, (X, _) in data.items():
        found[f"predicted {client}"] = model.predict(X, clients=client)
        steps = model.pipelines_[client][:-1]
        found[f"aligned {client}"] = np.asarray(steps.transform(X))
    history = model.history_.drop(columns="seconds")
    found |= {f"history {name}": history[name].to_numpy() for name in history}
    found["ledger"] = model.ledger_.astype(str).to_numpy()
    found["engine"] = np.array([model.engine_, model.engine_reason_])
    found["rounds"] = np.array([model.n_rounds_, model.best_round_])
    return found


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def steps_of(directory):
    return sorted(name for name in os.listdir(directory) if name.endswith(".npz"))


def cut(directory, n_steps, to):
    """Copy a checkpoint as it was after some steps."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(directory, to)
    for name in steps_of(to)[n_steps:]:
        os.unlink(to / name)


def check_resumes(case, tmp_path, every=1):
    plain = outcome(fit(build(case)))
    assert_same(plain, outcome(fit(build(case, checkpoint=tmp_path / "whole"))))
    n_steps = len(steps_of(tmp_path / "whole"))
    for k in range(n_steps, -1, -every):
        cut(tmp_path / "whole", k, tmp_path / "cut")
        assert_same(plain, outcome(fit(build(case, checkpoint=tmp_path / "cut"))))
        assert len(steps_of(tmp_path / "cut")) == n_steps


@pytest.mark.parametrize("case", [type(strategy).__name__ for strategy in STRATEGIES])
def test_a_fit_resumes_whatever_clients_keep_to_themselves(case, tmp_path):
    check_resumes(case, tmp_path, every=2)


@pytest.mark.parametrize("case", ["early stopping", "sampled"])
def test_a_fit_resumes_from_everywhere(case, tmp_path):
    check_resumes(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["regression", "loop", "mixed tasks"])
def test_a_fit_with_folds_resumes(case, tmp_path):
    check_resumes(case, tmp_path, every=7)


@pytest.mark.slow
def test_the_default_fit_resumes_from_everywhere(tmp_path):
    check_resumes("default", tmp_path)


def plain(**changes):
    """Return a small estimator of few steps."""
    parameters = {"random_state": 0, "n_rounds": 2, "personalizer": None}
    return FederatedClassifier(**{**parameters, **changes})


@pytest.mark.parametrize("engine", ["auto", "loop"])
def test_an_interrupted_fit_leaves_a_checkpoint(engine, tmp_path):
    whole = outcome(fit(plain(engine=engine)))
    n_steps = 0
    for k in range(100):
        shutil.rmtree(tmp_path, ignore_errors=True)
        model = plain(engine=engine, checkpoint=tmp_path)
        try:
            fit(clone(model).set_params(federation=FaultyFederation(interrupt=k)))
        except KeyboardInterrupt:
            n_steps = len(steps_of(tmp_path))
            assert n_steps == k
            assert_same(whole, outcome(fit(model)))
        else:
            break
    assert n_steps == k - 1 > 5


def test_a_fit_without_random_state_goes_on_with_its_seed(tmp_path):
    model = plain(random_state=None, checkpoint=tmp_path)
    first = outcome(fit(model))
    assert_same(first, outcome(fit(clone(model))))
    shared = clone(model).set_params(random_state=np.random.RandomState(3))
    assert_same(first, outcome(fit(shared)))


def test_a_warm_start_is_another_fit(tmp_path):
    def both(first, second):
        model = plain(warm_start=True, checkpoint=first)
        return fit(fit(model).set_params(checkpoint=second))

    expected = outcome(both(None, None))
    assert_same(expected, outcome(both(tmp_path / "1", tmp_path / "2")))
    cut(tmp_path / "2", 6, tmp_path / "3")
    assert_same(expected, outcome(both(tmp_path / "1", tmp_path / "3")))
    with pytest.raises(CheckpointError, match="weights of the fit before"):
        both(tmp_path / "1", tmp_path / "1")


@pytest.mark.parametrize("federation", [{"n_jobs": 2}, {"isolate": True}], ids=str)
def test_other_workers_go_on_with_a_fit(federation, tmp_path):
    model = plain(strategy=S.FedPer(), engine="loop", checkpoint=tmp_path / "whole")
    expected = outcome(fit(model))
    cut(tmp_path / "whole", 8, tmp_path / "cut")
    again = clone(model).set_params(
        checkpoint=tmp_path / "cut", federation=InProcessFederation(**federation)
    )
    found = outcome(fit(again))
    assert_same(expected, found)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("finished") / "checkpoint"
    fit(plain(checkpoint=place))
    return place


@pytest.fixture
def copy(finished, tmp_path):
    cut(finished, 100, tmp_path / "copy")
    return tmp_path / "copy"


def refused(place, text, data=CLASSES, **changes):
    with pytest.raises(CheckpointError, match=text) as caught:
        plain(checkpoint=place, **changes).fit(data)
    assert str(place) in str(caught.value)


def test_a_damaged_file_is_refused(copy):
    for data in (b"", b"no zip", (copy / "000003.npz").read_bytes()[:-30]):
        (copy / "000003.npz").write_bytes(data)
        refused(copy, "damaged file, 000003.npz")


def test_a_flipped_bit_is_refused(copy):
    data = bytearray((copy / "000005.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "000005.npz").write_bytes(data)
    refused(copy, "damaged file, 000005.npz")


def test_a_missing_file_is_refused(copy):
    os.unlink(copy / "000002.npz")
    refused(copy, "lacks 000002.npz, but has 000003.npz")


def test_a_file_of_another_checkpoint_is_refused(copy, tmp_path):
    fit(plain(checkpoint=tmp_path / "other"))
    shutil.copy(tmp_path / "other" / "000004.npz", copy)
    refused(copy, "a file of another checkpoint, 000004.npz")


def test_objects_in_a_file_are_refused(copy):
    class Harmful:
        def __reduce__(self):
            return os.unlink, (str(copy / "head.json"),)

    np.savez(copy / "000003.npz", head=np.array([Harmful()], dtype=object))
    refused(copy, "damaged file, 000003.npz")
    assert (copy / "head.json").exists()


def test_a_foreign_directory_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter 1")
    refused(tmp_path, "not empty and has no head.json")
    assert os.listdir(tmp_path) == ["thesis.txt"]


@pytest.mark.parametrize(
    "text, problem",
    [("{}", "cannot be read"), ("{", "cannot be read"), ('{"format": 2}', "format 2")],
)
def test_a_head_that_is_none_is_refused(copy, text, problem):
    (copy / "head.json").write_text(text)
    refused(copy, problem)


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"n_rounds": 3}, "n_rounds was 2 and is 3"),
        ({"random_state": 1}, "random_state"),
        ({"strategy": S.FedProx(mu=0.5)}, "strategy was .*FedAvg and is .*FedProx"),
        ({"engine": "loop"}, "engine was 'auto' and is 'loop'"),
        ({"encoder": TableEncoder(min_count=6)}, "encoder__min_count was 5 and is 6"),
    ],
)
def test_another_recipe_is_refused(finished, changes, text):
    refused(finished, text, **changes)


def test_other_clients_are_refused(finished):
    refused(finished, "without 'd'", {c: CLASSES[c] for c in "abc"})
    refused(finished, "with 'e'", {**CLASSES, "e": CLASSES["a"]})


def test_other_tables_are_refused(finished):
    X, y = CLASSES["b"]
    changed = X.copy()
    changed.iloc[3, 1] += 1e-9
    for pair in ((changed, y), (X, np.roll(y, 1)), (X.rename(columns={"u": "z"}), y)):
        refused(finished, "table or target of 'b'", {**CLASSES, "b": pair})


def test_rows_of_other_names_are_other_tables():
    X, y = CLASSES["a"]
    named = X.set_axis([f"row {i}" for i in range(len(X))])
    again = named.copy()
    assert table_digest(named, y) == table_digest(again, y)
    assert table_digest(named, y) != table_digest(X, y)
    assert table_digest(named[::-1], y) != table_digest(named, y)


def test_a_net_is_told_by_what_it_holds():
    def net(weight):
        module = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 2))
        criterion = {"criterion__weight": torch.tensor([1.0, weight])}
        return NeuralNetClassifier(module, **criterion)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        one = net(2.0)
        torch.manual_seed(0)
        same = net(2.0)
        other = net(2.5)
    found = [{}, {}, {}]
    for model, texts in zip((one, same, other), found, strict=True):
        _tell(model, "net", texts, ())
    assert found[0] == found[1] != found[2]
    changed = {name for name in found[0] if found[0][name] != found[2][name]}
    assert "net__criterion__weight" in changed


def test_clients_that_answer_otherwise_are_refused(copy, monkeypatch):
    monkeypatch.setattr("skfed.estimators._checkpoints.table_digest", lambda *_: "")
    head = json.loads((copy / "head.json").read_text())
    head["clients"] = dict.fromkeys(head["clients"], "")
    (copy / "head.json").write_text(json.dumps(head))
    X, y = CLASSES["b"]
    refused(copy, "'describe', client 'b'", {**CLASSES, "b": (X.iloc[1:], y[1:])})


def test_a_place_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "inside", "cannot be (written|read)")


def test_no_row_and_no_pickle_is_in_a_checkpoint(copy):
    n = len(CLASSES["a"][0])
    assert set(os.listdir(copy)) == {"head.json", *steps_of(copy)}
    for name in steps_of(copy):
        with np.load(copy / name, allow_pickle=False) as members:
            assert all(members[key].dtype.kind in "biufSU" for key in members.files)
        step = load_tree(copy / name)
        assert not any(shape[:1] == (n,) for shape in shapes(step))


def shapes(value):
    if isinstance(value, np.ndarray):
        yield value.shape
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for part in parts:
            yield from shapes(part)
