"""Text of the other side, for terminals, logs and errors."""

LONGEST = 2000  # characters; no text of skfed's own comes near


def printable(text, keep=""):
    r"""Return text without what a terminal would obey, and not longer than a page.

    Parameters
    ----------
    text : str
        What another party sent.
    keep : str, default=""
        Characters that may stay, such as the end of a line.

    Returns
    -------
    text : str
        Other characters that cannot be printed are written as Python writes them.

    Examples
    --------
    >>> from skfed.federation._printable import printable
    >>> print(printable("no\x1b[2J rows"))
    no\x1b[2J rows
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} ..."
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _written(c) for c in text)


def _written(character):
    return character.encode("unicode_escape").decode()
