"""From the estimator's parameters to the recipe of a fit."""

import warnings
from numbers import Integral
from typing import Any

from sklearn.base import clone
from sklearn.utils import check_random_state

from ..alignment import AutoAligner, is_negative_control
from ..data._wide_target import check_alike
from ..exceptions import NegativeControlWarning
from ..personalization import HierarchicalStacking
from ..preprocessing import TableEncoder
from ..strategies import FedAvg
from ._checkpoints import known_seed
from ._introductions import introduced_by
from ._tasks import refuse_task


class PlanMixin:
    """Resolves defaults and checks parameters before any client works."""

    aligner: Any
    checkpoint: Any
    client_fraction: float
    client_sampling: str
    columns: str
    early_stopping: bool
    encoder: Any
    local_epochs: int
    min_clients: int | None
    min_count: int
    n_iter_no_change: int
    n_rounds: int
    net: Any
    personalizer: Any
    random_state: Any
    strategy: Any
    tol: float
    unseen: str
    validation_fraction: float
    _task: str

    def _groups(self, cohort, before):
        """Return who predicts what, with the recipes (hook): here all the same."""
        from ..training._groups import Groups

        task = self._task_of(introduced_by(cohort))
        check_alike(cohort.target_columns)
        plan = self._plan(cohort, task, self._seed(), before.get(""))
        return Groups({"": plan}, {"": list(cohort.tables)})

    def _task_of(self, told):
        """Return the task, by what the clients say of their targets (hook)."""
        return self._task

    def _seed(self):
        """Draw the seed of a fit; one that goes on keeps its own, unless told."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        told = isinstance(self.random_state, Integral)
        if self.checkpoint is None or told:
            return seed
        known = known_seed(self.checkpoint)
        return seed if known is None else known

    def _given_net(self, task):
        """Return the caller's net for a task, or None (hook)."""
        return self.net

    def _plan(self, cohort, task, seed, before, **changes):
        """Resolve the parameters' defaults and check them before any client works."""
        from ..nets._prototype import check_net, default_net
        from ..training._plan import Plan

        given = self._given_net(task)
        net = default_net(task) if given is None else given
        check_net(net, task)
        encoder, aligner = self.encoder, self.aligner
        if isinstance(encoder, str) and encoder == "auto":
            encoder = TableEncoder(min_count=self.min_count)
        if isinstance(aligner, str) and aligner == "auto":
            aligner = AutoAligner(min_count=self.min_count)
        for name, step in (("encoder", encoder), ("aligner", aligner)):
            passes = step is None or (isinstance(step, str) and step == "passthrough")
            usable = hasattr(step, "transform") and not isinstance(step, type)
            if not passes and not usable:
                raise ValueError(
                    f"{name}={step!r} is no transformer; give 'auto', 'passthrough' or "
                    "an instance of a scikit-learn transformer"
                )
        personalizer, members, heads = self._checked_personalizer(task)
        n_clients = len(cohort.tables)
        if self.min_clients is not None and self.min_clients > n_clients:
            raise ValueError(
                f"min_clients={self.min_clients} but there are {n_clients} clients"
            )
        recipe = {
            "classes": getattr(self, "classes", None),
            "local_heads": getattr(self, "heads", "shared"),
            "target_scaling": getattr(self, "target_scaling", None),
            **changes,
        }
        return Plan(
            task=task,
            encoder=encoder,
            aligner=aligner,
            net=net,
            own_lr=given is not None,
            strategy=self._checked_strategy(task),
            seed=seed,
            columns=self.columns,
            tells_units=task == "regression" and self.unseen == "align",
            min_count=self.min_count,
            n_rounds=self.n_rounds,
            local_epochs=self.local_epochs,
            client_fraction=self.client_fraction,
            client_sampling=self.client_sampling,
            min_clients=self.min_clients,
            early_stopping=self.early_stopping,
            validation_fraction=self.validation_fraction,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            before=before,
            personalizer=personalizer,
            member_names=members[0],
            members=members[1],
            heads=heads,
            **recipe,
        )

    def _checked_personalizer(self, task):
        """Return the personalizer, its members and those of the main network."""
        if self.personalizer is None:
            return None, ([], []), {}
        personalizer = HierarchicalStacking(min_count=self.min_count)
        if self.personalizer != "auto":
            personalizer = clone(self.personalizer)
        members = personalizer.specifications(task)
        main = [m.heads for m in members[1] if getattr(m, "name", None) == ""]
        return personalizer, members, main[0] if main else {}

    def _checked_strategy(self, task):
        if self.strategy is None:
            return FedAvg()
        self.strategy._validate_params()
        refuse_task(self.strategy, task)
        return clone(self.strategy)

    def _warn_of_controls(self, plan, cohort):
        control = is_negative_control(plan.aligner)
        if control and len(cohort.tables) > 1:
            warnings.warn(
                "the aligner is a negative control, which matches columns that mean "
                "different things; it is meant for comparisons only",
                NegativeControlWarning,
                stacklevel=3,
            )
