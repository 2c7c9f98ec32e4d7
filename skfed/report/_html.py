"""HTML by nested calls: text is escaped wherever it enters, none by hand."""

from html import escape


class Html(str):
    """Text that is HTML already."""


def tag(name, *children, **attributes):
    """Return an element.

    Parameters
    ----------
    name : str
        Its name.
    *children : Html, str, number or None
        What is in it; all but Html is escaped, and None left out.
    **attributes : str, number, bool or None
        Attributes: ``class_`` is written "class" and ``aria_label`` "aria-label". True
        is an attribute without a value, and None or False none.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = join(children)
    if not inside and name in ("rect", "line", "path", "circle", "meta"):
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{inside}</{name}>")


def join(children):
    """Return children one after the other, text escaped."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(str(child))
            for child in children
            if child is not None
        )
    )


def _attribute(key, value):
    if value is None or value is False:
        return ""
    key = key.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(str(value))}"'


def paragraph(*children, **attributes):
    """Return a paragraph."""
    return tag("p", *children, **attributes)


def fold(summary, *children):
    """Return what can be opened and closed."""
    return tag("details", tag("summary", summary), *children)


def chip(text, kind):
    """Return a short word on a coloured ground; the word says what the colour says."""
    return tag("span", text, class_=f"chip {kind}")


def listed(names, limit=8):
    """Return names as text, and how many more there are."""
    names = [str(name) for name in names]
    more = len(names) - limit
    text = ", ".join(names[:limit])
    return text + (f" and {more} more" if more > 0 else "")


def share(value):
    """Return a share as text."""
    if value != value:
        return "withheld"
    return (
        f"{100 * value:.0f} %" if value >= 0.1 or not value else f"{100 * value:.1f} %"
    )


def number(value, digits=3):
    """Return a number as text, in few digits."""
    if value is None or value != value:
        return "–"
    if isinstance(value, int) or float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def size(n_bytes):
    """Return a number of bytes as text."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(n_bytes) < 1000 or unit == "GB":
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return ""
