"""skfed's own engines, through the estimator that users call."""

import warnings
from functools import cache

import numpy as np
import torch
from skorch import NeuralNetClassifier

from skfed import FederatedClassifier
from skfed.exceptions import AlignmentWarning
from skfed.strategies import FedAvg

from .workloads import LR, MLP, Workload

ENGINES = "loop", "stacked", "fused"
NOTES = {
    "loop": "engine='loop': one client after the other by the skorch net",
    "stacked": "engine='stacked': all clients of a round as one stack",
    "fused": "engine='fused': the stack by one batched multiply per layer",
}


def estimator(workload, engine, n_rounds, optimizer=torch.optim.SGD, **settings):
    """Return the unfitted estimator of a workload.

    Parameters
    ----------
    workload : Workload
        What is trained.
    engine : str
        One of :data:`ENGINES`.
    n_rounds : int
        Rounds.
    optimizer : type, default=SGD
        The clients' optimizer.
    **settings : dict
        Parameters of the net; they go before the workload's.
    """
    net = NeuralNetClassifier(
        MLP,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=optimizer,
        batch_size=workload.batch,
        train_split=None,
        callbacks="disable",
        verbose=0,
        **{"lr": LR, **settings},
    )
    return FederatedClassifier(
        encoder="passthrough",
        aligner="passthrough",
        net=net,
        strategy=FedAvg(),
        personalizer=None,
        heads="shared",
        n_rounds=n_rounds,
        client_fraction=workload.fraction,
        random_state=0,
        engine=engine,
    )


def fitted(workload, engine, n_rounds, optimizer=torch.optim.SGD, **settings):
    """Return the fitted estimator, and make sure that the engine is the one asked for.

    Parameters
    ----------
    workload, engine, n_rounds, optimizer, **settings
        As in :func:`estimator`.
    """
    model = estimator(workload, engine, n_rounds, optimizer, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlignmentWarning)  # of clients with few rows
        model.fit(workload.clients)
    if model.engine_ != engine:
        raise RuntimeError(
            f"asked for the engine {engine!r}, and got {model.engine_!r}: "
            f"{model.engine_reason_}"
        )
    return model


def weights(model):
    """Return a fitted model's shared weights as a state dict on its own memory."""
    state = model.net_.module_.state_dict()
    return {name: value.detach().clone() for name, value in state.items()}


def run(workload, n_rounds, engine):
    """Train through the estimator; return the state dict."""
    return weights(fitted(workload, engine, n_rounds))


@cache
def problem(engine):
    """Return why an engine cannot run, or an empty text."""
    small = Workload("probe", (64,) * 8, 32, 1)
    try:
        fitted(small, engine, 1)
    except (ValueError, RuntimeError) as error:
        return str(error)
    return ""


def largest_difference(a, b):
    """Return the largest absolute difference of two state dicts."""
    parts = [np.abs(a[name].numpy() - b[name].numpy()).max() for name in a]
    return float(max(parts))
