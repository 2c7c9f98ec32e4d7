"""The four standard workloads, and those of the scaling sweeps."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from sklearn.datasets import make_classification

N_CLASSES, WIDTH, LR = 4, 64, 0.05


class MLP(torch.nn.Sequential):
    """Two hidden layers of 64.

    Parameters
    ----------
    n_inputs : int, default=32
        Columns.
    n_outputs : int, default=4
        Classes.
    """

    def __init__(self, n_inputs=32, n_outputs=N_CLASSES):
        super().__init__(
            torch.nn.Linear(n_inputs, WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, n_outputs),
        )


@dataclass(frozen=True)
class Workload:
    """What is trained: one local epoch of SGD a round, averaged by rows.

    Attributes
    ----------
    name : str
        "W1" to "W4", or what a sweep calls it.
    rows : tuple of int
        Rows of each client.
    batch : int
        Rows of a batch; the short last one is kept.
    n_rounds : int
        Rounds of a whole fit.
    fraction : float
        Share of the clients that train in a round.
    n_timed : int
        Rounds that the plain loop makes per repetition.
    n_features : int
        Columns.
    """

    name: str
    rows: tuple
    batch: int
    n_rounds: int
    fraction: float = 1.0
    n_timed: int = 3
    n_features: int = 32
    _data: dict = field(default_factory=dict, compare=False, repr=False)

    @property
    def n_clients(self):
        """Number of clients."""
        return len(self.rows)

    @property
    def n_chosen(self):
        """Clients that train in a round."""
        return max(1, round(self.fraction * self.n_clients))

    @property
    def rows_per_round(self):
        """Rows that are trained on in a round; a mean where clients are sampled."""
        return sum(self.rows) * self.n_chosen / self.n_clients

    @cached_property
    def clients(self):
        """List of ``(X, y)`` arrays, float32 (n, d) and int64 (n,)."""
        X, y = self._all()
        ends = np.cumsum(self.rows)
        parts = [slice(e - n, e) for e, n in zip(ends, self.rows, strict=True)]
        return [(X[part], y[part]) for part in parts]

    @cached_property
    def tensors(self):
        """List of ``(X, y)`` tensors of the same memory."""
        return [(torch.from_numpy(X), torch.from_numpy(y)) for X, y in self.clients]

    @cached_property
    def n_bytes(self):
        """Bytes of all clients' rows and labels."""
        return sum(array.nbytes for pair in self.clients for array in pair)

    def module(self):
        """Return the network at its start."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return MLP(self.n_features)

    def accuracy(self, state):
        """Return the accuracy of weights (a state dict) on all rows."""
        module = self.module()
        module.load_state_dict(state)
        X, y = map(torch.from_numpy, self._all())
        with torch.inference_mode():
            return float((module(X).argmax(1) == y).float().mean())

    def _all(self):
        if not self._data:
            X, y = make_classification(
                sum(self.rows),
                self.n_features,
                n_informative=min(16, self.n_features),
                n_redundant=0,
                n_classes=N_CLASSES,
                random_state=0,
            )
            self._data.update(X=X.astype(np.float32), y=y.astype(np.int64))
        return self._data["X"], self._data["y"]

    def with_data(self, X, y):
        """Return the same workload of given rows (n, d) and labels (n,)."""
        return replace(self, _data={"X": X, "y": y})


def unequal(n_clients=50, least=50, most=5000):
    """Return log-uniform sizes of clients."""
    low, high = np.log(least), np.log(most)
    drawn = np.random.default_rng(0).uniform(low, high, n_clients)
    return tuple(np.exp(drawn).astype(int).tolist())


WORKLOADS = {
    work.name: work
    for work in (
        Workload("W1", (1000,) * 20, batch=64, n_rounds=20, n_timed=6),
        Workload("W2", (200,) * 200, batch=32, n_rounds=20, n_timed=2),
        Workload("W3", (100,) * 1000, batch=32, n_rounds=50, fraction=0.1, n_timed=10),
        Workload("W4", unequal(), batch=64, n_rounds=10, n_timed=3),
    )
}
FEW, MANY, N_ROWS = 1_000, 10_000, 4  # clients of the same small size


def by_clients(n_rows=40_000, counts=(10, 100, 1_000, 10_000)):
    """Return ``{number of clients: workload}`` of a fixed number of rows in all."""
    return {
        n: Workload(f"{n:,} clients", (n_rows // n,) * n, 32, 1, n_timed=1)
        for n in counts
    }


def by_features(counts=(8, 32, 128, 512)):
    """Return ``{number of features: workload}``, else the first workload."""
    return {
        d: replace(
            WORKLOADS["W1"], name=f"{d} features", n_features=d, n_timed=2, _data={}
        )
        for d in counts
    }


def growing(counts=(FEW, MANY)):
    """Return ``{number of clients: workload}`` of few rows per client."""
    return {
        n: Workload(f"{n:,} clients of {N_ROWS}", (N_ROWS,) * n, 32, 1, n_timed=1)
        for n in counts
    }
