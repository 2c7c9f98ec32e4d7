"""Bytes in Flower's messages, and the way back; only flwr's public names."""

import numpy as np

QUERY = "query.skfed"
DATA = "data"
ABOUT = "about"
PARTS = "parts"
ONE_PIECE = 2**18  # bytes
HELLO = "hello"  # kind of a message that asks a site for its name
ASK = "ask"


def need_flower():
    """Raise an ImportError that names the extra if flwr is missing."""
    try:
        import flwr  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "real sites over Flower need flwr; pip install 'skfed[flower]'"
        ) from error


def question(node_id, kind, parts=(), ttl=None):
    """Return a message for a node.

    Parameters
    ----------
    node_id : int
        The node's number in Flower.
    kind : {"hello", "ask"}
        Whether the site shall tell its name, or answer the parts.
    parts : sequence of bytes, default=()
        Requests, to be answered in this order.
    ttl : float, default=None
        Seconds after which nobody wants the answer any more; None is Flower's default.
    """
    from flwr.app import Message

    return Message(_record(parts, kind=kind), node_id, QUERY, ttl=ttl)


def reply(message, site, parts=()):
    """Return a site's answer to a message.

    Parameters
    ----------
    message : Message
        What is answered.
    site : str
        The site's name.
    parts : sequence of bytes, default=()
        The answers.
    """
    from flwr.app import Message

    return Message(_record(parts, site=site), reply_to=message)


def kind_of(message):
    """Return whether a message asks for the name or brings requests."""
    return message.content.config_records[ABOUT]["kind"]


def site_of(message):
    """Return the name that the sender of an answer gives itself; None without one."""
    name = message.content.config_records.get(ABOUT, {}).get("site")
    return name if isinstance(name, str) and name else None


def parts_of(message):
    """Return the list of bytes that a message carries."""
    about = message.content.config_records[ABOUT]
    if PARTS in about:
        return list(about[PARTS])
    arrays = message.content.array_records[DATA]
    return [arrays[str(i)].numpy().tobytes() for i in range(len(arrays))]


def _record(parts, **about):
    """Return bytes as a record: one piece, or, if they are many, arrays.

    Flower sends each piece by requests of its own, and cuts only arrays into pieces.
    """
    from flwr.app import Array, ArrayRecord, ConfigRecord, RecordDict

    if sum(map(len, parts)) <= ONE_PIECE:
        return RecordDict({ABOUT: ConfigRecord({**about, PARTS: list(parts)})})
    arrays = {
        str(i): Array(np.frombuffer(part, dtype=np.uint8))
        for i, part in enumerate(parts)
    }
    return RecordDict({DATA: ArrayRecord(arrays), ABOUT: ConfigRecord(about)})
