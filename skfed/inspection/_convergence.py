"""How the loss fell, round by round."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..data._tables import sort_names
from ._display import Display
from ._style import (
    MANY,
    PALE,
    beside,
    by_client,
    ink,
    looks,
    text_of,
    texts_of,
)

LABELS = {"loss": "loss on training rows", "valid_loss": "loss on rows held out"}


class ConvergenceDisplay(Display):
    """Loss of every client, and of all together, over the rounds of a fit.

    Use :meth:`from_estimator` to make one. Up to twenty clients have a colour, a marker
    and a name each; more of them are thin grey lines behind the mean.

    Parameters
    ----------
    history : DataFrame
        One row per client and round with the columns ``round``, ``client``, ``n_rows``
        and the metric, such as an estimator's ``history_``.
    metric : str, default="loss"
        The column to draw, such as "loss" or "valid_loss".
    targets : dict, default=None
        ``{client: name of what it predicts}``. Each gets a panel of its own, because
        losses of different quantities cannot be averaged. None: all predict the same.
    best_round : int, default=None
        The round whose weights were kept, drawn as a line. None: the last.

    Attributes
    ----------
    means_ : dict of str to Series
        For each target the mean over the clients by round, weighted by their rows;
        of the clients that trained in the round.
    lines_ : dict
        ``{client: its Line2D}``.
    mean_lines_ : dict of str to Line2D
        The mean of each target that several clients predict.
    axes_ : array of Axes of shape (1, n_targets)
        The panels.
    ax_ : Axes
        The first panel.
    figure_ : Figure
        The figure.

    See Also
    --------
    ClientGainDisplay : What each client gains in the end.
    CommunicationDisplay : What the rounds cost.

    Notes
    -----
    It draws what every client told the server in each round, and needs no rows: it
    works for sites that keep their tables. A falling training loss is no evidence of a
    gain; it says whether ``n_rounds`` and the learning rate are in order.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier
    >>> from skfed.inspection import ConvergenceDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {"a": (X[::2], y[::2]), "b": (X.iloc[1::2, 1:], y[1::2])}
    >>> model = FederatedClassifier(personalizer=None, n_rounds=5, random_state=0)
    >>> display = ConvergenceDisplay.from_estimator(model.fit(clients))
    >>> sorted(display.lines_)
    ['a', 'b']
    """

    def __init__(self, history, *, metric="loss", targets=None, best_round=None):
        self.history = history
        self.metric = metric
        self.targets = targets
        self.best_round = best_round

    @classmethod
    def from_estimator(cls, estimator, *, metric="loss", ax=None, **kwargs):
        """Draw the rounds of a fitted federated estimator.

        Parameters
        ----------
        estimator : federated estimator
            Fitted.
        metric : {"loss", "valid_loss"}, default="loss"
            A numeric column of ``history_``; "valid_loss" needs
            ``early_stopping=True``.
        ax : Axes or array of Axes, default=None
            Where to draw, as in :meth:`plot`.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : ConvergenceDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the history has no such column, or no value in it.
        """
        check_is_fitted(estimator)
        last = estimator.best_round_ == estimator.n_rounds_
        display = cls(
            estimator.history_,
            metric=metric,
            targets=getattr(estimator, "target_names_", None),
            best_round=None if last else estimator.best_round_,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, client_kwargs=None, mean_kwargs=None):
        """Draw the losses.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw; with several targets one Axes for each, or one that is
            split. None makes a figure.
        client_kwargs : dict, default=None
            Arguments for the clients' lines, over the display's own.
        mean_kwargs : dict, default=None
            Arguments for the lines of the means.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ValueError
            If the history has no such column, or no value in it.
        ImportError
            If matplotlib is not installed.
        """
        groups = self._groups()
        size = (7.0 if len(groups) == 1 else 5.0 * len(groups), 4.0)
        axes = self._open(ax, 1, len(groups), size)
        self.lines_, self.mean_lines_, self.means_ = {}, {}, {}
        look = looks(sort_names(c for clients in groups.values() for c in clients))
        for panel, (target, clients) in zip(axes[0], groups.items(), strict=True):
            self._draw_clients(panel, clients, look, client_kwargs)
            self._draw_mean(panel, target, clients, mean_kwargs)
            self._finish(panel, target, clients, len(groups))
        return self

    def _groups(self):
        """Return ``{target: {client: its rounds}}``."""
        if self.metric not in self.history:
            raise ValueError(
                f"the history has no column {self.metric!r}; it has "
                f"{list(self.history.columns)}"
            )
        known = self.history[self.history[self.metric].notna()]
        if not len(known):
            raise ValueError(
                f"{self.metric!r} is missing in every round; fit with "
                "early_stopping=True to get the loss on held-out rows"
            )
        rounds = by_client(known)
        groups: dict = {}
        for name in sort_names(rounds):
            target = (self.targets or {}).get(name, "")
            groups.setdefault(target, {})[name] = rounds[name].sort_values("round")
        return groups

    def _draw_clients(self, ax, clients, look, given):
        crowd, texts = len(clients) > MANY, texts_of(clients)
        for k, (name, rounds) in enumerate(clients.items()):
            colour, marker = look[name]
            style = {"color": PALE, "linewidth": 0.6, "alpha": 0.6}
            if not crowd:
                every = max(1, len(rounds) // 6)
                style = {"color": colour, "linewidth": 1.2, "marker": marker}
                # clients that lie close to each other have their markers in turn
                style |= {"markersize": 5, "markevery": (k % every, every)}
                style |= {"label": texts[name]}
            style |= given or {}
            (line,) = ax.plot(rounds["round"], rounds[self.metric], **style)
            self.lines_[name] = line

    def _draw_mean(self, ax, target, clients, given):
        rows = pd.concat(clients.values())
        weight = rows["n_rows"].to_numpy(float)
        total = pd.Series(weight * rows[self.metric].to_numpy()).groupby(
            rows["round"].to_numpy()
        )
        mean = total.sum() / pd.Series(weight).groupby(rows["round"].to_numpy()).sum()
        self.means_[target] = mean
        if len(clients) == 1:  # the mean is the client
            return
        style = {"color": ink(), "linewidth": 2.6, "label": "mean over rows"}
        (line,) = ax.plot(mean.index, mean.to_numpy(), **style | (given or {}))
        self.mean_lines_[target] = line

    def _finish(self, ax, target, clients, n_groups):
        from matplotlib.ticker import MaxNLocator

        if self.best_round is not None:
            ax.axvline(
                self.best_round, color=ink(), linewidth=1, linestyle=":",
                label=f"round {self.best_round} was kept",
            )  # fmt: skip
        if len(clients) > MANY:
            any_line = self.lines_[next(iter(clients))]
            any_line.set_label(f"each of {len(clients)} clients")
        handles, labels = ax.get_legend_handles_labels()
        mean = self.mean_lines_.get(target)
        order = np.argsort([h is not mean for h in handles], kind="stable")
        handles, labels = [handles[k] for k in order], [labels[k] for k in order]
        if len(handles) > 3:
            beside(ax, handles, labels=labels, ncols=1 + len(handles) // 12)
        else:
            ax.legend(handles, labels, fontsize="small", loc="upper right")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("round")
        ax.set_ylabel(LABELS.get(self.metric, self.metric))
        if n_groups > 1:
            ax.set_title(text_of(target))
