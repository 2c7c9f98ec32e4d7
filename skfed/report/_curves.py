"""Curves over the rounds: each client's, or the spread of many, and their mean."""

import numpy as np

from ._html import number, tag
from ._svg import WIDTH, figure, ticks

MANY = 25  # clients; beyond it a band says more than a tangle
LEFT, RIGHT, HEIGHT = 56, 12, 250


def curves(title, description, rounds, values, mark=None):
    """Return the clients' curves and their mean.

    Parameters
    ----------
    title, description : str
        As of every figure.
    rounds : array of shape (T,)
        The rounds.
    values : array of shape (n_clients, T)
        NaN where a client took no part.
    mark : int, default=None
        A round to point out.
    """
    finite = values[np.isfinite(values)]
    low, high = min(0.0, finite.min()), finite.max()
    first, last = rounds.min(), rounds.max()

    def place(r, v):
        x = LEFT + (r - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)
        return x, 8 + (high - v) / ((high - low) or 1) * (HEIGHT - 8)

    parts = list(_grid(place, first, last, low, high))
    mean = np.array(
        [np.nanmean(c) if np.isfinite(c).any() else np.nan for c in values.T]
    )
    if len(values) > MANY:
        inner = np.nanquantile(values, [0.1, 0.9], axis=0)
        known = np.isfinite(inner).all(axis=0)
        upper = [
            place(r, v) for r, v in zip(rounds[known], inner[1, known], strict=True)
        ]
        lower = [
            place(r, v) for r, v in zip(rounds[known], inner[0, known], strict=True)
        ]
        band = _path(upper + lower[::-1])
        parts.append(tag("path", d=f"{band}Z", class_="f0", fill_opacity="0.3"))
        legend = [(1, "mean of the clients"), (0, "middle 80 % of them")]
    else:
        for curve in values:
            known = np.isfinite(curve)
            points = [
                place(r, v) for r, v in zip(rounds[known], curve[known], strict=True)
            ]
            parts.append(tag("path", d=_path(points), class_="l0", stroke_width=1))
        legend = [(1, "mean of the clients"), (0, "each client")]
    known = np.isfinite(mean)
    points = [place(r, v) for r, v in zip(rounds[known], mean[known], strict=True)]
    parts.append(tag("path", d=_path(points), class_="l1", stroke_width=3))
    if mark is not None and first <= mark <= last:
        x = f"{place(mark, 0)[0]:.1f}"
        parts.append(
            tag(
                "line",
                x1=x,
                x2=x,
                y1=8,
                y2=HEIGHT,
                class_="zero",
                stroke_dasharray="4 3",
            )
        )
    return figure(title, description, HEIGHT + 36, parts, legend)


def _grid(place, first, last, low, high):
    for value in ticks(low, high):
        _, y = place(first, value)
        yield tag(
            "line",
            x1=LEFT,
            x2=WIDTH - RIGHT,
            y1=f"{y:.1f}",
            y2=f"{y:.1f}",
            class_="axis",
        )
        yield tag(
            "text",
            number(round(value, 10)),
            x=LEFT - 6,
            y=f"{y + 4:.1f}",
            text_anchor="end",
            class_="quiet",
        )
    for r in sorted({round(t) for t in ticks(first, last)} | {int(first)}):
        x, _ = place(r, low)
        yield tag(
            "text", r, x=f"{x:.1f}", y=HEIGHT + 16, text_anchor="middle", class_="quiet"
        )
    yield tag(
        "text",
        "round",
        x=WIDTH - RIGHT,
        y=HEIGHT + 32,
        text_anchor="end",
        class_="quiet",
    )


def _path(points):
    if not points:
        return ""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
