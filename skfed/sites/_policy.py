"""What a site lets a server ask, checked before any task runs."""

import warnings

from ..training._introduce import TASKS, introduced
from ..training._recipe_read import decode_plan
from ..training._scopes import scope_name, stored

MOST_HELD_OUT = 0.5  # of the rows, for validation
ONCE = {  # tasks that settle which rows are used, and what settles that
    "describe": ("seed", "client", "n_clients", "newcomer"),
    "split": ("n_folds",),
}


class Refusal(ValueError):
    """A server asked for what this site does not allow."""


class Policy:
    """The rules of one site.

    Parameters
    ----------
    config : PolicyConfig
        What the site's file says.
    """

    def __init__(self, config):
        self.config = config

    def check_task(self, task, known):
        """Refuse tasks that nobody knows, and those that are not allowed."""
        if task not in known:
            raise Refusal(f"there is no task {task[:50]!r}")
        if task not in self.config.tasks:
            raise Refusal(f"the task {task!r} is not among those of policy.tasks")

    def read_recipe(self, payload):
        """Return text and :class:`Plan` of the recipe that a message brings."""
        text = payload.get("recipe")
        if set(payload) != {"recipe"} or not isinstance(text, str):
            raise Refusal("the message brings no recipe")
        config = self.config
        plan = decode_plan(text, config.classes, config.min_count, config.anchors)
        if plan.n_rounds > config.max_rounds:
            raise Refusal(
                f"the recipe has n_rounds={plan.n_rounds}, more than "
                f"policy.max_rounds={config.max_rounds}"
            )
        n_folds = _n_folds(plan)
        if n_folds > config.max_folds:
            raise Refusal(
                f"the recipe has n_folds={n_folds}, more than "
                f"policy.max_folds={config.max_folds}"
            )
        return text, plan

    def check_split(self, plan):
        """Refuse a recipe that trains on what is left of a table."""
        if plan.early_stopping and not plan.validation_fraction <= MOST_HELD_OUT:
            raise Refusal(
                f"the recipe has validation_fraction={plan.validation_fraction}, more "
                f"than {MOST_HELD_OUT}"
            )

    def check_target(self, plan, name, target):
        """Refuse a recipe that would have numbers, or names of rows, told as labels."""
        kind = self.config.target
        if plan.task != "classification" or kind == "labels":
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            task = introduced(name, target, "auto").task
        many = len(set(target.tolist())) > max(len(target) / 2, 2)
        if kind == "numbers" or TASKS[task] == "regression" or many:
            raise Refusal(
                "the recipe wants labels, and the target has numbers or nearly as many "
                "values as rows; the site may say policy.target = 'labels'"
            )

    def check_message(self, task, payload, plan, trained):
        """Refuse what goes beyond the recipe.

        Parameters
        ----------
        task : str
            The task.
        payload : dict
            The message.
        plan : Plan
            The recipe.
        trained : dict
            ``{scope: rounds trained so far}``.
        """
        n_folds, scope = _n_folds(plan), payload.get("scope", "")
        if scope:
            _check_scope(scope, payload, plan, n_folds)
        if task == "split" and payload.get("n_folds") != n_folds:
            raise Refusal(f"the recipe has n_folds={n_folds}, and the message other")
        round, most = payload.get("round", 0), self.config.max_rounds
        if type(round) is not int or not 0 <= round <= most:
            raise Refusal(f"round {round!r} is more than policy.max_rounds={most}")
        if task == "train" and trained.get(scope, 0) >= plan.n_rounds + _again(plan):
            raise Refusal(
                f"the recipe has n_rounds={plan.n_rounds}, and as many are trained"
            )

    def asked(self, task, payload, plan, state):
        """Refuse to tell of other rows than before, of few, or without end.

        Parameters
        ----------
        task : str
            The task.
        payload : dict
            The message.
        plan : Plan
            The recipe.
        state : dict
            What the client remembers.

        Returns
        -------
        asked : dict
            What the site has been asked by now, for the next message's state.
        """
        scope, known = payload.get("scope") or "", state.get("asked", {})
        if task in ONCE:
            said = [payload.get(key) for key in ONCE[task]]
            if not all(type(value) in (int, bool, type(None)) for value in said):
                raise Refusal(f"the task {task!r} takes whole numbers")
            if task == "describe" and scope and said[0] != state.get("seed"):
                raise Refusal("a fit inside the fit has the seed of the fit")
            if known.get((task, scope), said) != said:
                raise Refusal(f"the task {task!r} was done, and for other rows")
            return {**known, (task, scope): said}
        fit_rows = stored(payload, state).get("fit_rows")
        if fit_rows is not None and len(fit_rows) < plan.min_count:
            raise Refusal(f"fewer than min_count={plan.min_count} rows are to train on")
        if task != "evaluate":
            return known
        n_before = known.get((task, scope), 0)
        if n_before >= plan.n_rounds:
            raise Refusal(
                f"the recipe has n_rounds={plan.n_rounds}, and as many are evaluated"
            )
        return {**known, (task, scope): n_before + 1}


def _n_folds(plan):
    return 0 if plan.personalizer is None else int(plan.personalizer.n_folds)


def _again(plan):
    """Return how often rounds may be made again, with a shorter step."""
    from ..training._rounds import HALVINGS

    return 0 if plan.own_lr else HALVINGS


def _check_scope(scope, payload, plan, n_folds):
    """Refuse fits inside the fit that the recipe does not have."""
    network, fold = payload.get("network"), payload.get("fold")
    named = {"", *(member.name for member in plan.members)}
    known = network in named and type(fold) is int and -1 <= fold < n_folds
    if not known or scope != scope_name(network, fold):
        raise Refusal(f"the recipe has no fit {scope!r} inside the fit")
