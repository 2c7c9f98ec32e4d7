"""What carries messages to real sites: a SuperLink and sites as processes."""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from skfed.exceptions import ClientError, ClientFailureWarning
from skfed.federation import Broadcast, Failure
from skfed.federation._drive import drive

pytest.importorskip("flwr", reason="needs skfed[flower]")
pytestmark = pytest.mark.slow

from examples.sites.loopback import Loopback  # noqa: E402
from skfed.federation import FlowerFederation  # noqa: E402

SITE = Path(__file__).with_name("plain_site.py")
NAMES = ("east", "north", "south")
WHOLE = 240.0  # seconds for a process to start, or come back, on a busy machine


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    with Loopback(tmp_path_factory.mktemp("loop"), database=True) as loop:
        for name in NAMES:
            loop.register(name, loop.make_key(name))
            start(loop, name)
        yield loop


@pytest.fixture
def session(loop):
    found = federation(loop).open()
    yield found
    found.close()


def federation(loop, **parameters):
    given = {"clients": NAMES, "patience": WHOLE, "timeout": WHOLE} | parameters
    given = {"root_certificates": loop.certificate} | given
    return FlowerFederation(loop.superlink, **given)


def start(loop, name, key=None, called=None, process=None):
    directory = loop.directory / f"site {process or name}"
    key = loop.directory / f"{key or name}.key"
    loop.start(
        *(process or name, sys.executable, SITE, called or name, directory),
        *(loop.superlink, loop.certificate, key),
    )


def ask(task, payload=None, clients=NAMES, **parameters):
    return Broadcast(task, payload or {}, clients, **parameters)


def one_by_one(*asks):
    """Return the answers to broadcasts, as the driver gets them."""
    found = []
    for each in asks:
        found.append((yield each))
    return found


def test_sites_are_known_by_their_names(session):
    assert session.clients == NAMES
    found = session.broadcast(ask("echo", {"x": 1}, each={"north": {"x": 2}}))
    assert found == {
        "east": {"site": "east", "x": 1},
        "north": {"site": "north", "x": 2},
        "south": {"site": "south", "x": 1},
    }


def test_messages_of_8_mb_pass_unchanged(session):
    big = np.random.default_rng(0).normal(size=2**20)
    found = session.broadcast(ask("echo", {"big": big}))
    for name in NAMES:
        np.testing.assert_array_equal(found[name]["big"], big)


def test_several_broadcasts_are_one_message_to_each_site(session):
    asks = [ask("echo", {"i": i}, NAMES[: i + 1]) for i in range(3)]
    found = session.broadcast_all(asks)
    assert [list(own) for own in found] == [list(NAMES[: i + 1]) for i in range(3)]
    assert [own["east"]["i"] for own in found] == [0, 1, 2]


def test_a_refusal_and_an_exception_are_failures_of_one_site(session):
    found = session.broadcast(ask("refuse", clients=("east",)))
    assert isinstance(found["east"].error, ClientError)
    assert "policy" in found["east"].reason
    found = session.broadcast(ask("fail", clients=("east",)))
    assert "ZeroDivisionError" in found["east"].reason
    found = session.broadcast(ask("echo", clients=("east",)))
    assert found["east"] == {"site": "east"}


def test_an_object_array_and_an_unknown_task_are_refused(session):
    found = session.broadcast(ask("echo", {"x": np.array([None])}, ("east",)))
    assert "allow_pickle" in found["east"].reason
    found = session.broadcast(ask("steal", clients=("east",)))
    assert "steal" in found["east"].reason
    found = session.broadcast(ask("echo", clients=("east",)))
    assert found["east"] == {"site": "east"}


def test_a_site_that_hangs_is_not_waited_for_twice(session):
    start_time = time.monotonic()
    found = session.broadcast(ask("wait", {"seconds": 25.0}, ("east",), timeout=2))
    assert found["east"].reason == "no answer within 2 s"
    found = session.broadcast(ask("echo"))
    assert "not been seen" in found["east"].reason
    assert found["north"] == {"site": "north"}
    assert time.monotonic() - start_time < 25
    end = time.monotonic() + WHOLE
    while isinstance(session.broadcast(ask("echo"))["east"], Failure):
        assert time.monotonic() < end, "the site is awake, and not seen"
        time.sleep(1)


def test_a_killed_site_is_a_failure_until_it_is_started_again(loop, session):
    loop.kill("north")
    found = session.broadcast(ask("echo", timeout=8))
    assert found["north"].reason.startswith("no answer within")
    assert found["south"] == {"site": "south"}
    found = session.broadcast(ask("echo"))
    assert "not been seen" in found["north"].reason
    start(loop, "north")
    end = time.monotonic() + WHOLE
    while isinstance(session.broadcast(ask("echo"))["north"], Failure):
        assert time.monotonic() < end, loop.log("north")
        time.sleep(1)


def test_a_site_that_dies_at_work_is_asked_again_once_it_is_back(loop, session):
    def watch():  # the supervisor that every site should have
        while not loop.has_ended("south"):
            time.sleep(0.2)
        loop.kill("south")
        start(loop, "south")

    watcher = threading.Thread(target=watch)
    watcher.start()
    found = drive(
        one_by_one(ask("echo"), ask("echo"), ask("die", clients=("south",))), session
    )
    watcher.join()
    # what it had answered before was sent again, for it had lost its state
    assert found[2]["south"] == {"came back": True}


def test_a_site_outlives_a_run_that_ends_while_it_works(loop):
    for _ in range(2):
        session = federation(loop).open()
        found = session.broadcast(ask("wait", {"seconds": 4.0}, ("east",), timeout=1))
        assert isinstance(found["east"], Failure)
        session.close()
    session = federation(loop).open()
    assert session.broadcast(ask("echo"))["east"] == {"site": "east"}
    session.close()


def test_an_unregistered_key_is_refused(loop, session):
    loop.make_key("west")
    start(loop, "west")
    end = time.monotonic() + WHOLE
    while not loop.has_ended("west"):
        assert time.monotonic() < end, "an unregistered site was not refused"
        time.sleep(0.5)
    assert "activate" in loop.log("west")
    assert session.broadcast(ask("echo"))["east"] == {"site": "east"}


def test_a_site_under_the_name_of_another_is_left_out(loop):
    loop.register("spy", loop.make_key("spy"))
    start(loop, "east", key="spy", called="east", process="spy")
    try:
        with pytest.warns(ClientFailureWarning, match="registered for 'spy'"):
            session = federation(loop, clients=None, n_sites=4, patience=20)
            with pytest.raises(ClientError, match="calls itself 'east'"):
                session.open()
    finally:
        loop.stop("spy")


def test_a_superlink_of_another_authority_is_not_trusted(loop):
    key, certificate = loop.directory / "other.key", loop.directory / "other.crt"
    loop.call("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", key)
    loop.call(
        *("openssl", "req", "-x509", "-new", "-key", key, "-days", "2"),
        *("-subj", "/CN=other", "-out", certificate),
    )
    with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        federation(loop, root_certificates=certificate).open()


def test_missing_sites_are_named(loop):
    with pytest.raises(ClientError, match="'nowhere'.*not connected"):
        federation(loop, clients=["east", "nowhere"], patience=3).open()


def test_a_superlink_that_is_started_again_finds_its_sites(loop):
    loop.stop("superlink")
    with pytest.raises(ConnectionError):
        federation(loop).open()
    loop.start_superlink()
    session = federation(loop).open()
    assert session.broadcast(ask("echo"))["north"] == {"site": "north"}
    session.close()
