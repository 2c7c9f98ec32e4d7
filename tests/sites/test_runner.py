"""A site's memory: numbers, repeated messages, restarts, and files that are whole."""

import os
import threading
import time

import numpy as np
import pytest

from skfed import ClientError, FederatedRegressor
from skfed.federation import Failure
from skfed.federation._envelope import Request, encode_request
from skfed.sites import SiteRunner, _log, load_pipeline
from skfed.sites._log import SentLog
from skfed.sites._store import HEAD, Store
from skfed.testing import LoopbackFederation
from tests.clients import make_clients, same_weights
from tests.real_sites import ask, log_of, make_sites
from tests.sites.test_policy import recipe

TOLD = {"seed": 0, "n_clients": 2, "client": 0}
PLAIN = {"aligner": "passthrough", "personalizer": None}


@pytest.fixture
def config(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients())
    return configs[0]


def begin(runner, fit="fit"):
    return ask(runner, "prepare", {"recipe": recipe(**PLAIN)}, fit)


def test_the_same_message_twice_gets_the_same_answer_and_is_done_once(config):
    runner = SiteRunner(config)
    begin(runner)
    data = encode_request(Request("describe", TOLD, "fit", 1))
    first = runner.answer(data)
    state = runner._store.state
    assert runner.answer(data) == first
    assert runner._store.state is state
    assert SiteRunner(config).answer(data) == first
    again = [line for line in log_of(config) if line.get("again")]
    assert [line["bytes"] for line in again] == [len(first)] * 2


@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_numbers_that_do_not_fit_are_lost(config, number):
    runner = SiteRunner(config)
    begin(runner)
    ask(runner, "describe", TOLD, number=1)
    answer = ask(runner, "describe", {**TOLD, "seed": 1}, number=number)
    assert answer.lost
    assert (
        f"knows 2 messages of this fit, but was sent number {number}" in answer.reason
    )
    assert "n_rows" in ask(runner, "describe", TOLD, number=2)


def test_another_fit_is_unknown_until_it_begins(config):
    runner = SiteRunner(config)
    begin(runner)
    answer = ask(runner, "describe", TOLD, "other", 1)
    assert answer.lost
    assert "nothing of this fit" in answer.reason
    assert "n_rows" in begin(runner, "other")
    assert "n_rows" in ask(runner, "describe", TOLD, "other", 1)
    assert ask(runner, "describe", TOLD, "fit", 1).lost


def test_a_fit_begins_again_with_its_first_message(config):
    runner = SiteRunner(config)
    begin(runner)
    first = ask(runner, "describe", TOLD, number=1)
    assert "n_rows" in begin(runner)
    assert runner._store.state == {}
    assert ask(runner, "describe", TOLD, number=1) == first


def test_a_failed_task_leaves_no_trace(config):
    runner = SiteRunner(config)
    begin(runner)
    ask(runner, "describe", TOLD, number=1)
    state = dict(runner._store.state)
    assert ask(runner, "train", {"round": 1}, number=2).reason.startswith("KeyError at")
    assert runner._store.state == state
    assert SiteRunner(config)._store.head.answered == 2


def test_a_site_that_lost_its_directory_is_lost(config):
    begin(SiteRunner(config))
    for path in (config.state / "fit").iterdir():
        path.unlink()
    assert ask(SiteRunner(config), "describe", TOLD, number=1).lost


def test_a_torn_directory_is_lost_and_no_error(config):
    begin(SiteRunner(config))
    ask(SiteRunner(config), "describe", TOLD, number=1)
    for path in (config.state / "fit").glob("*.state"):
        path.write_bytes(path.read_bytes()[:2])
    assert ask(SiteRunner(config), "align", {}, number=2).lost
    (config.state / "fit" / HEAD).write_text("{")
    assert ask(SiteRunner(config), "align", {}, number=2).lost


def test_a_table_that_changed_in_the_middle_is_refused(config):
    begin(SiteRunner(config))
    text = config.data.csv.read_text()
    config.data.csv.write_text(text.replace("tall", "small", 1))
    answer = ask(SiteRunner(config), "describe", TOLD, number=1)
    assert isinstance(answer.error, ClientError)
    assert "not that with which the fit began" in answer.reason


