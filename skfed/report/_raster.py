"""Who has which column, when clients are too many for a table of words."""

from ._html import tag
from ._svg import LABELS, WIDTH, figure, label

MOST = 120  # columns drawn


def raster(title, description, names, has):
    """Return a picture with a row for each column and a stroke for each client.

    Parameters
    ----------
    title, description : str
        As of every figure.
    names : list of str
        The rows.
    has : list of list of bool
        For each row and client, whether to draw.
    """
    names, has = names[:MOST], has[:MOST]
    height = 16
    parts = []
    for i, (name, row) in enumerate(zip(names, has, strict=True)):
        y = i * height + 4
        parts.append(label(name, y, height))
        width = (WIDTH - LABELS - 12) / max(len(row), 1)
        path = "".join(
            f"M{LABELS + start * width:.1f} "
            f"{y:.0f}h{(end - start) * width:.1f}v12h-{(end - start) * width:.1f}z"
            for start, end in _runs(row)
        )
        parts.append(tag("path", d=path, class_="f0"))
    return figure(title, description, len(names) * height + 8, parts)


def _runs(row):
    """Yield (start, end) of what follows each other."""
    start = None
    for k, value in enumerate([*row, False]):
        if value and start is None:
            start = k
        elif not value and start is not None:
            yield start, k
            start = None
