"""What a personalizer mixes: local models, and heads of federated networks."""

from dataclasses import dataclass, field
from typing import Any

from sklearn.base import is_classifier, is_regressor

from ..alignment import UnionAligner
from ..exceptions import ClientError
from ..preprocessing import TableEncoder

HEADS = ("federated", "prior", "fine_tuned", "own_block")
LOCAL = ("local", "discriminant", "boosting")
AUTO = {
    "classification": ["local", "discriminant", "federated", "prior", "fine_tuned"],
    "multilabel": ["local", "federated", "fine_tuned"],
    "regression": ["local", "boosting", "federated", "fine_tuned", "pooled"],
}
OTHER_TASK = {
    ("discriminant", "regression"),
    ("prior", "regression"),
    ("pooled", "classification"),
    # what labels that exclude each other are told apart by, or shift in
    ("discriminant", "multilabel"),
    ("prior", "multilabel"),
    ("pooled", "multilabel"),
}
KNOWN = (*LOCAL, *HEADS, "pooled")


@dataclass(frozen=True)
class Local:
    """A model that a client fits on its own rows.

    Attributes
    ----------
    name : str
        The member's name.
    kind : str
        One of ``LOCAL``, or "given" for the caller's estimator.
    estimator : estimator or None
        The caller's prototype.
    """

    name: str
    kind: str
    estimator: Any = None


@dataclass(frozen=True)
class Network:
    """A federated network and what clients make of it.

    Attributes
    ----------
    name : str
        Its scope; "" is the estimator's own network.
    heads : dict
        ``{member name: kind}``, kinds as in ``HEADS``.
    aligner : transformer or None
        Another alignment than the estimator's.
    """

    name: str
    heads: dict = field(default_factory=dict)
    aligner: Any = None

    def changes(self, min_count):
        """Return what its recipe has other than the estimator's."""
        return {} if self.aligner is None else {"aligner": self.aligner}


@dataclass(frozen=True)
class Pooled:
    """A linear model of all clients' rows in common units, from summed moments."""

    name: str

    @property
    def heads(self):
        """The member, as a head of itself."""
        return {self.name: "pooled"}

    def changes(self, min_count):
        """Return what its recipe has other than the estimator's."""
        encoder = TableEncoder(scaling="pooled", indicator=True, min_count=min_count)
        return {
            "encoder": encoder,
            "aligner": UnionAligner(),
            "target_scaling": "pooled",
        }


def resolve(members, task):
    """Return the specifications behind a list of members.

    Parameters
    ----------
    members : list of str or (str, estimator)
        Names of ``KNOWN`` members; an estimator that predicts is a local member, a
        transformer is the aligner of one more federated network.
    task : {"classification", "multilabel", "regression"}
        Members that the task does not have, as in ``OTHER_TASK``, are left out.

    Returns
    -------
    names : list of str
        The members' names, in order.
    specs : list of Local, Network and Pooled
        What has to be fitted.
    """
    names: list = []
    specs: list = []
    heads: dict = {}
    for member in members:
        name, given = member if isinstance(member, tuple) else (member, None)
        if not isinstance(name, str) or name in names:
            raise ValueError(f"members need distinct names (str), not {name!r} again")
        if given is not None:
            specs.append(_given(name, given, task))
        elif name not in KNOWN:
            raise ValueError(
                f"unknown member {name!r}; known are {list(KNOWN)}, or a pair of a "
                "name and an estimator (fitted locally) or an aligner (one more "
                "network)"
            )
        elif (name, task) in OTHER_TASK:
            continue
        elif name in LOCAL:
            specs.append(Local(name, name))
        elif name == "pooled":
            specs.append(Pooled(name))
        else:
            heads[name] = name
        names.append(name)
    if heads:
        specs.insert(0, Network("", heads))
    if not names:
        raise ClientError(f"no member of {list(members)} is left for {task}")
    return names, specs


def _given(name, given, task):
    if hasattr(given, "predict"):
        right = is_regressor if task == "regression" else is_classifier
        if not right(given):
            raise TypeError(f"member {name!r} is {given!r}, which is no {task} model")
        return Local(name, "given", given)
    if hasattr(given, "transform") and not isinstance(given, type):
        return Network(name, {name: "federated"}, given)
    raise TypeError(
        f"member {name!r} is {given!r}; give an estimator that predicts, or an aligner"
    )
