"""The site's log: a line of JSON for everything that is sent or refused."""

import json
from datetime import UTC, datetime


class SentLog:
    """Adds lines to a file, and never changes one.

    Parameters
    ----------
    path : Path
        The file; made where it is missing.
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
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
