"""The task of a fit, from its targets, and who can do it."""

import numpy as np


def classification_of(cohort):
    """Return "classification", or "multilabel" where some client's y is a table."""
    several = any(np.ndim(target) == 2 for target in cohort.targets.values())
    several = several or bool(cohort.target_columns)
    return "multilabel" if several else "classification"


def refuse_task(strategy, task):
    """Raise unless a strategy can do a task.

    A classification with several labels a row counts as classification, but for
    strategies that need one label.
    """
    exclusive = getattr(strategy, "one_label", False)
    if task == "multilabel" and "classification" in strategy.tasks:
        if not exclusive:
            return
        raise ValueError(
            f"strategy={strategy!r} takes one label a row; choose another for a table "
            "of labels"
        )
    if task not in strategy.tasks:
        raise ValueError(
            f"strategy={strategy!r} is for {' and '.join(strategy.tasks)}"
            f"; choose another for {task}"
        )
