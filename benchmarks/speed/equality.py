"""Whether the engines give the same weights as the loop, bit for bit.

The first difference is between two engines, through the public estimator after all
rounds of the workload. The second is between skfed's loop and the plain loop, given the
same start, clients, orders of rows and average.
"""

from functools import partial

import numpy as np
import torch
from sklearn.utils import check_random_state

from skfed.training._local import client_generator

from . import engines, plain
from .workloads import LR

SEED = int(check_random_state(0).randint(2**31 - 1))  # as the estimator draws it
# {name: (optimizer, its settings)}
OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "Adam": (torch.optim.Adam, {}),
    "AdamW": (torch.optim.AdamW, {"weight_decay": 0.01}),
}
RATES = {"Adam": 0.001, "AdamW": 0.001}
WORKLOADS = "W1", "W2", "W4"  # the third is the second with clients sampled


def differences(workloads, names, kinds=("stacked",), n_rounds=None):
    """Measure the largest absolute difference of any weight.

    Parameters
    ----------
    workloads : sequence of Workload
        What is trained.
    names : sequence of str
        Keys of :data:`OPTIMIZERS`.
    kinds : sequence of str, default=("stacked",)
        Engines to compare with the loop.
    n_rounds : int, default=None
        Rounds; None is the workload's.

    Returns
    -------
    rows : list of dict
        ``workload``, ``optimizer``, ``rounds``, ``pair``, ``difference``.
    """
    found = []
    for workload in workloads:
        rounds = workload.n_rounds if n_rounds is None else n_rounds
        for name in names:
            fit = partial(_fitted, workload, name, rounds)
            loop = engines.weights(fit("loop"))
            others = {
                f"{kind} - loop": engines.weights(fit(kind)) for kind in kinds
            } | {"loop - plain loop": reference(workload, name, rounds)}
            for pair, state in others.items():
                found.append(
                    {
                        "workload": workload.name,
                        "optimizer": name,
                        "rounds": rounds,
                        "pair": pair,
                        "difference": engines.largest_difference(loop, state),
                    }
                )
    return found


def _fitted(workload, name, n_rounds, engine, **settings):
    kind, own = OPTIMIZERS[name]
    own = {f"optimizer__{key}": value for key, value in own.items()}
    settings = {"lr": RATES.get(name, LR), **own, **settings}
    return engines.fitted(workload, engine, n_rounds, kind, **settings)


def reference(workload, name, n_rounds):
    """Return the plain loop's weights where skfed's start and orders are given to it.

    Parameters
    ----------
    workload : Workload
        What is trained.
    name : str
        A key of :data:`OPTIMIZERS`.
    n_rounds : int
        Rounds.
    """
    # a round at rate 0 shows the start through the public estimator
    model = _fitted(workload, "SGD", 1, "loop", lr=0.0)

    def order(r, client, n):
        rng = client_generator(SEED, r, client)
        return torch.from_numpy(rng.permutation(n))

    def chosen(r):
        if workload.n_chosen == workload.n_clients:
            return range(workload.n_clients)
        rng = np.random.default_rng((SEED, r))
        drawn = rng.choice(workload.n_clients, workload.n_chosen, replace=False)
        return np.sort(drawn).tolist()

    kind, own = OPTIMIZERS[name]
    return plain.run(
        workload,
        n_rounds,
        start=engines.weights(model),
        order=order,
        chosen=chosen,
        optimizer=partial(kind, lr=RATES.get(name, LR), **own),
        average=in_double,
    )


def in_double(states, rows):
    """Return the weighted mean of state dicts in float64, as the server takes it."""
    found = {}
    for name, value in states[0].items():
        total = np.zeros(value.shape)
        for state, n in zip(states, rows, strict=True):
            total += n * state[name].numpy().astype(np.float64)
        found[name] = torch.from_numpy((total / sum(rows)).astype(np.float32))
    return found
