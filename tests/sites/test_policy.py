"""A server that asks for what is not allowed gets a reason, and nothing else."""

import io
import json
import zipfile

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OneHotEncoder

from skfed import ClientError, FederatedClassifier
from skfed.alignment import AnchorAligner, FactorAligner
from skfed.federation import Broadcast, Failure, drive
from skfed.federation._envelope import Request, decode_answer, encode_request
from skfed.federation._payload import encode_payload
from skfed.personalization import HierarchicalStacking
from skfed.sites import SiteRunner
from skfed.testing import LoopbackFederation
from skfed.training._recipe import encode_plan
from tests.clients import make_clients
from tests.real_sites import ask, log_of, make_sites, refused, with_policy


@pytest.fixture
def config(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients())
    return configs[0]


def recipe(**parameters):
    """Return a recipe as any server would write it."""
    from skfed.data._reader import read_clients

    parameters = {"n_rounds": 2, "random_state": 0, **parameters}
    groups = FederatedClassifier(**parameters)._groups(read_clients(make_clients()), {})
    return encode_plan(groups.plan)


def begun(config, **parameters):
    """Return a site's runner in a fit that has been described and aligned alone."""
    runner = SiteRunner(config)
    given = {"aligner": "passthrough", "personalizer": None, **parameters}
    assert ask(runner, "prepare", {"recipe": recipe(**given)})["n_rows"] == 40
    told = {"seed": 0, "n_clients": 2, "client": 0}
    described = ask(runner, "describe", told, number=1)
    assert described["n_rows"] == 40
    return runner


def events(config, event):
    return [line for line in log_of(config) if line["event"] == event]


def assert_refused(config, answer, reason):
    """Nothing left but a reason, which the log has too."""
    assert refused(answer), answer
    assert reason in answer.reason
    assert not events(config, "sent")
    (line,) = events(config, "refused")
    assert reason in line["reason"]


@pytest.mark.parametrize("task", ["steal", "", "__class__", "rows", "TASKS"])
def test_unknown_tasks(config, task):
    answer = ask(SiteRunner(config), task)
    assert_refused(config, answer, f"there is no task {task!r}")


def test_tasks_that_are_not_allowed(config):
    config = with_policy(config, tasks=("prepare", "describe"))
    answer = ask(SiteRunner(config), "train")
    assert_refused(config, answer, "'train' is not among those of policy.tasks")
    assert refused(ask(SiteRunner(config), "introduce"))


def test_a_lower_min_count_than_the_sites(config):
    config = with_policy(config, min_count=10)
    answer = ask(SiteRunner(config), "prepare", {"recipe": recipe(min_count=9)})
    assert_refused(config, answer, "less than this site's min_count, 10")


def test_a_lower_min_count_in_one_step(config):
    aligner = FactorAligner(min_count=2)
    answer = ask(SiteRunner(config), "prepare", {"recipe": recipe(aligner=aligner)})
    assert_refused(config, answer, "aligner__min_count")


def test_more_rounds_than_allowed(config):
    config = with_policy(config, max_rounds=1)
    answer = ask(SiteRunner(config), "prepare", {"recipe": recipe(n_rounds=2)})
    assert_refused(config, answer, "policy.max_rounds=1")


def test_more_folds_than_allowed(config):
    personalizer = HierarchicalStacking(n_folds=40)
    text = recipe(personalizer=personalizer)
    answer = ask(SiteRunner(config), "prepare", {"recipe": text})
    assert_refused(config, answer, "policy.max_folds=10")


def test_a_class_outside_the_list(config):
    evil = json.loads(recipe())
    evil["plan"]["aligner"] = {"class": "subprocess.Popen", "params": {"args": "true"}}
    answer = ask(SiteRunner(config), "prepare", {"recipe": json.dumps(evil)})
    assert_refused(config, answer, "'subprocess.Popen', which is not among the classes")


def test_numbers_told_as_labels(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients("regression"))
    answer = ask(SiteRunner(configs[0]), "prepare", {"recipe": recipe()})
    assert_refused(configs[0], answer, "the recipe wants labels")
    allowed = with_policy(configs[0], target="labels")
    assert "n_rows" in ask(SiteRunner(allowed), "prepare", {"recipe": recipe()})


def test_names_told_as_labels(tmp_path):
    table, _ = make_clients()["a"]
    names = [f"patient {i}" for i in range(len(table))]
    configs, _ = make_sites(tmp_path, {"a": (table, names)})
    answer = ask(SiteRunner(configs[0]), "prepare", {"recipe": recipe()})
    assert_refused(configs[0], answer, "the recipe wants labels")


