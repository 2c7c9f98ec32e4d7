"""Other libraries for federated learning, one file each, imported when asked for.

Each trains the module of :class:`~benchmarks.speed.workloads.MLP` from the same start,
with the same batch size, learning rate, epochs and share of clients, and without
evaluation, logging or checkpoints. Each keeps its own way of handling data, which is
what its users get.
"""

import warnings
from importlib import import_module

from ._stubs import stub_if_broken


def _loader(name, unused=()):
    def load():
        for package in unused:
            stub_if_broken(package)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it imports itself
            return import_module(f"{__name__}.{name}")

    return load


PEERS = {
    "Flower": lambda: _loader("_flower")().Flower(),
    "fluke": _loader("_fluke", ["torchvision"]),
    "FedLab": _loader("_fedlab", ["torchvision"]),
    "pfl": _loader("_pfl"),
}
