"""Who has which column, and of which kind."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data._tables import sort_names
from ._display import Display
from ._style import (
    BLUE,
    GREEN,
    MANY,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    beside,
    texts_of,
)
from ._summaries import client_kinds, kinds_clash, known_columns, read_tables

# colour, and the letter in the cell
LOOKS = {
    "number": (BLUE, "n"),
    "boolean": (SKY, "b"),
    "text": (ORANGE, "t"),
    "datetime": (GREEN, "d"),
    "empty": (PALE, "–"),
    "mixed": (PURPLE, "?"),
    "present": (BLUE, ""),
}
MOST_NAMES = 60
MOST_LETTERS = 600


class SchemaDisplay(Display):
    """Who has which column: kinds, gaps, and names under which kinds clash.

    Use :meth:`from_clients` or :meth:`from_estimator` to make one. Columns that most
    clients have stand at the top. A bar at the foot of a cell is the share of missing
    values; a column that holds text here and numbers there is marked by an exclamation
    mark.

    Parameters
    ----------
    kinds : dict
        ``{client: {column: kind}}``, kinds being "number", "boolean", "text",
        "datetime", "empty", "mixed" or, where only the name is known, "present".
    missing : dict, default=None
        ``{client: {column: share of missing values}}``.

    Attributes
    ----------
    columns_ : list of str
        The columns from top to bottom.
    client_names_ : list
        The clients from left to right.
    clashes_ : list of str
        Columns that are of different kinds at different clients.
    image_ : AxesImage
        The matrix that is drawn.
    axes_ : array of Axes of shape (1, 1)
        The panel.
    ax_ : Axes
        The panel itself.
    figure_ : Figure
        The figure.

    See Also
    --------
    HeterogeneityDisplay : How much clients differ.
    skfed.data.match_columns : Proposes columns with nearly equal names.

    Notes
    -----
    Names and kinds are what every client tells in a fit. Shares of missing values are
    not: they are drawn for tables that are at hand.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.inspection import SchemaDisplay
    >>> clients = {
    ...     "north": pd.DataFrame({"age": [31, 45], "sex": ["f", "m"]}),
    ...     "south": pd.DataFrame({"age": [28, 60], "sex": [0, 1], "bmi": [20.1, 22]}),
    ... }
    >>> display = SchemaDisplay.from_clients(clients)
    >>> display.columns_
    ['age', 'sex', 'bmi']
    >>> display.clashes_
    ['sex']
    """

    def __init__(self, kinds, *, missing=None):
        self.kinds = kinds
        self.missing = missing

    @classmethod
    def from_clients(
        cls, X, y=None, *, clients=None, client_column=None, ax=None, **kwargs
    ):
        """Draw the schemas of clients' tables.

        Parameters
        ----------
        X : list, dict, ClientData or DataFrame
            Pairs or tables, in one of the forms of an estimator's ``fit``. Unnamed
            columns count as equal by position.
        y : array of shape (n,), default=None
            Not used, so that the same arguments fit here and there.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        client_column : str, default=None
            Column that names the client, when ``X`` is one DataFrame.
        ax : Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : SchemaDisplay
            The display, drawn.
        """
        tables = read_tables(X, y, clients, client_column).tables
        kinds = {name: client_kinds(table) for name, table in tables.items()}
        missing = {
            name: {column: float(values.isna().mean()) for column, values in t.items()}
            for name, t in tables.items()
        }
        return cls(kinds, missing=missing).plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the columns that a fitted estimator knows of its clients.

        It needs no table, and so tells no kinds and no gaps.

        Parameters
        ----------
        estimator : federated estimator
            Fitted.
        ax : Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : SchemaDisplay
            The display, drawn.
        """
        check_is_fitted(estimator)
        known = known_columns(estimator)
        return cls({c: dict.fromkeys(known[c], "present") for c in known}).plot(
            ax=ax, **kwargs
        )

    def plot(self, ax=None):
        """Draw the matrix of columns and clients.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.client_names_ = sort_names(self.kinds)
        owners: dict = {}
        for j, name in enumerate(self.client_names_):
            for column in self.kinds[name]:
                owners.setdefault(column, []).append(j)
        # most owners first, and columns of the same owners side by side
        self.columns_ = sorted(owners, key=lambda c: (-len(owners[c]), owners[c], c))
        kinds = {c: [self.kinds[n][c] for n in self._names(owners[c])] for c in owners}
        self.clashes_ = [c for c in self.columns_ if kinds_clash(kinds[c])]
        n, d = len(self.client_names_), len(self.columns_)
        width = float(np.clip(2.6 + 0.42 * n, 5.0, 9.0))
        height = float(np.clip(1.6 + 0.2 * d, 2.6, 9.0))
        self._open(ax, size=(width, height))
        shown = self._draw_cells()
        if n * d <= MOST_LETTERS:
            self._write_letters()
        if n <= 2 * MANY:
            self._draw_gaps()
        self._label(shown)
        return self

    def _names(self, places):
        return [self.client_names_[j] for j in places]

    def _cells(self):
        """Yield row, column and (client, column name) of the cells that exist."""
        place = {column: i for i, column in enumerate(self.columns_)}
        for j, name in enumerate(self.client_names_):
            for column, kind in self.kinds[name].items():
                yield place[column], j, name, column, kind

    def _draw_cells(self):
        from matplotlib.colors import ListedColormap

        shown = [kind for kind in LOOKS if any(c[4] == kind for c in self._cells())]
        codes = np.full((len(self.columns_), len(self.client_names_)), np.nan)
        for i, j, _, _, kind in self._cells():
            codes[i, j] = shown.index(kind)
        cmap = ListedColormap([LOOKS[kind][0] for kind in shown])
        self.image_ = self.ax_.imshow(
            np.ma.masked_invalid(codes), cmap=cmap, vmin=-0.5, vmax=len(shown) - 0.5,
            aspect="auto", interpolation="nearest",
        )  # fmt: skip
        if len(self.columns_) <= MOST_NAMES and len(self.client_names_) <= 2 * MANY:
            self.ax_.set_xticks(np.arange(codes.shape[1] + 1) - 0.5, minor=True)
            self.ax_.set_yticks(np.arange(codes.shape[0] + 1) - 0.5, minor=True)
            self.ax_.grid(which="minor", color="white", linewidth=1.5)
            self.ax_.tick_params(which="minor", length=0)
        return shown

    def _write_letters(self):
        for i, j, _, _, kind in self._cells():
            self.ax_.text(
                j, i, LOOKS[kind][1], ha="center", va="center", fontsize=7,
                color="white" if kind in ("number", "datetime") else "black",
            )  # fmt: skip

    def _draw_gaps(self):
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        bars = []
        for i, j, name, column, _ in self._cells():
            share = (self.missing or {}).get(name, {}).get(column, 0.0)
            if share > 0:
                bars.append(Rectangle((j - 0.45, i + 0.2), 0.9 * share, 0.2))
        if bars:
            self.ax_.add_collection(
                PatchCollection(
                    bars, facecolor="white", edgecolor="black", linewidth=0.5
                )
            )

    def _label(self, shown):
        from matplotlib.patches import Patch

        ax, n, d = self.ax_, len(self.client_names_), len(self.columns_)
        ax.spines[:].set_visible(False)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        if n > 2 * MANY:
            ax.set_xticks([])
            ax.set_xlabel(f"{n} clients")
        else:
            names = texts_of(self.client_names_, 20).values()
            ax.set_xticks(range(n), names, rotation=45, ha="left", fontsize="small")
        if d > MOST_NAMES:
            ax.set_yticks([])
            ax.set_ylabel(f"{d} columns")
        else:
            texts = texts_of(self.columns_)
            marks = [("! " if c in self.clashes_ else "") + texts[c] for c in texts]
            ax.set_yticks(range(d), marks, fontsize="small")
            for label, column in zip(ax.get_yticklabels(), self.columns_, strict=True):
                if column in self.clashes_:
                    label.set(color=VERMILLION, fontweight="bold")
        if shown == ["present"]:
            return
        handles = []
        for kind in shown:
            colour, letter = LOOKS[kind]
            handles.append(Patch(color=colour, label=f"{letter}  {kind}"))
        if len(ax.collections):
            handles.append(Patch(fc="white", ec="black", lw=0.5, label="share missing"))
        beside(ax, handles)
