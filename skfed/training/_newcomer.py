"""A client that joins a fitted federation: everything of the others' stays as it is."""

import warnings
from dataclasses import replace

from sklearn.base import clone

from ..exceptions import AlignmentWarning, ClientError
from ..federation import Broadcast
from ..preprocessing._composite import as_federated
from . import _expected
from ._answers import prefixed, unprefixed
from ._groups import Groups
from ._label_sets import named_labels
from ._n_targets import check_n_targets
from ._personalize import Personalization
from ._schema import told_columns


def join(plan, reference, name, labelled):
    """Align a newcomer, and settle its weights: a generator of broadcasts.

    Parameters
    ----------
    plan : Plan
        The recipe of the fit.
    reference : Result
        What the server knows since the fit.
    name : hashable
        The newcomer.
    labelled : bool
        Whether it has a target. Without one it predicts by the shared net.

    Returns
    -------
    result : Result
        The federation's result, with the newcomer as its only client.
    """
    result = yield from place(plan, reference, name, labelled)
    if labelled and plan.personalizer is not None and reference.members:
        result.members = list(reference.members)
        yield from Newcomer(plan, result, reference, name).run()
    return result


def place(plan, reference, name, labelled=True):
    """Describe and align a newcomer by what the others agreed on.

    Parameters
    ----------
    plan : Plan
        The recipe.
    reference : Result
        What the server knows.
    name : hashable
        The newcomer.
    labelled : bool, default=True
        Whether it has a target.
    """
    result = replace(reference, clients=(name,), networks={}, history=[])
    number = len(reference.clients)

    group = Groups.of_one(plan, result)
    expects = {
        "describe": _expected.described(group, labelled),
        "align": _expected.aligned(group),
    }

    def ask(task, payload):
        told = Broadcast(task, payload, (name,), expects=expects.get(task))
        return (yield told)[name]

    told = {"seed": plan.seed, "n_clients": number + 1, "client": number}
    described = yield from ask("describe", {**told, "newcomer": True})
    _check_target(plan, reference, described, name, labelled)
    told = described.get("labels", [])
    if plan.task == "multilabel":
        told = named_labels(reference.classes, described)
    result.labels = {name: told}
    start, alone = _start(reference, described, name)
    payload, shared = start, None
    while True:
        answer = yield from ask("align", payload)
        if "done" in answer:
            break
        position, exchange = answer["position"], answer["exchange"]
        slot, _, step = plan.steps()[position]
        if alone and slot == "encode":
            step, before = clone(as_federated(step)), shared if exchange else None
            shared = step.merge({name: unprefixed(answer)}, before)
        else:
            shared = reference.merged[position][exchange]
        payload = prefixed(shared)
    _check_aligned(reference, answer, name)
    if reference.parts is not None and reference.parts.home:
        if not labelled:
            raise ClientError(
                f"client {name!r} has no target, but the clients keep the parameters "
                f"{sorted(reference.parts.home)} at home: give y, from which it can "
                "train its own"
            )
        yield from ask("settle_in", result.message())
    return result


class Newcomer(Personalization):
    """The personalizer's part for one client, by the weights that the others learnt.

    Parameters
    ----------
    plan : Plan
        The recipe.
    result : Result
        The newcomer's.
    reference : Result
        What the server knows since the fit.
    name : hashable
        The newcomer.
    """

    def __init__(self, plan, result, reference, name):
        super().__init__(Groups.of_one(plan, result), None, None)
        self.reference, self.name = reference, name

    def _fit(self, network, groups, clients):
        known = self.reference.networks.get(network.name, self.reference)
        plan = self.plan.variant(network.name)
        result = yield from place(plan, known, self.name)
        return {group.name: result for group in groups}

    def _weigh(self, group):
        """Settle the weights; the others' statistics stay as they were."""
        if self.result.members != self.reference.members:
            self.result.members = []  # the weights learnt are those of all members
            return
        prior = {**self.reference.prior, **prefixed({"newcomer": True})}
        payload = {"members": self.result.members, **prior, "settle": True}
        yield from self._ask("weigh", {"payload": payload})


def _start(reference, described, name):
    """Return what starts the alignment, and whether no column is known."""
    start = dict(reference.start)
    own = told_columns(name, described, reference.columns)
    known = [column for column in own if column in reference.known_columns]
    new = [column for column in own if column not in reference.known_columns]
    if not known:
        warnings.warn(
            f"client {name!r} has no column that another has: only an aligner that "
            "joins by labels or rows, not by names, can join it",
            AlignmentWarning,
            stacklevel=2,
        )
    if known and new:
        warnings.warn(
            f"columns {new} of client {name!r} are new to the federation; only models "
            "of its own, if it gave a target, use them until the next fit",
            AlignmentWarning,
            stacklevel=2,
        )
        start["keep_columns"] = known
    return start, not known


def _check_target(plan, reference, described, name, labelled):
    """Refuse labels, or units, that the federation does not know."""
    if labelled:
        check_n_targets(reference, described, name)
    if plan.task == "classification":
        new = [v for v in described.get("labels", []) if v not in reference.classes]
        if new:
            raise ClientError(
                f"client {name!r} has labels {new} that are not in classes_; fit anew "
                "with it, or give classes= before the fit"
            )
        return
    if plan.task == "multilabel":
        return
    client_units = plan.target_scaling == "client" and not labelled
    if client_units and "target_scale" not in reference.start:
        raise ClientError(
            f"client {name!r} has no target, and the units of the others' stayed with "
            "them: give y, or fit with target_scaling='pooled' or unseen='align'"
        )


def _check_aligned(reference, answer, name):
    """Refuse rows that did not come to where the others' are."""
    if answer["names"] != reference.names:
        raise ClientError(
            f"client {name!r} has the columns {answer['names'][:5]} after alignment, "
            f"and the federation {reference.names[:5]}; fit anew with it, or use an "
            "aligner such as UnionAligner or FactorAligner"
        )
