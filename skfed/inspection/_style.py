"""Colours, markers, labels and axes: what all displays have in common."""

import numpy as np

# Okabe and Ito's palette, which the colour-blind can tell apart, without its yellow,
# which is too pale on white
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = PALETTE
MARKERS = "osD^vPX*"
PALE = "0.62"
MANY = 20  # from here on clients are a crowd: grey, and without names
LONGEST_NAME = 24


def pyplot(who):
    """Return matplotlib's pyplot.

    Parameters
    ----------
    who : str
        Who asks, for the error.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the text names the extra.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{who} draws with matplotlib: pip install 'skfed[plot]'"
        ) from error
    return plt


def panels(who, ax, n_rows=1, n_cols=1, size=(6.4, 4.0), **shared):
    """Return axes of shape (n_rows, n_cols), new ones or those that were given.

    Parameters
    ----------
    who : str
        Who asks, for the error.
    ax : Axes, array of Axes or None
        One Axes is the room that all panels are put into; an array holds one for each
        panel; None makes a figure.
    n_rows, n_cols : int, default=1
        The panels.
    size : tuple of two float, default=(6.4, 4.0)
        Width and height of a new figure in inches.
    **shared : dict
        ``sharex``, ``sharey`` and ratios of the grid.
    """
    plt = pyplot(who)
    if ax is None:
        _, axes = plt.subplots(
            n_rows, n_cols, figsize=size, layout="constrained", squeeze=False, **shared
        )
        return axes
    given = np.asarray(ax, dtype=object)
    if given.size == n_rows * n_cols:
        return given.reshape(n_rows, n_cols)
    if given.size != 1 or given.item().get_subplotspec() is None:
        raise ValueError(
            f"{who} draws {n_rows * n_cols} panels here and got {given.size} axes; "
            "give one for each panel, one made by plt.subplots that is split into "
            "them, or none"
        )
    room = given.item()
    room.set_axis_off()
    ratios = {k: shared.pop(k) for k in list(shared) if k.endswith("ratios")}
    grid = room.get_subplotspec().subgridspec(n_rows, n_cols, **ratios)
    return grid.subplots(squeeze=False, **shared)


def text_of(name, longest=LONGEST_NAME):
    """Return a name as text for a picture: one line, not too long, no formula."""
    text = " ".join(str(name).split())
    if len(text) > longest:  # names that differ often differ at the end
        tail = longest // 3
        text = f"{text[: longest - tail - 1]}…{text[-tail:]}"
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def looks(names):
    """Return ``{name: (colour, marker)}``; 24 of them differ, and none is black."""
    colours = PALETTE[:-1]
    return {
        name: (colours[k % len(colours)], MARKERS[k % len(MARKERS)])
        for k, name in enumerate(names)
    }


def beside(ax, handles=None, **kwargs):
    """Explain the artists to the right of the axes, where no point is covered."""
    given = {} if handles is None else {"handles": handles}
    return ax.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize="small",
        frameon=False, **given | kwargs,
    )  # fmt: skip


def ink():
    """Return the colour of text, which stands out on whatever style is set."""
    return pyplot("skfed").rcParams["text.color"]


def keep_axes(display, axes):
    """Set what a display tells about its axes."""
    display.axes_ = axes
    display.ax_ = axes.flat[0]
    display.figure_ = display.ax_.figure


def name_clients(ax, names):
    """Write the clients along the vertical axis, or how many there are."""
    if len(names) > 2 * MANY:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(names)} clients")
        return
    size = "medium" if len(names) <= MANY else "x-small"
    ax.set_yticks(range(len(names)), [text_of(name) for name in names], fontsize=size)


def by_client(frame):
    """Return ``{client: its rows}`` of a frame with a column "client"."""
    codes: dict = {}
    for position, name in enumerate(frame["client"].tolist()):
        codes.setdefault(name, []).append(position)
    return {name: frame.iloc[rows] for name, rows in codes.items()}


def by_name(values):
    """Return a dict of what is given by client, as dict or Series.

    pandas makes an index of tuples one of several levels; here a tuple is a name.
    """
    if hasattr(values, "index") and hasattr(values, "to_numpy"):
        return dict(zip(values.index.tolist(), values.to_numpy(), strict=True))
    return dict(values)
