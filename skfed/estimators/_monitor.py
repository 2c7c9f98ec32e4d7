"""Rounds as seen from outside: scikit-learn callbacks and lines of text."""

import sys
from typing import Any

from ..training._monitor import Monitor


class RoundMonitor(Monitor):
    """Run callbacks and report progress around communication rounds.

    One round is one subtask of the estimator's fit, so that scikit-learn's progress
    bar, score log and any stopping callback work on rounds.
    """

    def __init__(self, estimator, plan, session, cohort):
        self.estimator, self.plan = estimator, plan
        self.session = session
        self.has_callbacks = bool(
            getattr(estimator, "_skl_callbacks", None)
        ) or hasattr(estimator, "_parent_callback_ctx")
        self.data = (
            dict(zip("Xy", cohort.flat(), strict=True)) if (self.has_callbacks) else {}
        )
        self.root: Any = None
        self.context: Any = None

    def begin(self, groups):
        """Set what callbacks may read before the first round."""
        estimator, result = self.estimator, groups.result
        estimator.client_names_ = list(result.clients)
        estimator._set_target_attributes(groups)
        self.root = estimator._init_callback_context(max_subtasks=self.plan.n_rounds)
        self.root.call_on_fit_task_begin(estimator=estimator, **self.data)
        self._say(f"{len(result.clients)} clients, {len(result.names)} aligned columns")

    def round_begin(self, round):
        """Open the round's subtask."""
        self.context = self.root.subcontext(task_name=f"round {round}")
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def round_end(self, round, groups):
        """Close the round's subtask; a callback may ask to stop."""
        estimator, result = self.estimator, groups.result
        estimator.n_rounds_ = result.n_rounds
        if self.plan_says(round):
            self._say(self._line(round, result))
        return self.context.call_on_fit_task_end(
            estimator=estimator,
            **self.data,
            reconstruction_attributes=lambda: self._snapshot(groups),
        )

    def end(self):
        """Close the fit."""
        self.root.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def plan_says(self, round):
        """Tell whether ``verbose`` wants a line for this round."""
        verbose = int(self.estimator.verbose)
        n = self.plan.n_rounds
        return verbose > 1 or (verbose and (round == n or round % max(n // 10, 1) == 0))

    def _snapshot(self, groups):
        estimator, result = self.estimator, groups.result
        return {
            **estimator._fitted_parts(groups, self.session),
            "client_features_": dict(result.features),
            "_plain": False,
            "_unnamed": result.unnamed,
        }

    def _line(self, round, result):
        last = [record for record in result.history if record["round"] == round]
        rows = sum(record["n_rows"] for record in last)
        loss = sum(record["loss"] * record["n_rows"] for record in last) / rows
        return f"round {round:>4}/{self.plan.n_rounds}: loss {loss:.4f}, " + (
            f"{len(last)} clients, {rows} rows"
        )

    def _say(self, text):
        if self.estimator.verbose:
            sys.stdout.write(f"[{type(self.estimator).__name__}] {text}\n")
