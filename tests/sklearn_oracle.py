"""Data and models on which scikit-learn's tools are tried."""

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from skorch import NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from skfed import FederatedClassifier, FederatedRegressor, pool

SIZES = (60, 70, 80, 90)


class Oracle(ClassifierMixin, BaseEstimator):
    """Reads the label from column 0, so that every shifted row shows."""

    def __init__(self, flip=False, strict=True, eps=0.01):
        self.flip = flip
        self.strict = strict
        self.eps = eps

    def read(self, X):
        out = np.empty(len(X), dtype=int)
        for _, where, table in X.items():
            out[where] = np.asarray(table)[:, 0]
        return out

    def fit(self, X, y):
        if self.strict:
            np.testing.assert_array_equal(self.read(X), y)
        self.classes_ = np.unique(y)
        self.seen_ = {name for name, _, _ in X.items()}
        return self

    def predict_proba(self, X):
        if unseen := {name for name, _, _ in X.items()} - self.seen_:
            raise ValueError(f"clients {unseen} not seen in fit")
        label = self.read(X) ^ self.flip
        return np.where(label[:, None] == [0, 1], 1 - self.eps, self.eps)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class TinyMLP(nn.Module):
    """A module whose width is not declared in the net before it is searched."""

    def __init__(self, n_inputs, n_outputs, hidden=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_inputs, hidden), nn.ReLU(), nn.Linear(hidden, n_outputs)
        )

    def forward(self, X):
        return self.layers(X)


def is_aligned(X, y):
    """Tell whether the rows of X and y still correspond."""
    return np.array_equal(Oracle().read(X), y)


def pairs(X):
    """Return the (client, table row) of every row."""
    return list(zip(X.client.tolist(), X.row.tolist(), strict=True))


def make_tables(sizes=SIZES, seed=0):
    """Return four clients: column 0 holds y, every other one is a DataFrame."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k, n in enumerate(sizes):
        y = rng.permutation(np.arange(n) % 2)
        table = np.column_stack([y, rng.normal(size=(n, 2 + k))])
        if k % 2:
            names = ["y", "u", *(f"v{j}" for j in range(1 + k))]
            table = pd.DataFrame(table, columns=names)
        clients[f"c{k}"] = (table, y)
    return clients


def make_named(n_clients=3, n=40, seed=0, regression=False):
    """Return clients with named columns, two of them at all clients."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k in range(n_clients):
        latent = rng.normal(size=(n + 5 * k, 2))
        names = ["a", "b", *sorted([f"own{k}", f"own{(k + 1) % n_clients}"])]
        table = latent @ rng.normal(size=(2, 4)) + rng.normal(size=(len(latent), 4))
        table[:, :2] = latent + 0.3 * rng.normal(size=latent.shape)
        y = latent @ [2.0, -1.0]
        if not regression:
            y = np.where(y > 0, "yes", "no")
        clients[f"site{k}"] = (pd.DataFrame(table, columns=names), y)
    return clients


def make_frame(n_clients=3, n=40, seed=0, regression=False, client_column="site"):
    """Return the same clients as one DataFrame with a client column, and y."""
    clients = make_named(n_clients, n, seed, regression)
    parts = [t.assign(**{client_column: name}) for name, (t, _) in clients.items()]
    target = np.concatenate([y for _, y in clients.values()])
    return pd.concat(parts, ignore_index=True), target


def small_net(task="classification", **params):
    """Return a tiny skorch prototype."""
    kind = NeuralNetClassifier if task == "classification" else NeuralNetRegressor
    settings = {
        "optimizer": torch.optim.SGD,
        "lr": 0.1,
        "batch_size": 32,
        "train_split": None,
        "callbacks": "disable",
        "verbose": 0,
    }
    if task == "classification":
        settings["criterion"] = nn.CrossEntropyLoss
    return kind(TinyMLP, **{**settings, **params})


def small_classifier(**params):
    """Return a federated classifier of two rounds."""
    defaults = {"n_rounds": 2, "random_state": 0, "columns": "own"}
    return FederatedClassifier(personalizer=None, **{**defaults, **params})


def small_regressor(**params):
    """Return a federated regressor of two rounds."""
    defaults = {"n_rounds": 2, "random_state": 0, "columns": "own"}
    return FederatedRegressor(personalizer=None, **{**defaults, **params})


def pooled(**kwargs):
    """Return ``(X, y)`` of :func:`make_tables`."""
    return pool(make_tables(**kwargs))
