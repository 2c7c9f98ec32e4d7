"""The site's log: a line of JSON for everything that is sent or refused."""

import json
import os
from datetime import UTC, datetime


class SentLog:
    """Adds lines to a file, and never changes one; a line is whole or not there.

    Parameters
    ----------
    path : Path
        The file; made where it is missing, for its owner alone to read.
    """

    def __init__(self, path):
        self.path = path

    def add(self, event, **entries):
        """Add a line.

        Parameters
        ----------
        event : {"sent", "kept back", "refused", "failed", "warned"}
            What happened.
        **entries : dict
            The rest of it; plain values.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "event": event, **entries}, default=str)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with open(os.open(self.path, mode, 0o600), "ab", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                _write_all(file, f"{line}\n".encode())
            except OSError:  # the disk is full: no half lines
                file.truncate(size)
                raise


def _write_all(file, data):
    while data:
        data = data[file.write(data) :]
