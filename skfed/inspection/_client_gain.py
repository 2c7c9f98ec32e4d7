"""Local against federated, client by client."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_scalar

from ..metrics import compare
from ._display import Display
from ._paired_scores import paired_scores
from ._style import (
    BLUE,
    MANY,
    PALE,
    VERMILLION,
    by_name,
    ink,
    name_clients,
    pyplot,
)
from ._verdicts import judge

ALONE = {
    "local": "the same model alone",
    "local_linear": "the client's own linear model",
    "pooled": "the same model on pooled rows",
    "pooled_linear": "a linear model on pooled rows",
}
VERDICTS = {"better": (BLUE, "o"), "unclear": (PALE, "D"), "worse": (VERMILLION, "s")}


class ClientGainDisplay(Display):
    """What every client gains by the federation, with an interval for each.

    Use :meth:`from_estimator`, :meth:`from_comparison` or :meth:`from_predictions` to
    make one. A client is "better" or "worse" if the interval of its gain excludes
    zero, and "unclear" otherwise; without standard errors, by the sign alone.

    Parameters
    ----------
    federated : dict or Series
        The score of each client in the federation; higher is better.
    baseline : dict or Series
        The score of each client with what it is compared to.
    errors : dict or Series, default=None
        Standard errors of the differences. None: no intervals.
    n_rows : dict or Series, default=None
        Rows of each client, to order by.
    score_name : str, default="score"
        What the scores are.
    baseline_name : str, default="local"
        What the federation is compared to.

    Attributes
    ----------
    gains_ : dict
        ``{client: federated - baseline}`` in drawn order, from bottom to top; NaN where
        a score is not defined.
    intervals_ : dict
        ``{client: (low, high)}``, NaN without standard errors.
    verdicts_ : dict
        ``{client: "better", "worse", "unclear" or None}``, None for an undefined gain.
    points_ : dict of str to Line2D
        The markers of each verdict.
    axes_ : array of Axes of shape (1, 1)
        The panel.
    ax_ : Axes
        The panel itself.
    figure_ : Figure
        The figure.

    See Also
    --------
    skfed.metrics.compare : The table behind it.

    Notes
    -----
    The interval is ``gain ± z * standard error``. The standard error comes from
    resampled held-out rows; it does not include the chance of the training rows.

    Examples
    --------
    >>> from skfed.inspection import ClientGainDisplay
    >>> display = ClientGainDisplay(
    ...     federated={"a": 0.91, "b": 0.80, "c": 0.78},
    ...     baseline={"a": 0.80, "b": 0.81, "c": 0.70},
    ...     errors={"a": 0.02, "b": 0.02, "c": 0.05},
    ...     score_name="accuracy",
    ... ).plot()
    >>> display.verdicts_
    {'b': 'unclear', 'c': 'unclear', 'a': 'better'}
    """

    def __init__(
        self,
        federated,
        baseline,
        *,
        errors=None,
        n_rows=None,
        score_name="score",
        baseline_name="local",
    ):
        self.federated = federated
        self.baseline = baseline
        self.errors = errors
        self.n_rows = n_rows
        self.score_name = score_name
        self.baseline_name = baseline_name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y=None,
        *,
        baseline="local_linear",
        cv=5,
        scoring=None,
        n_bootstrap=200,
        random_state=0,
        n_jobs=None,
        ax=None,
        **kwargs,
    ):
        """Score an estimator by :func:`~skfed.metrics.compare`, and draw the gains.

        Parameters
        ----------
        estimator : FederatedClassifier or FederatedRegressor
            Cloned for each fold; it need not be fitted.
        X : list or dict of pairs, ClientData or DataFrame
            The clients, in a form of ``fit``.
        y : array of shape (n,), default=None
            The target, for the forms that hold tables only.
        baseline : {"local", "local_linear", "pooled", "pooled_linear"}, \
