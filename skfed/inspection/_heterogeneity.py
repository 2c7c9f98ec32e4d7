"""How clients differ, measured."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..data._tables import n_rows, sort_names
from ._display import Display
from ._style import BLUE, MANY, VERMILLION, name_clients
from ._summaries import (
    MEASURES,
    covariate_shifts,
    jaccard_overlaps,
    known_columns,
    label_shifts,
    missing_shares,
    read_tables,
)


class HeterogeneityDisplay(Display):
    """How far every client is from the others: one panel for each way to differ.

    Use :meth:`from_clients` or :meth:`from_estimator` to make one. The panels are the
    dials of :func:`~skfed.datasets.make_heterogeneous_clients`, measured:

    - rows, and columns;
    - columns in common: mean Jaccard index with the other clients' columns;
    - label shift: distance of the client's target from that of all others;
    - covariate shift: the same of each column that others have too, on average;
    - missing: share of the cells.

    A distance is 0 for equal distributions and 1 for distributions that do not overlap:
    the Kolmogorov-Smirnov statistic for numbers of more than 20 values, and the total
    variation for labels, categories and numbers of few. Small samples differ by chance;
    a tick marks how much on average, and only what is clearly to the right of it is a
    difference.

    Parameters
    ----------
    measures : DataFrame
        One row per client: ``client``, and any of ``n_rows``, ``n_columns``,
        ``overlap``, ``label_shift``, ``covariate_shift`` and ``missing``; the two
        shifts may come with ``label_shift_chance`` and ``covariate_shift_chance``.

    Attributes
    ----------
    shown_ : list of str
        The measures with a panel: those that are known for any client.
    client_names_ : list
        The clients from bottom to top, by rows.
    points_ : dict of str to Line2D
        The markers of each measure.
    axes_ : array of Axes of shape (1, n_shown)
        The panels.
    ax_ : Axes
        The first panel.
    figure_ : Figure
        The figure.

    See Also
    --------
    SchemaDisplay : Which columns they are.

    Notes
    -----
    Shifts compare rows of different clients, and no client tells them in a fit: they
    are for tables that are at hand, in a simulation say. From a fitted estimator come
    rows, columns and their overlap. What a concept shift does cannot be seen without a
    model.

    Examples
    --------
    >>> from skfed.datasets import make_heterogeneous_clients
    >>> from skfed.inspection import HeterogeneityDisplay
    >>> data = make_heterogeneous_clients(
    ...     4, 60, feature_overlap=0.5, label_shift=2.0, random_state=0
    ... )
    >>> display = HeterogeneityDisplay.from_clients(data.clients)
    >>> display.shown_
    ['n_rows', 'n_columns', 'overlap', 'label_shift', 'covariate_shift', 'missing']
    """

    def __init__(self, measures):
        self.measures = measures

    @classmethod
    def from_clients(
        cls,
        X,
        y=None,
        *,
        clients=None,
        client_column=None,
        targets=None,
        random_state=0,
        ax=None,
    ):
        """Measure clients' tables.

        Parameters
        ----------
        X : list, dict, ClientData or DataFrame
            Pairs or tables, in one of the forms of an estimator's ``fit``. Unnamed
            columns count as equal by position.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only; without any target there
            is no label shift.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        client_column : str, default=None
            Column that names the client, when ``X`` is one DataFrame.
        targets : dict, default=None
            ``{client: name of what it predicts}``, where that differs. Targets are
            compared among clients that predict the same.
        random_state : int or RandomState, default=0
            Seed of the chance level of labels and categories.
        ax : Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.

        Returns
        -------
        display : HeterogeneityDisplay
            The display, drawn.
        """
        cohort = read_tables(X, y, clients, client_column)
        tables = cohort.tables
        found = _sizes(
            {name: n_rows(table) for name, table in tables.items()},
            {name: list(table.columns) for name, table in tables.items()},
        )
        shifts = {"covariate_shift": covariate_shifts(tables, random_state)}
        if cohort.targets is not None:
            shifts["label_shift"] = label_shifts(
                cohort.targets, targets or {}, random_state
            )
        names = list(tables)
        for measure, by_client in shifts.items():
            pairs = [by_client.get(name, (np.nan, np.nan)) for name in names]
            found[measure], found[f"{measure}_chance"] = np.transpose(pairs)
        found["missing"] = list(missing_shares(tables).values())
        return cls(found).plot(ax=ax)

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw what a fitted estimator knows of its clients: rows and columns.

        Parameters
        ----------
        estimator : federated estimator
            Fitted.
        ax : Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.

        Returns
        -------
        display : HeterogeneityDisplay
            The display, drawn.
        """
        check_is_fitted(estimator)
        history = estimator.history_
        rows = dict(
            zip(history["client"].tolist(), history["n_rows"].tolist(), strict=True)
        )
        columns = known_columns(estimator)
        return cls(_sizes({c: rows.get(c, np.nan) for c in columns}, columns)).plot(
            ax=ax
        )

    def plot(self, ax=None):
        """Draw the measures.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw: one Axes for each panel, or one that is split. None makes a
            figure.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ValueError
            If no measure is known for any client.
        ImportError
            If matplotlib is not installed.
        """
        frame = self.measures
        self.shown_ = [m for m in MEASURES if m in frame and frame[m].notna().any()]
        if not self.shown_:
            raise ValueError(f"no measure is known; there are {list(MEASURES)}")
        names = frame["client"].tolist()
        rank = {name: k for k, name in enumerate(sort_names(names))}
        size = [0.0] * len(names)
        if "n_rows" in frame:  # of a client that joined later it is not known
            size = frame["n_rows"].fillna(0).tolist()
        order = sorted(range(len(names)), key=lambda k: (size[k], -rank[names[k]]))
        frame = frame.iloc[order]
        self.client_names_ = frame["client"].tolist()
        height = float(np.clip(1.5 + 0.26 * len(names), 2.6, 6.0))
        width = 2.4 + 1.35 * len(self.shown_)
        axes = self._open(ax, 1, len(self.shown_), (width, height), sharey=True)
        self.points_ = {}
        for panel, measure in zip(axes[0], self.shown_, strict=True):
            self._draw(panel, measure, frame)
        name_clients(self.ax_, self.client_names_)
        self.ax_.set_ylim(-0.7, len(names) - 0.3)
        return self

    def _draw(self, ax, measure, frame):
        from matplotlib.ticker import MaxNLocator

        places, crowd = np.arange(len(frame)), len(frame) > 2 * MANY
        chance = frame.get(f"{measure}_chance")
        if chance is not None:
            ax.plot(
                chance, places, "|", color=VERMILLION, markeredgewidth=1.4,
                markersize=4 if crowd else 10,
            )  # fmt: skip
            ax.set_xlabel("| by chance", color=VERMILLION, fontsize="small")
        (self.points_[measure],) = ax.plot(
            frame[measure], places, "o", color=BLUE, markersize=2.5 if crowd else 6
        )
        ax.set_title(MEASURES[measure], fontsize="medium")
        ax.grid(axis="y" if not crowd else "x", color="0.9", linewidth=0.8)
        ax.set_axisbelow(True)
        if measure in ("n_rows", "n_columns"):
            known = frame[measure].dropna()
            if (
                measure == "n_rows"
                and known.min() > 0
                and known.max() > 20 * known.min()
            ):
                ax.set_xscale("log")
            else:
                ax.set_xlim(0, 1.1 * max(known.max(), 1))
                ax.xaxis.set_major_locator(MaxNLocator(3))
        else:
            ax.set_xlim(-0.07, 1.07)
            ax.set_xticks([0, 0.5, 1], ["0", ".5", "1"])


def _sizes(rows, columns):
    """Return the measures of rows and columns, one row per client."""
    names = list(columns)
    clients = np.empty(len(names), dtype=object)
    clients[:] = names
    overlap = jaccard_overlaps(columns)
    return pd.DataFrame(
        {
            "client": clients,
            "n_rows": [rows[name] for name in names],
            "n_columns": [len(columns[name]) for name in names],
            "overlap": [overlap[name] for name in names],
        }
    )
