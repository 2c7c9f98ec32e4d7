"""What all charts are made of: a frame, an axis, labels and a legend."""

import numpy as np

from ._html import number, tag

WIDTH = 560
LABELS = 140  # room for the names on the left
RIGHT = 64  # and for the values on the right
TALL = 620  # more rows than fit get thinner, and lose their names


def figure(title, description, height, children, legend=()):
    """Return a figure; ``description`` says in words what it shows.

    Parameters
    ----------
    title, description : str
        What it is, and what a reader who does not see it should know.
    height : float
        In the units of ``WIDTH``.
    children : iterable of Html
        Elements of the picture.
    legend : sequence of (int, str)
        Number of each series, and its name.
    """
    picture = tag(
        "svg",
        *children,
        viewBox=f"0 0 {WIDTH} {height:g}",
        width=WIDTH,
        height=f"{height:g}",
        role="img",
        aria_label=f"{title}. {description}",
    )
    names = [
        tag("li", tag("i", class_=f"f{series}", aria_hidden="true"), name)
        for series, name in legend
    ]
    return tag(
        "figure",
        tag("figcaption", title),
        tag("ul", *names, class_="legend") if names else None,
        tag("div", picture, class_="plot", tabindex=0, role="region", aria_label=title),
    )


def row_height(n):
    """Return the height of each of n rows."""
    return float(np.clip(TALL / max(n, 1), 3, 24))


def label(text, y, height):
    """Return the name of a row, if there is room for it."""
    if height < 14:
        return None
    text = str(text)
    text = text if len(text) <= 20 else f"{text[:18]}…"
    return tag(
        "text", text, x=LABELS - 8, y=f"{y + height / 2 + 4:.1f}", text_anchor="end"
    )


def ticks(low, high, n=4):
    """Return round numbers that span [low, high]."""
    if not high > low:
        high = low + 1
    raw = (high - low) / n
    unit = 10.0 ** np.floor(np.log10(raw))
    step = unit * next(m for m in (1, 2, 2.5, 5, 10) if m * unit >= raw)
    first = np.ceil(low / step - 1e-9)
    return [float(k * step) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def x_axis(at, places, height):
    """Return the lines and numbers of a horizontal axis under the rows."""
    for place in places:
        x = at(place)
        yield tag("line", x1=_r(x), x2=_r(x), y1=4, y2=_r(height), class_="axis")
        yield tag(
            "text",
            number(round(place, 10)),
            x=_r(x),
            y=_r(height + 16),
            text_anchor="middle",
            class_="quiet",
        )


def scale(low, high, left=LABELS, right=WIDTH - RIGHT):
    """Return the function from values to places."""
    span = (high - low) or 1.0
    return lambda value: left + (value - low) / span * (right - left)


def _r(value):
    return f"{value:.1f}"
