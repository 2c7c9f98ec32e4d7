"""How many fits began at a site today, in a file of its own directory."""

import json
from datetime import UTC, datetime

from ._store import write_whole


class FitsOfDay:
    """Counts the fits of a day, whichever process they are begun in.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path):
        self.path = path

    def add(self, most):
        """Count another fit and return True, or return False if there are ``most``.

        A damaged file is an error, so that no fit begins uncounted.
        """
        day, n = datetime.now(UTC).date().isoformat(), 0
        if self.path.exists():
            found = json.loads(self.path.read_text("utf-8"))
            n = found["n"] if found["day"] == day else 0
        if n >= most:
            return False
        write_whole(self.path, json.dumps({"day": day, "n": n + 1}).encode())
        return True
