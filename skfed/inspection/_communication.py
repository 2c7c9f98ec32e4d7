"""What a fit costs on the wire."""

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from ._display import Display
from ._style import BLUE, ORANGE, PALETTE, beside

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "ooo")
MOST_TASKS = 6


class CommunicationDisplay(Display):
    """Bytes that crossed the clients' borders, by task and by round.

    Use :meth:`from_estimator` to make one. Left: all bytes of a task, to the clients
    and from them. Right: the bytes of each round, round 0 being what comes before
    training, of the fit alone or of the folds behind a personalizer's evidence as well.

    Parameters
    ----------
    ledger : DataFrame
        One row per entry of a message with the columns ``scope``, ``round``,
        ``direction``, ``client``, ``task`` and ``bytes``, such as ``ledger_``.

    Attributes
    ----------
    by_task_ : DataFrame of shape (n_tasks, 2)
        Bytes of each task, columns "down" (to the clients) and "up", the most costly
        first.
    by_round_ : DataFrame of shape (n_rounds + 1, n_tasks)
        Bytes of each round and task, both directions.
    bars_, areas_ : list of artists
        What is drawn of them.
    axes_ : array of Axes of shape (1, 2)
        The panels.
    ax_ : Axes
        The first panel.
    figure_ : Figure
        The figure.

    See Also
    --------
    ConvergenceDisplay : What the rounds bought.

    Notes
    -----
    It draws the ledger, which the server writes, and needs no rows. Bytes are those of
    the arrays and numbers themselves, without what a transport wraps around them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier
    >>> from skfed.inspection import CommunicationDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {"a": (X[::2], y[::2]), "b": (X.iloc[1::2, 1:], y[1::2])}
    >>> model = FederatedClassifier(personalizer=None, n_rounds=5, random_state=0)
    >>> display = CommunicationDisplay.from_estimator(model.fit(clients))
    >>> display.by_task_.columns.tolist()
    ['down', 'up']
    >>> display.by_task_.to_numpy().sum() == model.ledger_["bytes"].sum()
    np.True_
    """

    def __init__(self, ledger):
        self.ledger = ledger

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the ledger of a fitted federated estimator.

        Parameters
        ----------
        estimator : federated estimator
            Fitted.
        ax : Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : CommunicationDisplay
            The display, drawn.
        """
        check_is_fitted(estimator)
        return cls(estimator.ledger_).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, per_client=False):
        """Draw the bytes.

        Parameters
        ----------
        ax : Axes or array of two Axes, default=None
            Where to draw; one Axes is split. None makes a figure.
        per_client : bool, default=False
            Whether to divide by the number of clients.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ValueError
            If the ledger is empty.
        ImportError
            If matplotlib is not installed.
        """
        check_scalar(per_client, "per_client", bool)
        if not len(self.ledger):
            raise ValueError("the ledger has no message, so there is nothing to draw")
        clients = len(set(self.ledger["client"].tolist())) if per_client else 1
        self._sum_up(clients)
        axes = self._open(ax, 1, 2, (9.0, 3.6))
        whose = "a client" if per_client else "all clients"
        self._draw_tasks(axes[0, 0], whose)
        self._draw_rounds(axes[0, 1], whose)
        return self

    def _sum_up(self, n_clients):
        frame = self.ledger
        tasks = frame.pivot_table(
            "bytes", "task", "direction", aggfunc="sum", fill_value=0
        ).reindex(columns=["down", "up"], fill_value=0)
        order = tasks.sum(axis=1).sort_values(ascending=False, kind="stable").index
        rounds = frame.pivot_table(
            "bytes", "round", "task", aggfunc="sum", fill_value=0
        )
        every = range(int(rounds.index.min()), int(rounds.index.max()) + 1)
        rounds = rounds.reindex(index=every, columns=order, fill_value=0)
        self.by_task_ = (
            tasks.loc[order] / n_clients if n_clients > 1 else tasks.loc[order]
        )
        self.by_round_ = rounds / n_clients if n_clients > 1 else rounds

    def _draw_tasks(self, ax, whose):
        factor, unit = unit_of(self.by_task_.sum(axis=1).max())
        self.bars_, left = [], np.zeros(len(self.by_task_))
        for direction, label, colour, hatch in (
            ("down", "to the clients", BLUE, ""),
            ("up", "from the clients", ORANGE, "///"),
        ):
            width = self.by_task_[direction].to_numpy() / factor
            self.bars_.append(
                ax.barh(
                    range(len(width)), width, left=left, color=colour, label=label,
                    hatch=hatch, edgecolor="white", linewidth=0.5,
                )
            )  # fmt: skip
            left = left + width
        ax.set_yticks(range(len(left)), self.by_task_.index)
        ax.invert_yaxis()
        ax.set_xlabel(f"{unit}, {whose}")
        ax.set_title("by task", fontsize="medium")
        sums = [f" {amount(n)}" for n in self.by_task_.sum(axis=1)]
        ax.bar_label(self.bars_[-1], sums, fontsize="small")
        ax.set_xlim(0, 1.3 * max(left.max(), 1e-9))
        ax.legend(fontsize="small", loc="lower right")

    def _draw_rounds(self, ax, whose):
        from matplotlib.ticker import MaxNLocator

        shown = self.by_round_.iloc[:, :MOST_TASKS].copy()
        if self.by_round_.shape[1] > MOST_TASKS:
            shown["other"] = self.by_round_.iloc[:, MOST_TASKS:].sum(axis=1)
        factor, unit = unit_of(shown.sum(axis=1).max())
        edges = np.append(shown.index.to_numpy() - 0.5, shown.index[-1] + 0.5)
        low, self.areas_ = np.zeros(len(shown)), []
        for k, task in enumerate(shown):
            high = low + shown[task].to_numpy() / factor
            self.areas_.append(
                ax.stairs(
                    high, edges, baseline=low, fill=True, label=task,
                    facecolor=PALETTE[k], hatch=HATCHES[k], edgecolor="white",
                    linewidth=0,
                )
            )  # fmt: skip
            low = high
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(edges[0], edges[-1])
        ax.set_ylim(0, 1.05 * max(low.max(), 1e-9))
        ax.set_xlabel("round (0: before training)")
        ax.set_ylabel(f"{unit} a round, {whose}")
        ax.set_title("by round", fontsize="medium")
        beside(ax, reverse=True)


def amount(size):
    """Return a number of bytes as text."""
    factor, unit = unit_of(size)
    return f"{size / factor:.3g} {unit}"


def unit_of(most):
    """Return the factor and the name of the unit in which numbers are handy."""
    return next((u for u in UNITS if most >= u[0]), UNITS[-1])
