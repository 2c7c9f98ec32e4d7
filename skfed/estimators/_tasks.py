"""The task of a fit, from its targets, and who can do it."""


def classification_of(told):
    """Return "classification", or "multilabel" where some client's y is a table."""
    return "multilabel" if any(own.wide for own in told.values()) else "classification"


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
