"""The unit: a plain loop in torch, without a data loader and without skorch."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from .workloads import LR

NOTE = (
    "one module, a new optimizer per client, rows permuted once by an index, batches "
    "by slicing, weighted sum of the state dicts"
)


def sgd(parameters):
    """Return the optimizer of all workloads."""
    return torch.optim.SGD(parameters, lr=LR)


def shuffled(r, client, n):
    """Return the order of a client's rows in a round."""
    return torch.from_numpy(np.random.default_rng((7, r, client)).permutation(n))


def sampled(workload):
    """Return a function that gives the sorted clients of a round."""
    rng = np.random.default_rng(123)

    def chosen(r):
        if workload.n_chosen == workload.n_clients:
            return range(workload.n_clients)
        found = rng.choice(workload.n_clients, workload.n_chosen, replace=False)
        return np.sort(found).tolist()

    return chosen


def summed(states, rows):
    """Return the mean of state dicts, weighted by their clients' rows."""
    total = sum(rows)
    return {
        name: sum(s[name] * (n / total) for s, n in zip(states, rows, strict=True))
        for name in states[0]
    }


def run(
    workload,
    n_rounds,
    *,
    start=None,
    order=shuffled,
    chosen=None,
    optimizer=sgd,
    average=summed,
):
    """Train by federated averaging.

    Parameters
    ----------
    workload : Workload
        What is trained.
    n_rounds : int
        Rounds.
    start : dict, default=None
        State dict to start from; None is the workload's.
    order : callable, default=shuffled
        Order of rows, of ``(round, client, number of rows)``; rounds count from 1.
    chosen : callable, default=None
        Clients of a round; None samples as the workload says.
    optimizer : callable, default=sgd
        Optimizer of a list of parameters.
    average : callable, default=summed
        State dict of ``(state dicts, rows of their clients)``.

    Returns
    -------
    state : dict
        The averaged state dict.
    """
    module, data = workload.module(), workload.tensors
    chosen = sampled(workload) if chosen is None else chosen
    state = module.state_dict() if start is None else start
    state = {name: value.clone() for name, value in state.items()}
    for r in range(1, n_rounds + 1):
        states, rows = [], []
        for client in chosen(r):
            module.load_state_dict(state)
            opt, (X, y) = optimizer(module.parameters()), data[client]
            picked = order(r, client, len(X))
            X, y = X[picked], y[picked]
            for at in range(0, len(X), workload.batch):
                opt.zero_grad()
                batch = slice(at, at + workload.batch)
                cross_entropy(module(X[batch]), y[batch]).backward()
                opt.step()
            states.append({n: v.clone() for n, v in module.state_dict().items()})
            rows.append(len(X))
        state = average(states, rows)
    return state
