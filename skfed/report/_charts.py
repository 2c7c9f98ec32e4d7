"""Charts of clients, one row for each: bars, parts of a whole, intervals."""

from ._html import number, tag
from ._svg import LABELS, RIGHT, WIDTH, figure, label, row_height, scale, ticks, x_axis


def bars(title, description, rows, text=number):
    """Return one bar for each client.

    Parameters
    ----------
    title, description : str
        As of every figure.
    rows : list of (name, value)
        From top to bottom; values are at least 0.
    text : callable, default=number
        How a value is written.
    """
    h = row_height(len(rows))
    top = max((value for _, value in rows), default=1) or 1
    at = scale(0, top)
    parts = []
    for i, (name, value) in enumerate(rows):
        y = i * h + 4
        parts.append(label(name, y, h))
        parts.append(_rect(LABELS, y, at(value) - LABELS, h, "f0"))
        if h >= 14:
            parts.append(_value(text(value), at(value) + 5, y, h))
    return figure(title, description, len(rows) * h + 10, parts)


def stacked(title, description, rows, names):
    """Return a bar of parts for each client; parts are named by a legend.

    Parameters
    ----------
    title, description : str
        As of every figure.
    rows : list of (name, list of float)
        Parts of 1; what is missing to 1 stays empty.
    names : list of str
        Of the parts; the last colour is that of all that have none of their own.
    """
    h = row_height(len(rows))
    at = scale(0, 1, right=WIDTH - 12)
    parts = []
    for i, (name, values) in enumerate(rows):
        y, before = i * h + 4, 0.0
        parts.append(label(name, y, h))
        for j, value in enumerate(values):
            if value > 0:
                gap = 1 if h >= 6 else 0
                width = max(at(before + value) - at(before) - gap, 0.5)
                parts.append(_rect(at(before), y, width, h, f"f{j}"))
                before += value
    legend = list(enumerate(names))
    return figure(title, description, len(rows) * h + 10, parts, legend)


def intervals(title, description, rows):
    """Return a dot with an interval for each client, and a line at 0.

    Parameters
    ----------
    title, description : str
        As of every figure.
    rows : list of (name, value, low, high)
        From top to bottom.
    """
    h = row_height(len(rows))
    low = min(0.0, *(row[2] for row in rows))
    high = max(0.0, *(row[3] for row in rows))
    pad = 0.04 * (high - low or 1)
    at = scale(low - pad, high + pad)
    height = len(rows) * h + 8
    parts = list(x_axis(at, ticks(low, high), height))
    parts.append(
        tag("line", x1=_r(at(0)), x2=_r(at(0)), y1=4, y2=_r(height), class_="zero")
    )
    for i, (name, value, least, most) in enumerate(rows):
        y = i * h + 4
        series = 0 if least > 0 else 1 if most < 0 else 5
        middle = y + h / 2
        parts.append(label(name, y, h))
        parts.append(
            tag(
                "line",
                x1=_r(at(least)),
                x2=_r(at(most)),
                y1=_r(middle),
                y2=_r(middle),
                class_=f"l{series}",
                stroke_width=2 if h >= 8 else 1,
            )
        )
        parts.append(
            tag(
                "circle",
                cx=_r(at(value)),
                cy=_r(middle),
                r=_r(min(4.5, h / 2)),
                class_=f"f{series}",
            )
        )
        if h >= 14:
            parts.append(_value(f"{value:+.3f}", WIDTH - RIGHT + 8, y, h))
    legend = [
        (0, "better, beyond the interval"),
        (5, "undecided"),
        (1, "worse, beyond the interval"),
    ]
    return figure(title, description, height + 22, parts, legend)


def _rect(x, y, width, height, class_):
    gap = 2 if height >= 8 else 0
    return tag(
        "rect",
        x=_r(x),
        y=_r(y),
        width=_r(max(width, 0)),
        height=_r(height - gap),
        class_=class_,
    )


def _value(text, x, y, height):
    return tag("text", text, x=_r(x), y=_r(y + height / 2 + 4))


def _r(value):
    return f"{value:.1f}"
