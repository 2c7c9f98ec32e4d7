"""From clients' targets to the groups of a fit, a recipe for each quantity."""

import warnings

from ..data._wide_target import check_alike
from ..exceptions import AlignmentWarning, ClientError
from ..training._introduce import TASKS
from ._introductions import introduced_by
from ._read_tasks import asked_tasks, read_quantities


def read_targets(estimator, cohort):
    """Return each client's task and quantity.

    Parameters
    ----------
    estimator : FederatedMultiTask
        Says what was given.
    cohort : Cohort or RemoteCohort
        The clients.
    """
    told = introduced_by(cohort, asked_tasks(estimator.tasks, list(cohort.tables)))
    tasks = {client: own.task for client, own in told.items()}
    return tasks, read_quantities(estimator.target_names, told)


def groups_of(estimator, cohort, before, tasks, quantities):
    """Return the groups, with the estimator's recipe for each.

    Parameters
    ----------
    estimator : FederatedMultiTask
        Makes the recipes.
    cohort : Cohort
        The clients.
    before : dict
        ``{quantity: Result}`` of an earlier fit.
    tasks, quantities : dict
        What :func:`read_targets` returned.
    """
    from ..training._groups import Groups

    clients: dict = {}
    for name, (_, key) in quantities.items():
        clients.setdefault(key, []).append(name)
    known = {str(name): labels for name, labels in (estimator.classes or {}).items()}
    labelled = {
        m for c, (m, _) in quantities.items() if TASKS[tasks[c]] != "regression"
    }
    unknown = sorted(set(known) - labelled)
    if unknown:
        raise ClientError(
            f"classes= names the targets {unknown}, which are none of those with "
            f"classes, {sorted(labelled)}"
        )
    kinds: dict = {}
    for key in clients:
        kinds.setdefault(quantities[clients[key][0]][0], []).append(key)
    lost = sorted(set(before) - set(clients))
    if lost:
        warnings.warn(
            f"no client predicts {lost} any more, and what the fit before learnt of "
            f"that is lost; now the targets are {sorted(clients)}",
            AlignmentWarning,
            stacklevel=2,
        )
    seed, plans = estimator._seed(), {}
    for key in sorted(clients):
        named = cohort.target_columns
        check_alike({name: named[name] for name in clients[key] if name in named})
        first = clients[key][0]
        task, meaning = TASKS[tasks[first]], quantities[first][0]
        plans[key] = estimator._plan(
            cohort,
            task,
            seed,
            before.get(key),
            classes=known.get(meaning),
            meaning=meaning if len(clients) > 1 else "",
            tells_shares=len(kinds[meaning]) > 1,
            balance=estimator.balance,
            target_scaling=estimator.target_scaling if task == "regression" else None,
            local_heads="shared" if task == "regression" else estimator.heads,
        )
    return Groups(plans, clients)
