"""Bytes from outside, looked at before they are decoded."""

import io
import math
import zipfile

from numpy.lib import format as npy

from ._payload import KINDS, check_payload, decode_payload

ARCHIVE = b"PK\x03\x04"  # else numpy would read an array, of any size it claims


def decode_checked(data, max_bytes, sender="the server"):
    """Return the payload that bytes hold; ValueError or TypeError if they hold none.

    Sizes are read from the headers first, so that a few bytes that claim to be many
    cost nothing; arrays of objects are refused.

    Parameters
    ----------
    data : bytes
        What came.
    max_bytes : int
        Most bytes that they, and what they hold, may have.
    sender : str, default="the server"
        Who sent them, for errors.
    """
    if len(data) > max_bytes:
        raise ValueError(f"the message has {len(data)} bytes, more than {max_bytes}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if not data.startswith(ARCHIVE):
                raise ValueError("the message does not begin as one")
            _check_members(archive, len(data))
        payload = decode_payload(data)
    except (ValueError, TypeError):
        raise
    except Exception as error:  # whatever numpy, zip and json make of it
        raise ValueError(f"the message is none: {error}") from error
    check_payload(payload, sender)
    return payload


def _check_members(archive, size):
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("the message is compressed")
    if sum(member.file_size for member in members) > size:
        raise ValueError("the message claims to hold more than it does")
    for member in members:
        with archive.open(member) as file:
            version = npy.read_magic(file)
            read = {
                (1, 0): npy.read_array_header_1_0,
                (2, 0): npy.read_array_header_2_0,
            }.get(version)
            if read is None:
                raise ValueError(f"the message has arrays of format {version}")
            shape, _, dtype = read(file)
            if dtype.hasobject:
                raise ValueError("the message has an array of Python objects")
            # numpy makes texts of width 0 wider, after their number was checked
            if dtype.kind not in KINDS or dtype.itemsize == 0:
                raise ValueError(f"the message has an array of {dtype}")
            if math.prod(shape) * dtype.itemsize != member.file_size - file.tell():
                raise ValueError(
                    "the message has an array of another size than it says"
                )