def test_files_are_the_sites_own(config):
    begin(SiteRunner(config))
    ask(SiteRunner(config), "describe", TOLD, number=1)
    directory = config.state / "fit"
    assert os.stat(directory).st_mode & 0o077 == 0
    assert all(os.stat(path).st_mode & 0o077 == 0 for path in directory.iterdir())
    assert not list(directory.glob("*.half"))


def test_only_new_values_are_written(tmp_path):
    store = Store(tmp_path)
    store.begin("fit", "")
    rows, steps = np.arange(5.0), ["a"]
    scopes = {"main, fold 1": {"rows": rows, "w": 1}, "empty": {}}
    store.keep({"rows": rows, "steps": steps, "scopes": scopes}, "1", b"one")
    before = {path.name for path in tmp_path.iterdir()}
    scopes = {**scopes, "main, fold 1": {"rows": rows, "w": 2.5}}
    state = {"rows": rows, "steps": [*steps, "b"], "scopes": scopes}
    store.keep(state, "2", b"two")
    after = {path.name for path in tmp_path.iterdir()}
    assert len(before & after) == 3  # the head, and rows of both
    found = Store(tmp_path)
    assert found.state["steps"] == ["a", "b"]
    assert np.array_equal(found.state["rows"], rows)
    assert found.state["scopes"]["main, fold 1"]["w"] == 2.5
    assert found.state["scopes"]["empty"] == {}
    assert found.head.answered == 2
    assert found.bytes(found.head.answer) == b"two"