default="local_linear"
            What to compare with.
        cv : int or splitter, default=5
            Folds, as in compare.
        scoring : str or callable, default=None
            A scikit-learn scorer; None is accuracy or R2.
        n_bootstrap : int, default=200
            Resamples for the standard errors; 0 leaves them out.
        random_state : int or RandomState, default=0
            Seed of folds and resamples.
        n_jobs : int, default=None
            Workers over the folds.
        ax : Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : ClientGainDisplay
            The display, drawn.

        Raises
        ------
        ClientError
            If the baseline is unknown, or clients are not given with their targets.
        """
        pyplot(cls.__name__)  # before the fits, which take their time
        table = compare(
            estimator,
            X,
            y,
            cv=cv,
            scoring=scoring,
            baselines=[baseline],
            n_bootstrap=n_bootstrap,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        name = scoring if isinstance(scoring, str) else "score"
        if scoring is None:
            name = "accuracy" if is_classifier(estimator) else "R2"
        return cls.from_comparison(
            table, baseline=baseline, score_name=name, ax=ax, **kwargs
        )

    @classmethod
    def from_comparison(
        cls, table, *, baseline="local_linear", score_name="score", ax=None, **kwargs
    ):
        """Draw one baseline of the table that :func:`~skfed.metrics.compare` returns.

        Parameters
        ----------
        table : DataFrame
            One row per client with the columns ``federated``, the baseline,
            ``vs_<baseline>_se`` and ``n_rows``, the last two optional.
        baseline : str, default="local_linear"
            The column to compare with.
        score_name : str, default="score"
            What the scores are.
        ax : Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : ClientGainDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the table has no such baseline.
        """
        if baseline not in table or "federated" not in table:
            raise ValueError(
                f"the table has no columns 'federated' and {baseline!r}; it has "
                f"{list(table.columns)}"
            )
        display = cls(
            table["federated"],
            table[baseline],
            errors=table.get(f"vs_{baseline}_se"),
            n_rows=table.get("n_rows"),
            score_name=score_name,
            baseline_name=ALONE.get(baseline, baseline),
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_federated,
        y_baseline,
        *,
        metric=None,
        score_name=None,
        baseline_name="local",
        n_bootstrap=200,
        random_state=0,
        ax=None,
        **kwargs,
    ):
        """Score two predictions of the same held-out rows, and draw the gains.

        Clients may have tasks of their own, each scored by its own metric.

        Parameters
        ----------
        y_true, y_federated, y_baseline : dict or list of arrays of shape (n_k,)
            For each client the truth, the federated prediction and the other one.
        metric : callable, default=None
            ``(y_true, y_pred) -> float``, higher is better. None is R2 for a client
            whose targets or predictions have fractions, and accuracy for all others.
        score_name : str, default=None
            What the scores are; None says it of the default metric.
        baseline_name : str, default="local"
            What the federation is compared to.
        n_bootstrap : int, default=200
            Paired resamples of a client's rows for the standard errors; 0 leaves them
            out.
        random_state : int, RandomState or None, default=0
            Seed of the resamples.
        ax : Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Further arguments of :meth:`plot`.

        Returns
        -------
        display : ClientGainDisplay
            The display, drawn.

        Raises
        ------
        ClientError
            If the three are not of the same clients and lengths.
        """
        scores = paired_scores(
            y_true, y_federated, y_baseline, metric, n_bootstrap, random_state
        )
        display = cls(
            scores.federated,
            scores.baseline,
            errors=scores.errors,
            n_rows=scores.n_rows,
            score_name=score_name or scores.name,
            baseline_name=baseline_name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, kind="gain", order="gain", confidence=0.95):
        """Draw the gains.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a figure.
        kind : {"gain", "scores"}, default="gain"
            "gain": the difference, with zero as line. "scores": both scores of a
            client with the step between them.
        order : {"gain", "n_rows", "name"}, default="gain"
            What the clients are ordered by, from bottom to top.
        confidence : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        self : object
            The display.

        Raises
        ------
        ValueError
            If an argument is not one of these, the clients of the two scores differ,
            or ``order="n_rows"`` is asked for and no rows are known.
        ImportError
            If matplotlib is not installed.
        """
        if kind not in ("gain", "scores"):
            raise ValueError(f"kind must be 'gain' or 'scores', got {kind!r}")
        check_scalar(
            confidence, "confidence", float, min_val=0, max_val=1,
            include_boundaries="neither",
        )  # fmt: skip
        federated, baseline = by_name(self.federated), by_name(self.baseline)
        errors = None if self.errors is None else by_name(self.errors)
        n_rows = None if self.n_rows is None else by_name(self.n_rows)
        self.gains_, self.intervals_, self.verdicts_ = judge(
            federated, baseline, errors, n_rows, order, confidence
        )
        n = len(self.gains_)
        size = (6.4, float(np.clip(1.3 + 0.3 * n, 2.4, 6.0)))
        self._open(ax, size=size)
        shift = baseline if kind == "scores" else dict.fromkeys(self.gains_, 0.0)
        self._draw(shift, n)
        if kind == "scores":
            self._draw_baseline(baseline, n)
        name_clients(self.ax_, list(self.gains_))
        self.ax_.set_ylim(-0.7, n - 0.3)
        text = self.score_name
        if kind == "gain":
            text = f"gain in {text} over {self.baseline_name}"
        if self.errors is not None:
            text += f"\nwith {confidence:.0%} interval"
            text += "" if kind == "gain" else " of the gain"
        self.ax_.set_xlabel(text)
        if any(self.verdicts_.values()):  # above, where no interval is covered
            self.ax_.legend(
                loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False,
                fontsize="small", handletextpad=0.2, columnspacing=1.2,
            )  # fmt: skip
        return self

    def _draw(self, shift, n):
        """Draw the gains and their intervals, each moved by a client's own shift."""
        ax, small = self.ax_, n > 2 * MANY
        place = {c: k for k, c in enumerate(self.gains_)}
        self.points_ = {}
        if not any(shift.values()):
            ax.axvline(0, color=ink(), linewidth=0.8)
        for verdict, (colour, marker) in VERDICTS.items():
            names = [c for c, said in self.verdicts_.items() if said == verdict]
            if not names:
                continue
            y = [place[c] for c in names]
            moved = np.array([float(shift[c]) for c in names])
            low, high = np.transpose([self.intervals_[c] for c in names]) + moved
            ax.hlines(y, low, high, color=colour, linewidth=0.7 if small else 1.6)
            (self.points_[verdict],) = ax.plot(
                [self.gains_[c] for c in names] + moved, y, marker, color=colour,
                markersize=3 if small else 6.5, label=f"{verdict} ({len(names)})",
            )  # fmt: skip

    def _draw_baseline(self, baseline, n):
        self.ax_.plot(
            [baseline[c] for c in self.gains_], range(n), "|", color=ink(),
            markeredgewidth=1.5, markersize=5 if n > 2 * MANY else 12,
            label=self.baseline_name,
        )  # fmt: skip
