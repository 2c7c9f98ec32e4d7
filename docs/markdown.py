"""The changelog is Markdown; the little of it that is used, as reStructuredText."""

import re

UNDERLINES = {1: "=", 2: "-", 3: "~"}


def to_rst(text):
    """Convert headings, inline code, links and lists from Markdown.

    Parameters
    ----------
    text : str
        Markdown with ``#`` headings, ``- `` lists, backticks and inline links.

    Returns
    -------
    str
        The same as reStructuredText.
    """
    # a literal that starts or ends inside a word needs an escaped space there
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    text = re.sub(r"(``[^`]+``)(?=\w)", r"\1\\ ", text)
    text = re.sub(r"\[([^\]]+)\]\((\S+?)\)", r"`\1 <\2>`__", text)
    lines = []
    for line in text.splitlines():
        heading = re.fullmatch(r"(#{1,3}) (.*)", line)
        if heading:
            title = heading[2].strip("[]")
            lines += [title, UNDERLINES[len(heading[1])] * len(title)]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def write_changelog(source, folder):
    """Write ``changelog.rst`` into a folder, for the changelog page to include.

    Parameters
    ----------
    source : Path
        The Markdown file.
    folder : Path
        Where to write; made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    (folder / "changelog.inc").write_text(to_rst(source.read_text("utf-8")), "utf-8")
