"""What a client makes of a federated network: its heads, as arrays and as models."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ..nets._copies import copied
from ..nets._predictor import (
    ClientClassifier,
    ClientLabelSets,
    ClientRegressor,
    TrainedNet,
)
from ._local import client_generator, client_torch_seed, local_epochs, seed_torch
from ._own_block import BlockClassifier, BlockLabelSets, BlockRegressor
from ._pooled_linear import PooledLinear
from ._weights import get_weights, set_weights

# the models of a net, and of a net with a block of the client's own
MODELS = {
    "classification": (ClientClassifier, BlockClassifier),
    "multilabel": (ClientLabelSets, BlockLabelSets),
    "regression": (ClientRegressor, BlockRegressor),
}
TUNING_ROUND = 2**32 - 2  # the generator of the fine-tuning, never a round


class PriorCorrected(ClassifierMixin, BaseEstimator):
    """A classifier's probabilities under other class shares.

    ``p(y | x) shares(y) / shares of its training rows(y)``, normalised: right where
    clients differ by their class shares alone.

    Parameters
    ----------
    model : classifier
        The fitted model.
    log_ratio : array of shape (n_classes,)
        Logarithm of the new shares over the old.
    """

    def __init__(self, model, log_ratio):
        self.model = model
        self.log_ratio = log_ratio

    def fit(self, X, y=None):
        """Refuse: the model is trained by the federation."""
        raise TypeError("this step was trained by a federation")

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return self.model.classes_

    def predict_proba(self, Z):
        """Return the corrected probabilities, shape (n, n_classes)."""
        p = self.model.predict_proba(Z) * np.exp(self.log_ratio - self.log_ratio.max())
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, Z):
        """Return the most probable label of each row."""
        return self.classes_[self.predict_proba(Z).argmax(axis=1)]


def log_ratio(own, pooled, strength=1.0):
    """Return log(own shares / pooled shares), own ones drawn to the pooled.

    Parameters
    ----------
    own : array of shape (n_classes,)
        The client's class counts.
    pooled : array of shape (n_classes,)
        Class shares of all clients' rows; positive.
    strength : float, default=1.0
        Rows of the pooled shares that are added, per class.
    """
    added = strength * len(pooled)
    shares = (own + added * pooled) / (own.sum() + added)
    return np.log(shares) - np.log(pooled)


def fine_tune(net, Z, target, epochs, batch_size, seed, client):
    """Return a client's own weights after some epochs from the net's.

    The net is changed in place.
    """
    rng = client_generator(seed, TUNING_ROUND, client)
    seed_torch(client_torch_seed(seed, TUNING_ROUND, client))
    before = get_weights(net)
    local_epochs(net, Z, target, epochs, rng, batch_size)
    after = get_weights(net)
    finite = all(np.isfinite(value).all() for value in after.values())
    return after if finite else before


def head_model(net, task, kind, arrays, outputs):
    """Return a head as scikit-learn model for aligned rows.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net with the shared weights.
    task : {"classification", "multilabel", "regression"}
        The task.
    kind : {"federated", "prior", "fine_tuned", "own_block", "pooled"}
        The head.
    arrays : dict
        What the client made: ``log_ratio``, the weights of its own net, or a block.
    outputs : tuple
        What the outputs mean: their labels, an array of shape (n_classes,), or in
        regression mean and scale of the target, numbers or arrays of shape (m,).
    """
    if kind == "pooled":
        return PooledLinear(arrays["coef"], *outputs)
    if kind == "fine_tuned":
        net = copied(net)
        set_weights(net, arrays)
        net.module_.eval()
    of_net, of_block = MODELS[task]
    model = of_net(TrainedNet(net), *outputs)
    if kind == "own_block":
        return of_block(model, **arrays)
    return PriorCorrected(model, arrays["log_ratio"]) if kind == "prior" else model
