"""One process at a time in a site's directory."""

import contextlib


@contextlib.contextmanager
def locked(path):
    """Hold a file's lock, and wait for whoever holds it.

    Flower's own SuperNode starts a process for each message, and would start two at a
    time; the second then finds what the first has written.

    Parameters
    ----------
    path : Path
        The file; made where it is missing.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed
        yield
