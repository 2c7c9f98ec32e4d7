"""Clients on Dask workers: homes, messages, and what happens if a worker is gone."""

import copy
import multiprocessing
import os
import pickle
import signal
import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skfed import ClientError, TooFewClientsError
from skfed.data import TablePath
from skfed.federation import Broadcast, DaskFederation, Failure, Site, drive

distributed = pytest.importorskip("distributed")

CLIENTS = ("a", "b", "c", "d", "e")


def handle(task, payload, state, site):
    """Add up what was sent; fail in the way that the payload says."""
    kind = payload.get(f"fault {site.name}")
    if kind == "raise":
        state["sum"] = -1000
        raise KeyError("bad")
    if kind == "hang":
        time.sleep(payload["seconds"])
    if kind == "kill" and not os.path.exists(payload["flag"]):
        open(payload["flag"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "warn":
        warnings.warn(f"client {site.name!r}: beware", UserWarning, stacklevel=1)
    if kind == "wrong":
        return {"x": None}
    if task == "forget":
        return {}
    if task == "where":
        return {"process": os.getpid()}
    if task == "rows":
        return {"n": len(site.table), "target": np.asarray(site.target)}
    state["sum"] = state.get("sum", 0) + payload.get("add", 0)
    return {"sum": state["sum"]}


@pytest.fixture
def client(dask_client):
    return dask_client


def run(*asks, client=None, timeout=None, sites=None, n_workers=2):
    """Drive some broadcasts; return the answers, and the clients' states."""
    seen = []

    def algorithm():
        for ask in asks:
            seen.append((yield ask))

    sites = sites or {name: Site(name, None, None, None) for name in CLIENTS}
    session = DaskFederation(client, n_workers, timeout).open(handle, sites)
    try:
        drive(algorithm(), session)
        return seen, session.states
    finally:
        session.close()


def add(value, clients=CLIENTS, **payload):
    return Broadcast("add", {"add": value, **payload}, clients, min_replies=0)


def sums(answers):
    return {
        client: "failed" if isinstance(answer, Failure) else answer["sum"]
        for client, answer in answers.items()
    }


def test_clients_are_dealt_to_workers_and_remember(client):
    where = Broadcast("where", {}, CLIENTS)
    asks = [add(1), add(2, ("b", "e")), [add(10), add(100, ("d", "a"))]]
    (places, again, first, second, both), states = run(
        where, where, *asks, client=client
    )
    assert list(first) == list(CLIENTS)
    assert len({answer["process"] for answer in places.values()}) == 2
    assert places == again
    assert sums(second) == {"b": 3, "e": 3}
    assert sums(both[0]) == {"a": 11, "b": 13, "c": 11, "d": 11, "e": 13}
    assert sums(both[1]) == {"d": 111, "a": 111}
    assert {c: s["sum"] for c, s in states.items()} == {
        **sums(both[0]),
        "a": 111,
        "d": 111,
    }


def test_a_failure_is_an_answer_and_leaves_no_trace(client):
    faults = {"fault b": "raise", "fault c": "wrong"}
    seen, _ = run(add(1), add(5, **faults), add(1), client=client)
    assert "KeyError: 'bad'" in seen[1]["b"].reason and "handle" in seen[1]["b"].trace
    assert "client 'c' sent 'x' as NoneType" in seen[1]["c"].reason
    assert sums(seen[2]) == {"a": 7, "b": 2, "c": 2, "d": 7, "e": 7}


def test_an_empty_answer_is_an_answer(client):
    seen, _ = run(Broadcast("forget", {}, CLIENTS), client=client)
    assert seen == [dict.fromkeys(CLIENTS, {})]


def test_warnings_come_back(client):
    with pytest.warns(UserWarning) as caught:
        run(add(1, **{"fault a": "warn", "fault e": "warn"}), client=client)
    texts = [str(warning.message) for warning in caught]
    assert texts == ["client 'a': beware", "client 'e': beware"]


@pytest.mark.slow
def test_a_client_that_hangs_fails_and_the_others_move_on(doomed_dask_client):
    client = doomed_dask_client
    hang = {"fault a": "hang", "seconds": 60}
    begun = time.monotonic()
    asks = [add(1), add(2, **hang), add(4), add(8)]
    seen, states = run(*asks, client=client, timeout=3)
    assert time.monotonic() - begun < 30
    assert seen[1]["a"].reason == "no answer within 3 s"
    assert "waits for client 'a'" in seen[1]["b"].reason
    assert sums(seen[1])["e"] == 3  # on the other worker
    assert "client 'a', which hangs" in seen[2]["a"].reason
    others = {"b": 13, "c": 13, "d": 15, "e": 15}
    assert sums(seen[3]) == {"a": "failed", **others}
    assert states["a"] == {"sum": 1}  # as it was before
    (answers,), _ = run(add(1), client=client)  # the next fit makes do with one worker
    assert sums(answers) == dict.fromkeys(CLIENTS, 1)


@pytest.mark.slow
def test_where_the_only_worker_hangs_another_is_started():
    hang = {"fault a": "hang", "seconds": 60}
    seen, _ = run(add(1), add(2, **hang), add(4, CLIENTS[1:]), timeout=10, n_workers=1)
    assert sums(seen[2]) == dict.fromkeys(CLIENTS[1:], 5)


@pytest.mark.slow
def test_a_client_that_was_slow_comes_back(client):
    slow = {"fault a": "hang", "seconds": 5}
    meanwhile = {"fault e": "hang", "seconds": 6}
    wait = replace(add(4, ("e",), **meanwhile), timeout=60)
    seen, _ = run(add(1), add(2, **slow), wait, add(8), client=client, timeout=3)
    assert sums(seen[1])["a"] == "failed"
    assert sums(seen[3])["a"] == 9


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(client, tmp_path):
    flag = str(tmp_path / "killed")
    kill = {"fault b": "kill", "flag": flag}
    asks = [add(1), add(2, ("a", "e")), add(4, **kill), add(8)]
    seen, states = run(*asks, client=client)
    assert os.path.exists(flag)
    assert sums(seen[2]) == {"a": 7, "b": 5, "c": 5, "d": 5, "e": 7}
    assert sums(seen[3]) == {"a": 15, "b": 13, "c": 13, "d": 13, "e": 15}
    assert {c: s["sum"] for c, s in states.items()} == sums(seen[3])
    client.wait_for_workers(2)


def test_paths_are_read_at_the_worker_and_may_fail_there(client, tmp_path):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 1]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    paths = {"a": TablePath(tmp_path / "a.csv", "y"), "b": TablePath("no.csv", "y")}
    sites = {name: Site(name, path, None, None) for name, path in paths.items()}
    ask = Broadcast("rows", {}, ("a", "b"), min_replies=1)
    (answers,), _ = run(ask, client=client, sites=sites)
    assert answers["a"]["n"] == 3 and answers["a"]["target"].tolist() == [0, 1, 1]
    assert "client 'b': cannot read 'no.csv'" in answers["b"].reason


def test_own_workers_end_with_an_error():
    ask = Broadcast("add", {"fault a": "raise"}, CLIENTS)
    before = set(multiprocessing.active_children())
    with pytest.raises(TooFewClientsError, match="client 'a' failed in task 'add'"):
        run(add(1), ask)
    assert set(multiprocessing.active_children()) == before


def test_an_address_will_do(client):
    (answers,), _ = run(add(3), client=client.scheduler.address)
    assert sums(answers) == dict.fromkeys(CLIENTS, 3)
    assert len(client.scheduler_info()["workers"]) == 2


def test_workers_in_this_process_are_refused():
    cluster = distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", protocol="inproc://"
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as threads:
        with pytest.raises(ClientError, match="processes=True"):
            run(add(1), client=threads)


def test_a_cluster_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr("skfed.federation._dask_session.PATIENCE", 0.5)
    cluster = distributed.LocalCluster(n_workers=0, dashboard_address=":0")
    with cluster, distributed.Client(cluster, set_as_default=False) as empty:
        with pytest.raises(ClientError, match="no worker that takes clients"):
            run(add(1), client=empty)


def test_copies_share_the_connection_and_bytes_keep_the_address(client):
    from sklearn.base import clone

    federation = DaskFederation(client, timeout=3)
    assert clone(federation).client is client
    for copied in (pickle.loads(pickle.dumps(federation)), copy.deepcopy(federation)):
        assert copied.client == client.scheduler.address and copied.timeout == 3
