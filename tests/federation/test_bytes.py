"""Bytes and answers of sites that would harm the server or each other."""

import io
import json
import zipfile

import numpy as np
import pytest

from skfed.federation import Broadcast, Failure, drive
from skfed.federation._bytes import decode_checked
from skfed.federation._envelope import decode_answer, encode_answer
from skfed.federation._ledger import describe
from skfed.federation._payload import check_payload, encode_payload
from skfed.federation._printable import printable
from skfed.federation._tree import digest

HALF = "\ud800"  # of a pair of characters


def packed(plain, compression=zipfile.ZIP_STORED, **members):
    """Return bytes of a message, whatever is in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        head = np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8)
        for name, value in {"head": head, **members}.items():
            if isinstance(value, np.ndarray):
                own = io.BytesIO()
                np.save(own, value)
                value = own.getvalue()
            archive.writestr(f"{name}.npy", value)
    return file.getvalue()


def claimed(dtype, shape):
    """Return the header of an array, and nothing of the array."""
    file = io.BytesIO()
    told = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, told)
    return file.getvalue()


BOMBS = {
    "compressed": packed(
        {"p/x": ["array", "a0"]}, zipfile.ZIP_DEFLATED, a0=np.zeros(10**6)
    ),
    "of no width": packed({"p/x": ["array", "a0"]}, a0=claimed("<U0", (10**15,))),
    "records": packed({"p/x": ["array", "a0"]}, a0=np.zeros(2, "f8,f8")),
    "lists of lists": packed({"p/x": ["plain", [[1]]]}),
    "none": packed({"p/x": ["plain", None]}),
    "dicts": packed({"p/x": ["plain", {"y": 1}]}),
    "no dict": packed([1, 2]),
    "no head": packed({"p/x": ["array", 3]}),
    "failure without text": packed({"failure": ["plain", [1]]}),
    "an array before the archive": claimed("<f8", (10**12,)) + packed({}),
    "half a pair as name": packed({f"p/{HALF}": ["plain", 1]}),
    "half a pair as text": packed({"p/x": ["plain", HALF]}),
    "half a pair in a list": packed({"p/x": ["plain", ["a", HALF]]}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_no_answer_is_a_failure(name):
    answer = decode_answer(BOMBS[name])
    assert isinstance(answer, Failure)
    assert answer.reason.startswith("the site sent no answer that can be read")
    describe({"failure": answer.reason})


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_no_message_is_a_plain_error(name):
    if name != "failure without text":
        with pytest.raises((ValueError, TypeError)):
            decode_checked(BOMBS[name], 2**20)


def test_an_answer_is_not_larger_than_is_allowed():
    data = encode_answer({"x": np.zeros(1000)})
    assert "more than 5000" in decode_answer(data, 5000).reason
    assert np.array_equal(decode_answer(data)["x"], np.zeros(1000))


@pytest.mark.parametrize(
    "value", [HALF, ["a", HALF], np.array([HALF]), np.array([2**30], "<u4").view("<U1")]
)
def test_text_without_a_form_in_bytes_does_not_travel(value):
    with pytest.raises(TypeError, match="'x' with what is no text"):
        check_payload({"x": value}, "client 'b'")
    with pytest.raises(TypeError, match="entry named"):
        check_payload({HALF: 1}, "client 'b'")


@pytest.mark.parametrize("dtype", ["f8,f8", "c16", "M8[s]", "V3"])
def test_arrays_of_other_kinds_do_not_travel(dtype):
    with pytest.raises(TypeError, match="'x' as array of"):
        check_payload({"x": np.zeros(2, dtype)}, "client 'b'")


class Elsewhere:
    """A session of sites, one of which answers as it likes."""

    may_lose = True

    def __init__(self, answer):
        self.answer = answer

    def broadcast(self, ask):
        return {c: self.answer if c == "bad" else {"n": 1} for c in ask.clients}


@pytest.mark.parametrize(
    "answer",
    [
        {HALF: 1},
        {"n": HALF},
        {"n": 10**400},
        {"n": np.zeros(2, "f8,f8")},
        {"n": [[1]]},
        {"n": {}},
        None,
        [],
        {},
        Failure("\x1b[2J" + HALF),
    ],
    ids=str,
)
def test_one_site_does_not_end_the_fit_of_all(answer):
    def expects(client, own):
        return None if float(own["n"]) == 1 else "sent another number"

    def algorithm():
        return (
            yield Broadcast(
                "count", {}, ("bad", "good"), min_replies=1, expects=expects
            )
        )

    found = drive(algorithm(), Elsewhere(answer))
    assert found["good"] == {"n": 1}
    assert isinstance(found["bad"], Failure)
    assert found["bad"].reason.isprintable()
    digest(found["bad"].reason)


def test_text_of_the_other_side_does_not_command_a_terminal():
    assert printable("no\x1b[2J\rrows\n") == r"no\x1b[2J\rrows\n"
    assert printable("a\nb\x9b", keep="\n") == "a\nb\\x9b"
    assert printable("Größe, 10\u202e") == "Größe, 10\\u202e"
    assert len(printable("x" * 10**6)) < 3000
    answer = decode_answer(encode_payload({"failure": "a\x1b[2J", "lost": False}))
    assert answer == Failure(r"a\x1b[2J")
    assert decode_answer(encode_answer(Failure(HALF))) == Failure(r"\ud800")
