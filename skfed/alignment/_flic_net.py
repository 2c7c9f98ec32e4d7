"""FLIC's two networks, its losses and their gradients, written out in numpy.

The networks have one hidden layer and a client has few rows, where numpy is faster
than an autograd engine, and needs neither its threads nor its generator to be put back.
"""

import numpy as np

_TINY = 1e-12  # keeps the deviation of equal rows differentiable
_DECAY1, _DECAY2, _EPSILON = 0.9, 0.999, 1e-8  # Adam, as its paper suggests


def uniform(rng, n_in, *shape):
    """Draw weights that keep the size of what passes through ``n_in`` inputs."""
    return rng.uniform(-1, 1, size=shape) / np.sqrt(n_in)


def network(rng, n_in, n_hidden, n_out):
    """Return the parameters of ``relu(x W1 + b1) W2 + b2``, drawn at random."""
    return {
        "W1": uniform(rng, n_in, n_in, n_hidden),
        "b1": uniform(rng, n_in, n_hidden),
        "W2": uniform(rng, n_hidden, n_hidden, n_out),
        "b2": uniform(rng, n_hidden, n_out),
    }


def forward(net, x):
    """Return hidden units (n, h) and outputs (n, q) of rows x."""
    hidden = np.maximum(x @ net["W1"] + net["b1"], 0.0)
    return hidden, hidden @ net["W2"] + net["b2"]


def backward(net, x, hidden, slope):
    """Return the gradients of parameters and of x, given that of the outputs."""
    inner = (slope @ net["W2"].T) * (hidden > 0)
    gradients = {
        "W1": x.T @ inner,
        "b1": inner.sum(axis=0),
        "W2": hidden.T @ slope,
        "b2": slope.sum(axis=0),
    }
    return gradients, inner @ net["W1"].T


def indicator(codes, n_classes):
    """Return the matrix (n, C) that is 1 where a row is of a class."""
    return (codes[:, None] == np.arange(n_classes)).astype(np.float64)


def wasserstein(z, codes, anchors):
    """Return squared 2-Wasserstein distances of classes from their anchors.

    A class is described by mean and deviation of every coordinate of its rows z, an
    anchor by its mean and deviation 1. A single row tells no deviation.

    Parameters
    ----------
    z : ndarray of shape (n, q)
        Rows.
    codes : ndarray of int of shape (n,)
        Their classes, positions in ``anchors``.
    anchors : ndarray of shape (C, q)
        Means of the anchors.

    Returns
    -------
    distances : ndarray of shape (C,)
        One for each class, 0 for a class without rows.
    slope : ndarray of shape (n, q)
        Gradient of their sum with respect to z.
    anchor_slope : ndarray of shape (C, q)
        Gradient of their sum with respect to the anchors.
    """
    member = indicator(codes, len(anchors))
    counts = np.maximum(member.sum(axis=0), 1.0)[:, None]
    present = member.any(axis=0)[:, None]
    means = member.T @ z / counts
    shift = np.where(present, means - anchors, 0.0)
    centred = z - means[codes]
    deviation = np.sqrt(member.T @ centred**2 / counts + _TINY)
    excess = np.where(counts > 1, deviation - 1.0, 0.0)
    slope = 2 * (shift / counts)[codes]
    slope += 2 * centred * (excess / (counts * deviation))[codes]
    return (shift**2 + excess**2).sum(axis=1), slope, -2 * shift


def cross_entropy(logits, codes):
    """Return the mean cross-entropy and its gradient with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(codes))
    slope = np.exp(logs)
    slope[rows, codes] -= 1.0
    return -logs[rows, codes].mean(), slope / len(codes)


class Adam:
    """Adam's steps on a dict of arrays, which are held as one vector.

    Parameters
    ----------
    parameters : dict of ndarray
        Start; not changed.
    learning_rate : float
        Step size.

    Attributes
    ----------
    parameters : dict of ndarray
        Where the steps have led to.
    """

    def __init__(self, parameters, learning_rate):
        self.learning_rate = learning_rate
        self._vector = np.concatenate([p.ravel() for p in parameters.values()])
        self._first, self._second = np.zeros((2, len(self._vector)))
        self._n_steps = 0
        ends = np.cumsum([p.size for p in parameters.values()])[:-1]
        views = np.split(self._vector, ends)
        self.parameters = {
            name: view.reshape(p.shape)
            for (name, p), view in zip(parameters.items(), views, strict=True)
        }

    def step(self, gradients):
        """Go one step down the gradients, a dict with the same keys."""
        g = np.concatenate([gradients[name].ravel() for name in self.parameters])
        self._n_steps += 1
        self._first += (1 - _DECAY1) * (g - self._first)
        self._second += (1 - _DECAY2) * (g * g - self._second)
        size = self.learning_rate / (1 - _DECAY1**self._n_steps)
        root = np.sqrt(self._second / (1 - _DECAY2**self._n_steps)) + _EPSILON
        self._vector -= size * self._first / root

    def copies(self, part):
        """Return copies of the arrays whose key is ``(part, name)``, by name."""
        found = self.parameters.items()
        return {name: p.copy() for (own, name), p in found if own == part}
