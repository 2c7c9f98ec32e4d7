import numpy as np
import pytest

from skfed import ClientError, InProcessFederation, TooFewClientsError
from skfed.federation import Broadcast, Failure, Ledger, Site, drive

CLIENTS = ("a", "b", "c")


def handle(task, payload, state, site):
    """Count calls in the state; fail where the payload says so."""
    if task == "fail" and site.name in payload["who"]:
        state["calls"] = -1000
        error = {
            "value": ValueError,
            "type": TypeError,
            "other": KeyError,
            "warning": UserWarning,
        }
        raise error[payload["kind"]]("bad")
    if task == "wrong":
        return {"x": None}
    state["calls"] = state.get("calls", 0) + 1
    return {"calls": state["calls"], "own": payload.get("own", 0)}


def sites():
    return {name: Site(name, None, None, None) for name in CLIENTS}


def run(*broadcasts, federation=None, ledger=None):
    seen = []

    def algorithm():
        for ask in broadcasts:
            seen.append((yield ask))
        return "done"

    session = (federation or InProcessFederation()).open(handle, sites())
    assert drive(algorithm(), session, ledger) == "done"
    return seen, session


@pytest.mark.parametrize(
    "federation",
    [
        InProcessFederation(),
        InProcessFederation(isolate=True),
        InProcessFederation(n_jobs=2),
        InProcessFederation(n_jobs=2, isolate=True),
    ],
    ids=repr,
)
def test_states_survive_and_answers_come_in_order(federation):
    ask = Broadcast("count", {}, CLIENTS, each={"b": {"own": 7}})
    seen, session = run(ask, ask, Broadcast("count", {}, ("c",)), federation=federation)
    assert list(seen[0]) == list(CLIENTS)
    assert [a["own"] for a in seen[1].values()] == [0, 7, 0]
    assert seen[2] == {"c": {"calls": 3, "own": 0}}
    assert {c: s["calls"] for c, s in session.states.items()} == {
        "a": 2,
        "b": 2,
        "c": 3,
    }


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_failure_is_an_answer_and_leaves_no_trace(n_jobs):
    fail = Broadcast("fail", {"who": ["b"], "kind": "value"}, CLIENTS, min_replies=2)
    seen, session = run(
        Broadcast("count", {}, CLIENTS),
        fail,
        Broadcast("count", {}, CLIENTS),
        federation=InProcessFederation(n_jobs=n_jobs),
    )
    assert isinstance(seen[1]["b"], Failure)
    assert "ValueError: bad" in seen[1]["b"].reason
    assert "handle" in seen[1]["b"].trace
    assert seen[2]["b"]["calls"] == 2 and seen[2]["a"]["calls"] == 3


@pytest.mark.parametrize(
    "kind, error",
    [("value", ClientError), ("type", TypeError), ("other", TooFewClientsError)],
)
def test_too_few_answers_raise_one_error_that_names_them(kind, error):
    ask = Broadcast("fail", {"who": ["b", "c"], "kind": kind}, CLIENTS, round=4)
    text = "clients 'b', 'c' failed in task 'fail' of round 4"
    with pytest.raises(error, match=text):
        run(ask)


def test_a_single_client_fails_like_any_estimator():
    with pytest.raises(KeyError, match="bad"):
        run(Broadcast("fail", {"who": ["a"], "kind": "other"}, ("a",)))


def test_a_warning_made_an_error_stays_a_warning():
    ask = Broadcast("fail", {"who": ["b"], "kind": "warning"}, CLIENTS)
    with pytest.raises(UserWarning, match="bad"):
        run(ask)


def test_a_wrong_answer_is_a_failure_by_name():
    with pytest.raises(TypeError, match="client 'a' sent 'x' as NoneType"):
        run(Broadcast("wrong", {}, CLIENTS))


def test_a_wrong_question_is_refused():
    with pytest.raises(TypeError, match="the server sent 'x'"):
        run(Broadcast("count", {"x": None}, CLIENTS))


def test_the_ledger_has_both_directions():
    ledger = Ledger()
    payload = {"w": np.zeros(3)}
    run(Broadcast("count", payload, CLIENTS, each={"b": {"own": 1}}), ledger=ledger)
    frame = ledger.to_frame()
    down = frame[frame["direction"] == "down"]
    assert down.groupby("client")["name"].agg(list).to_dict() == {
        "a": ["w"],
        "b": ["w", "own"],
        "c": ["w"],
    }
    up = frame[frame["direction"] == "up"]
    assert set(up["name"]) == {"calls", "own"} and len(up) == 6
