"""The recipe of a fit, which server and clients share before it starts."""

from dataclasses import dataclass, field, replace
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ..nets._parts import output_parameters
from ..nets._prototype import build_net, for_outputs, input_parameters
from ._own import Parts
from ._weights import get_weights

BATCHES = 8  # at most, of a client's epoch of the default net


@dataclass
class Plan:
    """What all parties of a fit agree on; holds prototypes and numbers, no data.

    Attributes
    ----------
    task : str
        "classification" or "regression".
    encoder, aligner : estimator or None
        Prototypes of the per-client preprocessing.
    net : skorch.NeuralNet
        Prototype of the shared net.
    own_lr : bool
        Whether the prototype's learning rate is the caller's; if not, it is set from
        the curvature of the aligned rows.
    strategy : Strategy
        Who trains, and what the server makes of it.
    seed : int
        Seed from which all others derive: (seed, round, client).
    meaning : str
        The quantity that these clients predict, where others predict another.
    columns : str
        What unnamed columns mean: "auto", "position" or "own".
    tells_shares : bool
        Whether others have the same quantity as a number, and need the labels' shares.
    balance : str or None
        How much each quantity's clients count for what all share.
    classes : list or None
        Labels, where the caller knows their union.
    local_heads : str
        Whether each client keeps the net's last layer: "shared", "local" or "auto".
    target_scaling : str or None
        Regression: "client", "pooled" or None.
    tells_units : bool
        Whether clients tell their targets' moments for the sake of clients without.
    before : Result or None
        Of an earlier fit, whose weights this one starts from.
    personalizer : Personalizer or None
        What clients make of the shared net afterwards.
    member_names : list of str
        The models that it mixes.
    members : list
        What has to be fitted for them.
    heads : dict
        ``{member: kind}`` of this plan's own net.
    """

    task: str
    encoder: Any
    aligner: Any
    net: Any
    strategy: Any
    seed: int
    own_lr: bool = True
    meaning: str = ""
    tells_shares: bool = False
    balance: str | None = None
    columns: str = "auto"
    classes: list | None = None
    local_heads: str = "shared"
    target_scaling: str | None = "client"
    tells_units: bool = False
    min_count: int = 5
    n_rounds: int = 100
    local_epochs: int = 1
    client_fraction: float = 1.0
    client_sampling: str = "uniform"
    min_clients: int | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-4
    before: Any = None
    personalizer: Any = None
    member_names: list = field(default_factory=list)
    members: list = field(default_factory=list)
    heads: dict = field(default_factory=dict)
    _variants: dict = field(default_factory=dict, repr=False)
    _nets: dict = field(default_factory=dict, repr=False)

    def steps(self):
        """Return ``[(slot, name, prototype)]``, nested Pipelines made flat."""
        found = []
        for slot in ("encode", "align"):
            prototype = self.encoder if slot == "encode" else self.aligner
            found += [(slot, *step) for step in _flat(prototype, slot)]
        return found

    def batch_size(self, net, n_rows):
        """Return the rows of a client's batches: the caller's net decides for itself.

        The default net's are even, of about 32 rows, and at most eight, so that a round
        costs large clients little more than small ones and none ends in a tiny batch.
        """
        if self.own_lr:
            return net.batch_size
        n_batches = min(max(round(n_rows / net.batch_size), 1), BATCHES)
        return -(-n_rows // n_batches)

    @property
    def tells_target(self):
        """Whether clients tell their targets' moments."""
        return self.target_scaling == "pooled" or self.tells_units

    @property
    def tells_labels(self):
        """Whether clients tell their label counts, for the shares of all."""
        return self.tells_shares or "prior" in self.heads.values()

    @property
    def tuning_epochs(self):
        """Epochs of fine-tuning."""
        return self.personalizer.tuning_epochs

    def variant(self, network):
        """Return the recipe of another network of the personalizer; "" is this one."""
        if not network:
            return self
        if network not in self._variants:
            member = next(m for m in self.members if m.name == network)
            changes = {**member.changes(self.min_count), "heads": member.heads}
            self._variants[network] = replace(self, **changes, _variants={}, _nets={})
        return self._variants[network]

    def built_net(self, n_inputs, n_outputs):
        """Return this process's net of the given width, built once and shared."""
        key = (n_inputs, n_outputs)
        if key not in self._nets:
            net = (
                self.net if self.own_lr else for_outputs(self.net, self.task, n_outputs)
            )
            later = not self.own_lr
            net = build_net(net, n_inputs, n_outputs, self.seed, later)
            inputs = input_parameters(net, n_inputs)
            home = self.strategy.kept_at_home(net, n_inputs)
            buffers = frozenset(name for name, _ in net.module_.named_buffers())
            head = output_parameters(net, n_inputs)
            self._nets[key] = net, (get_weights(net), inputs, home, buffers, head)
        return self._nets[key][0]

    def parts(self, n_inputs, n_outputs, private, local_heads):
        """Return what of the net of that width stays at home, with these columns."""
        key = n_inputs, n_outputs, private.tobytes(), local_heads
        if key not in self._nets:
            self.built_net(n_inputs, n_outputs)
            start, inputs, home, buffers, head = self._nets[n_inputs, n_outputs][1]
            home = home | head if local_heads else home
            self._nets[key] = Parts(start, inputs, private, home, buffers, head)
        return self._nets[key]

    def __getstate__(self):
        return {**self.__dict__, "_nets": {}, "_variants": {}}


def _flat(step, name):
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return []
    if not isinstance(step, Pipeline):
        return [(name, step)]
    return [leaf for inner, part in step.steps for leaf in _flat(part, inner)]


def assemble(slots, predictor):
    """Return a client's Pipeline from its fitted steps.

    Parameters
    ----------
    slots : list of (slot, name, fitted step)
        In order; steps of one slot that are more than one form a Pipeline.
    predictor : estimator
        The last step.
    """
    steps = []
    for slot in ("read", "encode", "align"):
        parts = [(name, step) for s, name, step in slots if s == slot]
        if len(parts) == 1:
            steps.append((slot, parts[0][1]))
        elif parts:
            steps.append((slot, Pipeline(_unique(parts))))
    return Pipeline([*steps, ("predict", predictor)])


def _unique(parts):
    seen: dict[str, int] = {}
    named = []
    for name, step in parts:
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name}-{seen[name]}", step))
    return named


def fresh(step):
    """Return an unfitted copy of a step, with dense DataFrame output where it can."""
    step = clone(step)
    dense = {"sparse_output": False, "sparse_threshold": 0}
    parameters = step.get_params() if hasattr(step, "get_params") else {}
    for name in parameters:
        last = name.split("__")[-1]
        if last in dense:
            step.set_params(**{name: dense[last]})
    if hasattr(step, "set_output"):
        step.set_output(transform="pandas")
    return step
