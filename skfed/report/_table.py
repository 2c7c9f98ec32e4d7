"""Tables: headers with a scope, a caption, a frame that can be scrolled by key."""

from ._html import Html, fold, tag

FOLDED_FROM = 13  # rows; longer tables are opened by the reader


class Cell(Html):
    """A cell of a table, its element included."""


def cell(content, **attributes):
    """Return a cell with attributes of its own."""
    return Cell(tag("td", content, **attributes))


def table(caption, head, rows, *, numbers=(), folded=None):
    """Return a table, folded if it is long.

    Parameters
    ----------
    caption : str
        What it shows.
    head : sequence of str
        Column headers.
    rows : list of sequence
        Rows, of which the first entry is the row's header. Entries are text, Html or
        a :func:`cell`.
    numbers : sequence of int, default=()
        Columns that are set as numbers.
    folded : bool, default=None
        Whether it is folded; None goes by its length.
    """
    headers = [
        tag("th", name, scope="col", class_=_kind(j, numbers))
        for j, name in enumerate(head)
    ]
    body = [
        tag("tr", *(_entry(j, entry, numbers) for j, entry in enumerate(row)))
        for row in rows
    ]
    inside = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *headers)),
        tag("tbody", *body),
    )
    # tabindex: who has no mouse scrolls with the arrow keys
    frame = tag(
        "div", inside, class_="scroll", tabindex=0, role="region", aria_label=caption
    )
    if folded is None:
        folded = len(rows) >= FOLDED_FROM
    return fold(f"{caption} ({len(rows)} rows)", frame) if folded else frame


def _kind(j, numbers):
    return "number" if j in numbers else None


def _entry(j, entry, numbers):
    if isinstance(entry, Cell):
        return entry
    if j == 0:
        return tag("th", entry, scope="row")
    return tag("td", entry, class_=_kind(j, numbers))
