"""Other libraries for federated learning, one file each, imported when asked for.

Each trains the module of :class:`~benchmarks.speed.workloads.MLP` from the same start,
with the same batch size, learning rate, epochs and share of clients, and without
evaluation, logging or checkpoints. Each keeps its own way of handling data, which is
what its users get.
"""

from importlib import import_module


def _loader(name):
    return lambda: import_module(f"{__name__}.{name}")


PEERS = {
    "Flower": lambda: _loader("_flower")().Flower(),
    "fluke": _loader("_fluke"),
    "FedLab": _loader("_fedlab"),
    "pfl": _loader("_pfl"),
}
