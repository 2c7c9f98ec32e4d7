"""What an alignment does to the clients' rows, in two dimensions."""

import numpy as np

from ..data._tables import sort_names
from ._aligned_rows import rows_of
from ._display import Display
from ._style import (
    MANY,
    PALE,
    beside,
    ink,
    looks,
    pyplot,
    texts_of,
)

TITLES = ("before alignment: columns by name", "after alignment")


class AlignmentDisplay(Display):
    """Clients' rows before and after alignment, by client and by target.

    Use :meth:`from_estimator` to make one. Left are the encoded rows under the names of
    all columns, in standard units, a column that a client lacks being at its mean;
    right are the aligned rows. Each is projected to its own two principal components.
    The upper panels show whose the rows are, those below what they are: classes, and
    numbers where clients predict numbers.

    What to look for: clients that lie apart before and on top of each other after,
    while the classes stay apart. Clients that lie apart after, too, differ in what the
    net will see.

    Parameters
    ----------
    before, after : array of shape (n, 2)
        Coordinates of the rows.
    clients : array of shape (n,)
        The client of each row.
    target : array of shape (n,), default=None
        The target of each row, None where there is none.
    is_class : bool array of shape (n,), default=None
        Whether it is a label or a number. None: numbers are numbers, all else labels.

    Attributes
    ----------
    points_ : dict of str to list of PathCollection
        What is drawn in the rows of panels "client", "class" and "number", as far as
        they are there: first all before alignment, then all after it.
    axes_ : array of Axes of shape (1 to 3, 2)
        The panels.
    ax_ : Axes
        The first panel.
    figure_ : Figure
        The figure.

    See Also
    --------
    SchemaDisplay : Which columns the clients have.

    Notes
    -----
    It draws rows, so they have to be in one place, as in a simulation: in a real
    federation no row leaves its client. Two dimensions out of many may hide what
    separates the clients; that they seem mixed is a hint and no proof.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier
    >>> from skfed.inspection import AlignmentDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {"a": (X.iloc[::2, :3], y[::2]), "b": (X.iloc[1::2, 1:], y[1::2])}
    >>> model = FederatedClassifier(personalizer=None, n_rounds=5, random_state=0)
    >>> display = AlignmentDisplay.from_estimator(model.fit(clients), clients)
    >>> display.after.shape, sorted(display.points_)
    ((150, 2), ['class', 'client'])
    """

    def __init__(self, before, after, clients, *, target=None, is_class=None):
        self.before = before
        self.after = after
        self.clients = clients
        self.target = target
        self.is_class = is_class

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        clients=None,
        projection=None,
        max_rows=2000,
        random_state=0,
        ax=None,
        **kwargs,
    ):
        """Draw rows as the clients' fitted Pipelines align them.

        Parameters
        ----------
        estimator : federated estimator
            Fitted, with its ``pipelines_``.
        X : list, dict, ClientData, DataFrame or array
            Rows of fitted clients, pairs or tables, in one of the forms of ``fit``.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only; without any, and for
            several targets a row, only the clients are shown.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        projection : transformer, default=None
            What maps the pooled rows to two columns, such as ``TSNE()``; cloned and
            fitted before and after. None is a principal component analysis.
        max_rows : int, default=2000
            Rows to draw at most, of each client its share.
        random_state : int, RandomState or None, default=0
            Chooses them.
        ax : Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : AlignmentDisplay
            The display, drawn.

        Raises
        ------
        ClientError
            If the Pipelines stayed at their sites, or a client is unknown.
        ValueError
            If the projection does not give two columns.
        """
        pyplot(cls.__name__)
        rows = rows_of(estimator, X, y, clients, projection, max_rows, random_state)
        display = cls(
            rows.before,
            rows.after,
            rows.clients,
            target=rows.target,
            is_class=rows.is_class,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, scatter_kwargs=None):
        """Draw the rows.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw: two Axes for the clients, and two each for classes and
            numbers if there are such; or one Axes that is split. None makes a figure.
        scatter_kwargs : dict, default=None
            Arguments for the points, over the display's own.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ValueError
            If coordinates and clients have different lengths.
        ImportError
            If matplotlib is not installed.
        """
        n = len(self.clients)
        for name, xy in (("before", self.before), ("after", self.after)):
            if np.shape(xy) != (n, 2):
                raise ValueError(
                    f"{name} has shape {np.shape(xy)}; {n} rows need ({n}, 2)"
                )
        owner = _objects(self.clients)
        kinds = self._kinds(n)
        rows = ["client", *(k for k in ("class", "number") if (kinds == k).any())]
        axes = self._open(ax, len(rows), 2, (9.0, 0.6 + 3.1 * len(rows)))
        self.points_ = {}
        style = {"s": 14, "alpha": 0.8, "linewidths": 0} | (scatter_kwargs or {})
        for row, kind in zip(axes, rows, strict=True):
            drawn: tuple[list, list] = ([], [])
            for panel, xy, found in zip(
                row, (self.before, self.after), drawn, strict=True
            ):
                xy = np.asarray(xy, dtype=float)
                if kind == "client":
                    self._draw_groups(panel, xy, owner, found, style, means=True)
                    continue
                shown = kinds == kind
                if not shown.all():
                    panel.scatter(*xy[~shown].T, **style | {"color": "0.85"})
                values = _objects(self.target)[shown]
                if kind == "class":
                    self._draw_groups(panel, xy[shown], values, found, style)
                else:
                    found.append(self._draw_numbers(panel, xy[shown], values, style))
            self.points_[kind] = drawn[0] + drawn[1]
            self._explain(row, kind, drawn[1])
        for panel, title in zip(axes[0], TITLES, strict=True):
            panel.set_title(title, fontsize="medium")
        for panel in axes.flat:
            panel.set_xticks([])
            panel.set_yticks([])
        return self

    def _kinds(self, n):
        """Return "class", "number" or "" for every row."""
        kinds = np.full(n, "", dtype=object)
        if self.target is None:
            return kinds
        target = _objects(self.target)
        known = np.array([value is not None for value in target], dtype=bool)
        if self.is_class is None:
            real = (float, np.floating)
            is_class = np.array([not isinstance(value, real) for value in target])
        else:
            is_class = np.asarray(self.is_class, dtype=bool)
        kinds[known & is_class] = "class"
        kinds[known & ~is_class] = "number"
        return kinds

    def _draw_groups(self, ax, xy, values, found, style, means=False):
        """Draw each group in its colour and marker, or a crowd of them in grey."""
        names = sort_names(dict.fromkeys(values.tolist()))
        where = {name: np.array([v == name for v in values]) for name in names}
        if len(names) <= MANY:
            texts = texts_of(names)
            for name, (colour, marker) in looks(names).items():
                own = {"color": colour, "marker": marker, "label": texts[name]}
                own["zorder"] = 3 - where[name].mean()  # few rows lie above many
                found.append(ax.scatter(*xy[where[name]].T, **own | style))
            return
        found.append(ax.scatter(*xy.T, **{"color": PALE, "label": "rows"} | style))
        if means:
            centres = np.array([xy[rows].mean(axis=0) for rows in where.values()])
            found.append(
                ax.scatter(
                    *centres.T, marker="+", color=ink(), s=28, linewidths=1.2,
                    label=f"means of {len(names)} clients",
                )
            )  # fmt: skip

    def _draw_numbers(self, ax, xy, values, style):
        """Draw numbers as shades, which a few extreme ones do not use up."""
        values = values.astype(float)
        low, high = np.nanquantile(values, [0.02, 0.98])
        shades = {"c": values, "cmap": "cividis", "vmin": low, "vmax": high}
        return ax.scatter(*xy.T, **shades | style)

    def _explain(self, row, kind, drawn):
        row[0].set_ylabel(f"by {kind}")
        if kind == "number":
            room = row[1].inset_axes([1.03, 0.0, 0.04, 1.0])
            bar = self.figure_.colorbar(drawn[-1], cax=room, extend="both")
            bar.set_label("target")
            return
        columns = 1 + (len(drawn) - 1) // 11
        beside(row[1], ncols=columns, handletextpad=0.2, markerscale=1.4)


def _objects(values):
    """Return a list as one-dimensional array, whatever its items are."""
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found
