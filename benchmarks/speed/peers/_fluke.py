"""fluke: its client, its server and its centralized algorithm."""

import contextlib
import io

import numpy as np
import torch
from fluke import DDict, FlukeENV
from fluke.algorithms import CentralizedFL
from fluke.client import Client
from fluke.config import OptimizerConfigurator
from fluke.data import FastDataLoader
from fluke.server import Server

from ..workloads import LR, N_CLASSES

NOTE = (
    "clients of the workload's own sizes with its FastDataLoader, persistency=False "
    "(a new optimizer per client and round), average weighted by rows"
)


def run(workload, n_rounds):
    """Train and return the state dict."""
    np.random.seed(0)  # noqa: NPY002 - it draws from the global generator
    FlukeENV().set_eval_cfg(pre_fit=False, post_fit=False, locals=False, server=False)
    optimizer = OptimizerConfigurator(DDict(name=torch.optim.SGD, lr=LR))
    clients = [
        Client(
            index=k,
            train_set=FastDataLoader(
                X,
                y,
                num_labels=N_CLASSES,
                batch_size=workload.batch,
                shuffle=True,
                skip_singleton=False,
            ),
            test_set=None,
            optimizer_cfg=optimizer,
            loss_fn=torch.nn.CrossEntropyLoss(),
            local_epochs=1,
            persistency=False,
        )
        for k, (X, y) in enumerate(workload.tensors)
    ]
    server = Server(workload.module(), None, clients, weighted=True)
    federation = CentralizedFL(
        len(clients), None, DDict(), clients=clients, server=server
    )
    quiet = contextlib.redirect_stdout(io.StringIO())  # of its progress bars
    with quiet, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        federation.run(n_rounds, workload.fraction)
    return server.model.state_dict()