@pytest.mark.parametrize("step", [OneHotEncoder(), CountVectorizer()])
def test_steps_that_name_their_columns_by_values(config, step):
    text = recipe(encoder=step)
    answer = ask(SiteRunner(config), "prepare", {"recipe": text})
    assert_refused(config, answer, "tell values of single rows")
    name = f"{type(step).__module__}.{type(step).__qualname__}"
    allowed = with_policy(config, classes=(*config.policy.classes, name))
    assert "n_rows" in ask(SiteRunner(allowed), "prepare", {"recipe": text})


def test_rows_asked_for_by_their_names(config):
    text = recipe(aligner=AnchorAligner([0, 1]))
    answer = ask(SiteRunner(config), "prepare", {"recipe": text})
    assert_refused(config, answer, "policy.anchors")
    allowed = with_policy(config, anchors=True)
    assert "n_rows" in ask(SiteRunner(allowed), "prepare", {"recipe": text})


def test_a_message_in_place_of_a_recipe(config):
    for payload in ({}, {"recipe": 1}, {"recipe": recipe(), "more": 1}):
        assert refused(ask(SiteRunner(config), "prepare", payload))
    assert not events(config, "sent")
    assert len(events(config, "refused")) == 3


def npz(**members):
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


def squeezed(data):
    """Return the same archive, compressed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return file.getvalue()


def claiming():
    """Return an archive with an array that says it has a terabyte."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        member = io.BytesIO()
        head = {"descr": "<f8", "fortran_order": False, "shape": (10**11,)}
        np.lib.format.write_array_header_1_0(member, head)
        target.writestr("head.npy", member.getvalue())
    return file.getvalue()


def head(**plain):
    text = json.dumps({name: ["plain", value] for name, value in plain.items()})
    return np.frombuffer(text.encode(), dtype=np.uint8)


GOOD = encode_request(Request("describe", {"x": np.zeros(3)}))
OBJECTS = np.array([{"a": 1}], dtype=object)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a message",
        GOOD[:-30],
        GOOD[:40] + b"\0" * 20 + GOOD[60:],
        squeezed(encode_request(Request("describe", {"x": np.zeros(10**6)}))),
        claiming(),
        npz(head=OBJECTS),
        npz(head=head(fit="f", number=0, task="describe"), a0=OBJECTS),
        npz(other=np.zeros(1)),
        npz(head=np.frombuffer(b"[1, 2]", dtype=np.uint8)),
        npz(head=np.frombuffer(b"[" * 100_000, dtype=np.uint8)),
        npz(head=head(fit="f", number=-1, task="describe")),
        npz(head=head(fit="f", number=True, task="describe")),
        npz(head=head(fit=None, number=0, task="describe")),
        npz(head=head(fit="f", number=0)),
        npz(head=head(fit="f", number=0, task="describe", extra=1)),
        npz(head=head(fit="f", number=0, task="describe", **{"p/x": {"a": 1}})),
        encode_payload({"task": "describe"}),
    ],
)
def test_malformed_bytes_and_objects(config, data):
    answer = decode_answer(SiteRunner(config).answer(data))
    assert refused(answer)
    assert answer.reason == "Refusal: the message cannot be read"
    assert not events(config, "sent")
    assert len(events(config, "refused")) == 1


def test_oversized_bytes(config):
    config = with_policy(config, max_bytes=10_000)
    answer = ask(SiteRunner(config), "describe", {"x": np.zeros(2000)})
    assert refused(answer)
    (line,) = events(config, "refused")
    assert "more than 10000" in line["reason"]


def test_eight_megabytes_pass(config):
    answer = ask(SiteRunner(config), "describe", {"x": np.zeros(2**20)})
    assert answer.lost  # read, and of a fit that the site does not know


def test_rounds_beyond_the_recipe(config):
    runner = begun(config)
    for round, reason in ((201, "max_rounds"), (-1, "max_rounds"), ("1", "max_rounds")):
        answer = ask(runner, "train", {"round": round}, number=2)
        assert refused(answer)
        assert reason in answer.reason
    runner._store.head.trained[""] = 100
    answer = ask(runner, "train", {"round": 1}, number=2)
    assert refused(answer)
    assert "n_rounds=2, and as many are trained" in answer.reason


