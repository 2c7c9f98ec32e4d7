"""Warnings of many clients, told once."""

import contextlib
import re
import warnings

LONGEST = 1500  # characters of one warning
SHOWN = 5  # clients named in it
# a client's name as repr shows it: not what stands between it and a later colon
NAMED = r"""client ('[^']*'|"[^"]*"|[^\s:]+): (.*)"""


@contextlib.contextmanager
def grouped_warnings(stacklevel):
    """Collect the warnings of a block and issue each text once, at the caller's line.

    Texts that begin with "client 'a': " and go on alike become one, which says how many
    clients it concerns. Very long texts are cut.

    Parameters
    ----------
    stacklevel : int
        Frames between this function's caller and the user's line.

    Yields
    ------
    texts : list of str
        Filled at the end with the whole texts.
    """
    texts: list[str] = []
    caught: list = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield texts
    except BaseException:
        with contextlib.suppress(Warning):  # the error is what counts
            _issue(caught, texts, stacklevel + 1)
        raise
    _issue(caught, texts, stacklevel + 1)


def _issue(caught, texts, stacklevel):
    for category, text in _grouped([(w.category, str(w.message)) for w in caught]):
        texts.append(text)
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]} ... (the whole text is in notices_)"
        warnings.warn(text, category, stacklevel=stacklevel)


def _grouped(found):
    """Return (category, text) pairs, those that differ by the client only as one."""
    groups: dict = {}
    for category, text in found:
        match = re.match(NAMED, text, flags=re.DOTALL)
        client, rest = match.groups() if match else (None, text)
        groups.setdefault((category, rest), []).append(client)
    for (category, rest), clients in groups.items():
        clients = [client for client in clients if client is not None]
        yield category, f"{_names(clients)}: {rest}" if clients else rest


def _names(clients):
    clients = list(dict.fromkeys(clients))
    if len(clients) == 1:
        return f"client {clients[0]}"
    more = len(clients) - SHOWN
    shown = ", ".join(clients[:SHOWN])
    return f"clients {shown}" + (f" and {more} more" if more > 0 else "")
