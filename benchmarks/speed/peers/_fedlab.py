"""FedLab: its serial trainer and its synchronous server."""

import torch
from fedlab.contrib.algorithm.fedavg import (
    FedAvgSerialClientTrainer,
    FedAvgServerHandler,
)
from fedlab.core.standalone import StandalonePipeline
from torch.utils.data import DataLoader, TensorDataset

from ..workloads import LR

NOTE = (
    "serial trainer with a DataLoader, as in its examples; one optimizer for all; the "
    "average is not weighted by rows, so that unequal clients train another model"
)


class _Data:
    """The clients' loaders, in the form that its trainer asks for."""

    def __init__(self, workload):
        self.clients = workload.tensors

    def get_dataloader(self, client, batch_size):
        """Return a shuffled loader of a client's rows."""
        rows = TensorDataset(*self.clients[client])
        return DataLoader(rows, batch_size=batch_size, shuffle=True)


class _Silent(StandalonePipeline):
    def evaluate(self):
        """Evaluate nothing."""


class _Mute:
    def info(self, text):
        """Say nothing."""


def run(workload, n_rounds):
    """Train and return the state dict."""
    module = workload.module()
    handler = FedAvgServerHandler(
        module, n_rounds, sample_ratio=workload.fraction, logger=_Mute()
    )
    trainer = FedAvgSerialClientTrainer(module, workload.n_clients, logger=_Mute())
    trainer.setup_dataset(_Data(workload))
    trainer.setup_optim(epochs=1, batch_size=workload.batch, lr=LR)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _Silent(handler, trainer).main()
    return handler.model.state_dict()