@pytest.mark.parametrize(
    "scope, network, fold",
    [
        ("main, fold 9", "", 8),
        ("x", "", 0),
        ("all", "all", -1),
        ("main, fold 1", "", "0"),
    ],
)
def test_fits_inside_the_fit_that_the_recipe_lacks(config, scope, network, fold):
    runner = begun(config, personalizer="auto")
    payload = {"scope": scope, "network": network, "fold": fold}
    answer = ask(runner, "describe", payload, number=2)
    assert refused(answer)
    assert "no fit" in answer.reason


def test_folds_that_the_recipe_lacks(config):
    runner = begun(config, personalizer="auto")
    answer = ask(runner, "split", {"n_folds": 40}, number=2)
    assert refused(answer)
    assert "n_folds=3" in answer.reason


def test_a_recipe_in_the_middle_of_a_fit(config):
    runner = begun(config)
    answer = ask(runner, "prepare", {"recipe": recipe()}, number=2)
    assert refused(answer)
    assert refused(ask(runner, "prepare", {"recipe": recipe()}, fit=""))


def test_the_text_of_an_error_stays_at_home(config):
    path = config.data.csv
    frame = path.read_text().splitlines()
    frame[1] = frame[1].replace("tall", "SECRET").replace("short", "SECRET")
    path.write_text("\n".join(frame))
    runner = SiteRunner(config)
    given = {"encoder": "passthrough", "aligner": "passthrough", "personalizer": None}
    ask(runner, "prepare", {"recipe": recipe(**given)})
    ask(runner, "describe", {"seed": 0, "n_clients": 2, "client": 0}, number=1)
    answer = ask(
        runner, "align", {"own_columns": False, "classes": [0, 1, 2]}, number=2
    )
    assert answer.reason == "ClientError at the site, whose log says more"
    (line,) = events(config, "failed")
    assert "SECRET" in line["reason"]
    assert "SECRET" not in answer.trace


def test_our_own_errors_are_told(config):
    runner = begun(config)
    runner._cohort.targets["a"] = runner._cohort.targets["a"][:-1]
    answer = ask(runner, "describe", {"seed": 0, "n_clients": 2, "client": 0}, number=2)
    assert isinstance(answer.error, ClientError)
    assert "has 40 rows but 39 targets" in answer.reason


def test_the_log_grows_and_names_what_was_sent(config):
    begun(config)
    before = log_of(config)
    (told,) = [line for line in before if line["task"] == "describe"]
    assert told["event"] == "sent"
    assert told["entries"][0] == ["n_rows", [], "int", 8]
    assert told["bytes"] > 0
    SiteRunner(config).answer(b"")
    assert log_of(config)[: len(before)] == before


def test_nothing_leaves_that_cannot_be_logged(config):
    config = with_policy(config, log=config.data.csv / "no" / "log.jsonl")
    answer = ask(SiteRunner(config), "introduce")
    assert answer == Failure("the site cannot write its log")


def test_a_dry_run_keeps_all_answers_back(config):
    config = with_policy(config, dry_run=True)
    runner = SiteRunner(config)
    assert ask(runner, "hello")["name"] == "a"
    answer = ask(runner, "introduce")
    assert refused(answer)
    (line,) = events(config, "kept back")
    assert [entry[0] for entry in line["entries"]] == ["wide", "width"]
    assert ask(runner, "prepare", {"recipe": recipe()}).reason == answer.reason


def test_a_driver_is_told_who_refused_and_why(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients())
    configs[1] = with_policy(configs[1], max_rounds=1)
    model = FederatedClassifier(
        n_rounds=2, random_state=0, federation=LoopbackFederation(configs)
    )
    with pytest.raises(RuntimeError, match="client 'b' failed in task 'prepare': Refu"):
        model.fit()
    model.set_params(min_clients=2, personalizer=None)
    with pytest.warns(UserWarning, match="policy.max_rounds=1"):
        model.fit()
    assert model.client_names_ == ["a", "c"]


def test_a_server_that_asks_on_gets_no_further(tmp_path):
    """A script that asks one thing after the other, whatever the answers."""
    configs, _ = make_sites(tmp_path, make_clients(), min_count=20)
    session = LoopbackFederation(configs).open()

    def asking():
        found = []
        for task in ("rows", "train", "align", "describe", "hold_out", "keep"):
            ask = Broadcast(task, {"scope": ""}, session.clients, min_replies=0)
            found += (yield ask).values()
        return found

    answers = drive(asking(), session)
    assert all(isinstance(answer, Failure) for answer in answers)
    for config in configs:
        assert {line["task"] for line in events(config, "sent")} == {"hello"}