def test_a_write_that_fails_leaves_the_state_before(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.begin("fit", "")
    store.keep({"a": [1]}, "1", b"one")
    write = Store._write

    def full(self, file, data):
        if file == HEAD:
            raise OSError("no space left on device")
        write(self, file, data)

    monkeypatch.setattr(Store, "_write", full)
    with pytest.raises(OSError, match="no space"):
        store.keep({"a": [2]}, "2", b"two")
    for found in (store, Store(tmp_path)):
        assert found.state == {"a": [1]}
        assert found.head.answered == 1
        assert found.head.digest == "1"


class Restarting(LoopbackFederation):
    """Sites of which one is started anew, without its memory, at some messages."""

    def open(self, handle=None, sites=None):
        session = super().open()
        plain, count = session._asked, iter(range(10**6))

        def asked(client, ask):
            if client == "b" and next(count) in (3, 12):
                runner = session._runners["b"]
                for path in (runner.config.state / "fit").iterdir():
                    path.unlink()
                session._runners["b"] = SiteRunner(runner.config)
            return plain(client, ask)

        session._asked = asked
        return session


def test_a_site_that_comes_back_without_memory_is_brought_back(tmp_path):
    configs, here = make_sites(tmp_path, make_clients("regression"))
    given = {"n_rounds": 4, "random_state": 0, "engine": "loop", "personalizer": None}
    one = FederatedRegressor(**given).fit(here)
    model = FederatedRegressor(**given, federation=Restarting(configs)).fit()
    assert same_weights(one, model)
    lost = [line for line in log_of(configs[1]) if line["event"] == "failed"]
    assert len(lost) == 2
    known = one.predict(here["b"][0], clients="b")
    assert np.array_equal(load_pipeline(configs[1]).predict(), known)


def test_no_pipeline_before_a_fit_has_ended(config):
    with pytest.raises(ClientError, match="site 'a' has no Pipeline yet"):
        load_pipeline(config)
    begin(SiteRunner(config))
    with pytest.raises(ClientError, match="no fit has ended"):
        load_pipeline(config)


def test_hello_needs_no_table_and_no_torch(config):
    config.data.csv.unlink()
    answer = ask(SiteRunner(config), "hello")
    assert answer["name"] == "a"
    assert ask(SiteRunner(config), "introduce").reason.startswith("ClientError at")


def test_a_site_that_comes_back_with_another_table_is_found_out(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients("regression"))

    class Swapping(Restarting):
        def open(self, handle=None, sites=None):
            session = super().open()
            plain = session._asked

            def asked(client, ask):
                if client == "b" and ask.task == "train":
                    path = configs[1].data.csv
                    path.write_text(path.read_text().rstrip().rpartition("\n")[0])
                return plain(client, ask)

            session._asked = asked
            return session

    model = FederatedRegressor(
        n_rounds=9, random_state=0, personalizer=None, federation=Swapping(configs)
    )
    with pytest.raises(RuntimeError, match="client 'b'.*came back with another table"):
        model.fit()


def test_two_processes_of_a_site_go_on_where_the_other_was(config):
    """As where the transport starts a process for each message."""
    first, second = SiteRunner(config), SiteRunner(config)
    begin(first)
    assert "n_rows" in ask(second, "describe", TOLD, number=1)
    again = ask(first, "describe", {**TOLD, "seed": 1}, number=1)
    assert again.lost and "knows 2 messages" in again.reason
    begin(second, "other")
    assert ask(first, "describe", TOLD, number=1).lost


def test_a_site_answers_one_message_at_a_time(config, monkeypatch):
    at_work, most = [], []
    plain = SiteRunner._answered

    def slow(self, data):
        at_work.append(self)
        most.append(len(at_work))
        time.sleep(0.05)
        at_work.pop()
        return plain(self, data)

    monkeypatch.setattr(SiteRunner, "_answered", slow)
    runners = [SiteRunner(config), SiteRunner(config)]
    threads = [threading.Thread(target=ask, args=(r, "hello")) for r in runners * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4
    assert len(log_of(config)) == 4


def test_a_full_disk_leaves_the_state_before_and_no_word_of_an_answer(
    config, monkeypatch
):
    runner = SiteRunner(config)
    begin(runner)
    directory = config.state / "fit"
    before = sorted(directory.iterdir())
    plain = os.replace

    def full(source, target):
        if str(target).endswith((HEAD, ".answer")):
            raise OSError("no space left on device")
        plain(source, target)

    monkeypatch.setattr(os, "replace", full)
    answer = ask(runner, "describe", TOLD, number=1)
    assert answer.reason.startswith("OSError at")
    assert ask(runner, "prepare", {"recipe": recipe(**PLAIN)}, "new").reason == (
        answer.reason
    )
    assert sorted(directory.iterdir()) == before
    events = [(line["event"], line["task"]) for line in log_of(config)]
    assert events == [
        ("sent", "prepare"),
        ("failed", "describe"),
        ("failed", "prepare"),
    ]
    monkeypatch.undo()
    assert "n_rows" in ask(runner, "describe", TOLD, number=1)


def test_an_answer_that_could_not_be_logged_is_sent_and_logged_later(
    config, monkeypatch
):
    runner = SiteRunner(config)
    begin(runner)
    plain = SentLog.add

    def full(self, event, **entries):
        if event == "sent":
            raise OSError("no space left on device")
        plain(self, event, **entries)

    with monkeypatch.context() as changed:
        changed.setattr(SentLog, "add", full)
        answer = ask(runner, "describe", TOLD, number=1)
    assert isinstance(answer, Failure)
    assert "n_rows" in ask(runner, "describe", TOLD, number=1)
    line = log_of(config)[-1]
    assert line["again"] and line["task"] == "describe"
    assert ["n_rows", [], "int", 8] in line["entries"]


def test_the_log_has_no_half_lines(tmp_path, monkeypatch):
    log = SentLog(tmp_path / "sent.jsonl")
    log.add("sent", number=1)
    whole = log.path.read_bytes()

    def torn(file, data):
        file.write(data[:5])
        raise OSError("no space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(_log, "_write_all", torn)
        with pytest.raises(OSError, match="no space"):
            log.add("sent", number=2)
    assert log.path.read_bytes() == whole


def test_nobody_else_reads_the_directory_or_the_log(config):
    config.state.mkdir()
    os.chmod(config.state, 0o755)
    ask(SiteRunner(config), "hello")
    for path in (config.state, config.state / "sent.jsonl"):
        assert os.stat(path).st_mode & 0o077 == 0


def test_a_scope_is_text(config):
    runner = SiteRunner(config)
    begin(runner)
    for scope in (0, False, b"", [], 1.0):
        answer = ask(runner, "describe", {**TOLD, "scope": scope}, number=1)
        assert answer.reason == "Refusal: the message's scope is no text"


def test_what_a_killed_process_left_is_removed(config):
    runner = SiteRunner(config)
    begin(runner)
    left = config.state / "fit" / "9-0.state.half"
    left.write_bytes(b"rows")
    ask(runner, "describe", TOLD, number=1)
    assert not left.exists()
