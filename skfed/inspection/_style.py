"""Colours, markers, labels and axes: what all displays have in common."""

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


def text_of(name, longest=LONGEST_NAME):
    """Return a name as text for a picture: one line, not too long, no formula."""
    text = " ".join(str(name).split())
    if len(text) > longest:  # names that differ often differ at the end
        tail = longest // 3
        text = f"{text[: longest - tail - 1]}…{text[-tail:]}"
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def texts_of(names, longest=LONGEST_NAME):
    """Return ``{name: text}``, shortened only as far as texts still differ."""
    for limit in (longest, 2 * longest, 10 * longest):
        texts = {name: text_of(name, limit) for name in names}
        if len(set(texts.values())) == len(texts):
            break
    return texts


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


def name_clients(ax, names):
    """Write the clients along the vertical axis, or how many there are."""
    if len(names) > 2 * MANY:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(names)} clients")
        return
    size = "medium" if len(names) <= MANY else "x-small"
    ax.set_yticks(range(len(names)), texts_of(names).values(), fontsize=size)


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
