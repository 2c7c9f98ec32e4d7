"""What users write first: one skorch net per client, or scikit-learn's own network."""

import warnings

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier

from .plain import sampled, summed
from .workloads import LR, MLP, N_CLASSES, WIDTH

SKORCH_NOTE = (
    "one net per client, train_split=None and verbose=0, the rest as it comes; "
    "partial_fit, then the weighted sum of the state dicts"
)
SKLEARN_NOTE = (
    "one MLPClassifier, weights swapped in, one partial_fit per client and round"
)


def skorch_nets(workload, n_rounds):
    """Train a skorch net per client and average; return the state dict."""
    nets = [
        NeuralNetClassifier(
            MLP,
            module__n_inputs=workload.n_features,
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.SGD,
            lr=LR,
            batch_size=workload.batch,
            max_epochs=1,
            train_split=None,
            iterator_train__shuffle=True,
            classes=list(range(N_CLASSES)),
            verbose=0,
        ).initialize()
        for _ in range(workload.n_clients)
    ]
    state, chosen = workload.module().state_dict(), sampled(workload)
    for r in range(1, n_rounds + 1):
        states, rows = [], []
        for client in chosen(r):
            net, (X, y) = nets[client], workload.clients[client]
            net.module_.load_state_dict(state)
            net.partial_fit(X, y)
            states.append({n: v.clone() for n, v in net.module_.state_dict().items()})
            rows.append(len(X))
        state = summed(states, rows)
    return state


def sklearn_network(workload, n_rounds):
    """Train scikit-learn's network and average; return the state dict."""
    net = MLPClassifier(
        (WIDTH, WIDTH),
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        learning_rate_init=LR,
        batch_size=workload.batch,
        random_state=0,
    )
    labels, chosen = np.arange(N_CLASSES), sampled(workload)
    X, y = workload.clients[0]
    _partial_fit(net, X, y, labels)  # makes the arrays that are written below
    names = list(workload.module().state_dict())
    state = [value.numpy() for value in workload.module().state_dict().values()]
    state = [value.T if value.ndim == 2 else value for value in state]
    for r in range(1, n_rounds + 1):
        total, n_rows = [np.zeros(v.shape) for v in state], 0
        for client in chosen(r):
            X, y = workload.clients[client]
            _write(net, state)
            own = _read(_partial_fit(net, X, y))
            total = [t + len(X) * v for t, v in zip(total, own, strict=True)]
            n_rows += len(X)
        state = [(t / n_rows).astype(np.float32) for t in total]
    found = [torch.from_numpy(np.ascontiguousarray(v.T)) for v in state]
    return dict(zip(names, found, strict=True))


def _partial_fit(net, X, y, labels=None):
    with warnings.catch_warnings():  # clients with fewer rows than a batch
        warnings.filterwarnings("ignore", "Got `batch_size`", UserWarning)
        return net.partial_fit(X, y, classes=labels)


def _read(net):
    """Return weights and biases, layer by layer."""
    pairs = zip(net.coefs_, net.intercepts_, strict=True)
    return [array for pair in pairs for array in pair]


def _write(net, state):
    """Write weights and biases in place, since its optimizer holds the arrays."""
    for array, value in zip(_read(net), state, strict=True):
        array[...] = value
