"""Messages to real sites, as bytes: their fit, their number, and the payload."""

from dataclasses import dataclass

from ..exceptions import ClientError
from ._bytes import decode_checked
from ._payload import encode_payload
from ._printable import printable
from ._protocol import Failure

ENTRY = "p/"  # before the names of a payload's own entries
OWN_TEXT = "ClientError: "
MAX_BYTES = 2**30  # of an answer, far above any model


@dataclass(frozen=True)
class Request:
    """One message to a site.

    Parameters
    ----------
    task : str
        What to do.
    payload : dict
        The server's message.
    fit : str, default=""
        Names the fit; "" for questions that belong to none, such as "hello".
    number : int, default=0
        Messages of the fit that this site has answered before.
    """

    task: str
    payload: dict
    fit: str = ""
    number: int = 0


def encode_request(request):
    """Return a :class:`Request` as bytes."""
    head = {"fit": request.fit, "number": request.number, "task": request.task}
    own = {ENTRY + name: value for name, value in request.payload.items()}
    return encode_payload({**head, **own})


def request_of(message):
    """Return the :class:`Request` that a decoded message is; ValueError if it is none.

    Parameters
    ----------
    message : dict
        What ``decode_payload`` made of the bytes.
    """
    head = {name: message.get(name) for name in ("fit", "number", "task")}
    kinds = [type(value) for value in head.values()]
    if kinds != [str, int, str] or head["number"] < 0:
        raise ValueError("the message does not say of which fit, number and task it is")
    rest = {name: value for name, value in message.items() if name not in head}
    strange = [name for name in rest if not name.startswith(ENTRY)]
    if strange:
        raise ValueError(f"the message has unknown entries: {strange[:3]}")
    return Request(payload=_cut(rest), **head)


def encode_answer(answer):
    """Return a site's answer, a payload or a :class:`Failure`, as bytes."""
    if isinstance(answer, Failure):
        reason = printable(answer.reason, keep="\n")
        return encode_payload({"failure": reason, "lost": answer.lost})
    return encode_payload({ENTRY + name: value for name, value in answer.items()})


def decode_answer(data, max_bytes=MAX_BYTES):
    """Return the payload or :class:`Failure` that a site answered.

    Bytes that are neither are a failure too.

    Parameters
    ----------
    data : bytes
        What came; looked at as a site does with the server's.
    max_bytes : int, default=2**30
        Most bytes that they may have.
    """
    try:
        message = decode_checked(data, max_bytes, "the site")
        if "failure" in message:
            return _failure(message["failure"], message.get("lost") is True)
        if not all(name.startswith(ENTRY) for name in message):
            raise ValueError("unknown entries")
    except Exception as error:
        text = printable(str(error))
        return Failure(f"the site sent no answer that can be read: {text}")
    return _cut(message)


def _failure(reason, lost):
    if not isinstance(reason, str):
        raise ValueError("a failure without a reason")
    reason = printable(reason, keep="\n")
    if reason.startswith(OWN_TEXT):  # what skfed raised there, it may raise here
        return Failure(reason, error=ClientError(reason[len(OWN_TEXT) :]))
    return Failure(reason, lost=lost)


def _cut(message):
    return {name[len(ENTRY) :]: value for name, value in message.items()}
