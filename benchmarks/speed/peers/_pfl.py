"""pfl: its simulated backend and its federated averaging."""

import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend
from pfl.aggregate.weighting import WeightByDatapoints
from pfl.algorithm.base import NNAlgorithmParams
from pfl.algorithm.federated_averaging import FederatedAveraging
from pfl.data.dataset import Dataset
from pfl.data.federated_dataset import FederatedDataset
from pfl.data.sampling import MinimizeReuseUserSampler
from pfl.hyperparam import NNEvalHyperParams, NNTrainHyperParams
from pfl.metrics import Weighted
from pfl.model.pytorch import PyTorchModel
from torch.nn.functional import cross_entropy

from ..workloads import LR, MLP

NOTE = (
    "simulated backend, clients as tensors in memory, average by data points; its "
    "batches are cut once and not shuffled"
)


class _Module(MLP):
    """The network with the two methods that pfl asks for."""

    def loss(self, X, y):
        """Return the loss of a batch."""
        self.train()
        return cross_entropy(self(X), y)

    def metrics(self, X, y):
        """Return what an evaluation returns, which happens in the first round only."""
        return {"rows": Weighted(float(len(y)), 1)}


def run(workload, n_rounds):
    """Train and return the state dict."""
    module = _Module(workload.n_features)
    module.load_state_dict(workload.module().state_dict())
    data = {
        k: Dataset(list(pair), user_id=k) for k, pair in enumerate(workload.tensors)
    }
    np.random.seed(0)  # noqa: NPY002 - it draws from the global generator
    dataset = FederatedDataset(data.get, MinimizeReuseUserSampler(list(data)))
    model = PyTorchModel(
        module, torch.optim.SGD, torch.optim.SGD(module.parameters(), lr=1.0)
    )
    FederatedAveraging().run(
        NNAlgorithmParams(
            central_num_iterations=n_rounds,
            evaluation_frequency=10**9,
            train_cohort_size=workload.n_chosen,
            val_cohort_size=0,
        ),
        SimulatedBackend(dataset, dataset, [WeightByDatapoints()]),
        model,
        NNTrainHyperParams(
            local_num_epochs=1,
            local_learning_rate=LR,
            local_batch_size=workload.batch,
        ),
        NNEvalHyperParams(local_batch_size=None),
        send_metrics_to_platform=False,
    )
    return module.state_dict()
