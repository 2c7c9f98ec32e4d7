"""What may travel between clients and server, and its form in bytes."""

import io
import json
import pickle
from typing import Any

import numpy as np

KINDS = "biufSU"  # of the dtypes of arrays that may travel
_SCALARS = (bool, int, float, str, bytes)


def check_payload(payload, sender):
    """Raise TypeError unless ``payload`` holds only what may travel.

    A payload is a flat dict from str to numpy array (real numbers, truth values, text
    or bytes), bool, int, float, str, bytes or a list of one scalar type. Text can be
    encoded as UTF-8.
    """
    if not isinstance(payload, dict):
        raise TypeError(f"{sender} sent a {type(payload).__name__}, not a dict")
    for name, value in payload.items():
        if not isinstance(name, str):
            raise TypeError(f"{sender} sent an entry named {name!r}, not by a str")
        if not name.isascii() and not _encodable(name):
            raise TypeError(f"{sender} sent an entry named {name!r}, which is no text")
        if isinstance(value, np.ndarray):
            kind = value.dtype.kind
            if kind not in KINDS:
                held = "Python objects" if value.dtype.hasobject else value.dtype
                raise TypeError(f"{sender} sent {name!r} as array of {held}")
            if kind == "U" and not _encodable(value):
                raise TypeError(f"{sender} sent {name!r} with what is no text")
        elif type(value) is list:
            kinds = {type(item) for item in value}
            if len(kinds) > 1 or not kinds <= set(_SCALARS):
                found = sorted(kind.__name__ for kind in kinds)
                raise TypeError(f"{sender} sent {name!r} as a list of {found}")
            if str in kinds and not _encodable(value):
                raise TypeError(f"{sender} sent {name!r} with what is no text")
        elif type(value) not in _SCALARS:
            raise TypeError(f"{sender} sent {name!r} as {type(value).__name__}")
        elif type(value) is str and not (value.isascii() or _encodable(value)):
            raise TypeError(f"{sender} sent {name!r} with what is no text")


def _encodable(text):
    """Tell whether text, or all that a list or an array holds, has a form in bytes."""
    try:
        if isinstance(text, np.ndarray):
            text = text.ravel().tolist()
        "".join(text).encode()
    except (ValueError, SystemError):  # half a pair; no character at all
        return False
    return True


def encode_payload(payload):
    """Return a payload as bytes: JSON for structure, npz without objects."""
    arrays: dict[str, Any] = {}
    plain: dict[str, list] = {}
    for name, value in payload.items():
        if isinstance(value, np.ndarray):
            arrays[f"a{len(arrays)}"] = value
            plain[name] = ["array", f"a{len(arrays) - 1}"]
        elif isinstance(value, bytes):
            plain[name] = ["bytes", value.hex()]
        elif isinstance(value, list) and value and isinstance(value[0], bytes):
            plain[name] = ["bytes list", [item.hex() for item in value]]
        else:
            plain[name] = ["plain", value]
    file = io.BytesIO()
    head = np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8)
    np.savez(file, head=head, **arrays)
    return file.getvalue()


def decode_payload(data):
    """Return the payload of :func:`encode_payload`; runs no code of the bytes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as members:
        plain = json.loads(members["head"].tobytes().decode())
        payload = {}
        for name, (kind, value) in plain.items():
            if kind == "array":
                payload[name] = members[value]
            elif kind == "bytes":
                payload[name] = bytes.fromhex(value)
            elif kind == "bytes list":
                payload[name] = [bytes.fromhex(item) for item in value]
            else:
                payload[name] = value
    return payload


def dump_state(state):
    """Return a client's state as bytes, to be kept by its own site.

    The state holds fitted transformers, so these bytes are a pickle: a site may
    load what it wrote itself, and nothing else. They are never sent.
    """
    return pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)


def load_state(data):
    """Return the state that :func:`dump_state` wrote at this site."""
    return pickle.loads(data)
