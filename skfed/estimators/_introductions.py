"""What clients say of their targets before a fit, from here or from real sites."""

from dataclasses import dataclass, field, fields
from typing import Any

from ..data._table_path import TablePath
from ..exceptions import ClientError
from ..federation import Broadcast, Failure, Ledger, drive
from ..training._introduce import ALWAYS_TOLD, Introduced, introduced

FIELDS = [f.name for f in fields(Introduced)]


@dataclass
class RemoteCohort:
    """Clients whose tables stay at their sites; stands where a ``Cohort`` would.

    Attributes
    ----------
    session : object
        The federation's, which knows the sites.
    ledger : Ledger
        Of the fit.
    tables : dict
        ``{client: None}``.
    targets : dict
        ``{client: None}``, as they are not here.
    target_columns : dict
        ``{client: names}`` of targets that are tables, once the sites were asked.
    """

    session: Any
    ledger: Any
    tables: dict
    targets: dict
    form: str = "remote"
    target_columns: dict = field(default_factory=dict)

    def flat(self):
        """Return no ``(X, y)``."""
        return None, None


def is_remote(federation):
    """Tell whether a federation's sites own their data."""
    return bool(getattr(federation, "remote", False))


def remote_cohort(federation, X, y, clients):
    """Open a session with real sites, and return them as clients.

    Parameters
    ----------
    federation : federation
        One whose sites own their data.
    X, y, clients : object
        What ``fit`` was given, which must be nothing.
    """
    if any(given is not None for given in (X, y, clients)):
        raise ClientError(
            f"the sites of {federation} own their data: call fit() without any"
        )
    session = federation.open(None, None)
    nothing = dict.fromkeys(session.clients)
    return RemoteCohort(session, Ledger(), nothing, dict(nothing))


def introduced_by(cohort, tasks=None):
    """Return ``{client: Introduced}``.

    Parameters
    ----------
    cohort : Cohort or RemoteCohort
        The clients; of real sites the names of the targets' columns are kept.
    tasks : dict, default=None
        ``{client: task or "auto"}``; None does not ask for the kind of target.
    """
    if not isinstance(cohort, RemoteCohort):
        return {
            name: _introduced(name, cohort, None if tasks is None else tasks[name])
            for name in cohort.tables
        }
    answers = drive(_asked(tuple(cohort.tables), tasks), cohort.session, cohort.ledger)
    cohort.target_columns.update(
        {name: told["columns"] for name, told in answers.items() if "columns" in told}
    )
    return {
        name: Introduced(**{key: told[key] for key in FIELDS if key in told})
        for name, told in answers.items()
    }


def _introduced(name, cohort, task):
    """Return what a client is that is here, or whose table has a path."""
    table = cohort.tables[name]
    if not isinstance(table, TablePath):
        return introduced(name, cohort.targets[name], task)
    if task is not None:
        raise ClientError(
            f"client {name!r} is given by a path, and FederatedMultiTask has to see "
            "the targets to tell tasks apart: give pairs (X_k, y_k)"
        )
    m = len(table.target_columns)
    return Introduced(m > 1, m)


def _asked(clients, tasks):
    """Ask sites for the kind of their targets: a generator of one broadcast."""
    each = {} if tasks is None else {name: {"task": tasks[name]} for name in clients}
    answers = yield Broadcast("introduce", {}, clients, each, min_replies=0)
    for name, told in answers.items():
        if isinstance(told, Failure):
            raise ClientError(
                f"client {name!r} cannot be asked what it has: {told.reason}; a fit "
                "starts with all sites of its federation"
            )
        if not set(ALWAYS_TOLD if tasks is None else FIELDS) <= set(told):
            raise ClientError(f"client {name!r} does not say what its target is")
    return answers
