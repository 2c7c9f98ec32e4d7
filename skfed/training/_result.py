"""What the server knows during and after a fit."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._weights import pack, pack_extra


@dataclass
class Result:
    """What the server knows after a fit.

    Attributes
    ----------
    clients : tuple
        Clients that took part to the end, sorted by name.
    columns : str
        What unnamed columns meant: "named", "position" or "own".
    labels : dict
        Labels of each client, for classification.
    classes : list
        Their sorted union.
    names : list of str
        Names of the aligned columns.
    weights : dict
        The shared parameters.
    net : skorch.NeuralNet
        A net of the aligned width.
    start, merged : dict
        What started the alignment, and what the server merged in it:
        ``{position of the step: [of each exchange]}``. A newcomer gets the same.
    known_columns : set
        Column names of all clients.
    features : dict
        ``{client: its columns}``, ``x0, x1, ...`` where they have no names.
    unnamed : set
        Clients whose columns have none.
    prior : dict
        What the personalizer merged last, as entries of a payload.
    local_heads : bool
        Whether each client keeps the net's last layer.
    n_targets : int
        Targets of a row.
    n_outputs : int
        Outputs of the net.
    lr : float or None
        The learning rate that the fit found; None is the net's own.
    parts : Parts
        What of the net stays at the clients.
    strategy : Strategy
        Says with which weights a client predicts.
    shared : dict
        What the strategy's server sent last besides the weights.
    sizes : dict
        Training rows of each client.
    private : bool array
        Aligned columns whose weights stay at the clients.
    curvatures : list of float
        Each client's number for the default step size.
    history : list of dict
        One entry per client and round.
    n_rounds, best_round : int
        Rounds made, and the one whose weights were kept.
    members : list of str
        Members of the personalizer that could be fitted.
    networks : dict
        ``{name: Result}`` of its further federated members.
    coef : array of shape (q + 1,) or (q + 1, m)
        Intercept and coefficients, of a pooled linear member.
    """

    clients: tuple
    columns: str = "named"
    labels: dict = field(default_factory=dict)
    classes: list = field(default_factory=list)
    names: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)
    net: object = None
    start: dict = field(default_factory=dict)
    merged: dict = field(default_factory=dict)
    known_columns: set = field(default_factory=set)
    features: dict = field(default_factory=dict)
    unnamed: set = field(default_factory=set)
    prior: dict = field(default_factory=dict)
    local_heads: bool = False
    n_targets: int = 1
    n_outputs: int = 0
    lr: float | None = None
    parts: Any = None
    strategy: Any = None
    shared: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    private: np.ndarray | None = None
    curvatures: list = field(default_factory=list)
    history: list = field(default_factory=list)
    n_rounds: int = 0
    best_round: int = 0
    members: list = field(default_factory=list)
    networks: dict = field(default_factory=dict)
    coef: np.ndarray | None = None

    @property
    def heads(self):
        """Whether the last layer is "shared" or "local"."""
        return "local" if self.local_heads else "shared"

    def message(self):
        """Return the model as entries of a payload."""
        told: dict = {"n_outputs": self.n_outputs}
        if self.local_heads:
            told["local_heads"] = True
        if self.lr is not None:
            told["lr"] = self.lr
        return {**told, **pack(self.weights), **pack_extra(self.shared)}
