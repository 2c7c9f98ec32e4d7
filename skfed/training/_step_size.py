"""The default net's learning rate, from the curvature of the aligned rows."""

import numpy as np

LARGEST = 0.2
HIDDEN = 32  # units of the default net
# second derivative of the loss by an output: cross-entropy (at p = 1/2), squares
BEND = {"classification": 0.25, "multilabel": 0.25, "regression": 2.0}


def curvature(Z, n_targets=1, n_iter=30):
    """Return a bound on the default net's curvature at its initial weights.

    With ``c`` the largest eigenvalue of ``Z'Z / n`` (by power iteration) and ``m`` the
    mean square of the cells, the linear path and its bias have curvature ``c + 1``,
    the weights into the hidden layer about ``c / 6`` and those out of it at most
    ``m HIDDEN / 6``, which follows from their uniform initial distribution. Where the
    loss is a sum over several targets, the hidden layer's adds up. It is one number
    about all of a client's rows: what the step size needs to know.
    """
    v = np.full(Z.shape[1], 1.0) + np.arange(Z.shape[1]) * 1e-3
    value = 0.0
    for _ in range(n_iter):
        w = Z.T @ (Z @ v) / len(Z)
        value = float(np.linalg.norm(w))
        if value == 0.0:
            break
        v = w / value
    return value * (6 + n_targets) / 6 + 1 + float(np.mean(Z**2)) * HIDDEN / 6


def usual_curvature(width, n_targets=1):
    """Return about the curvature at standardised columns, that many."""
    return width * (6 + n_targets) / 6 + 7


def step_size(task, curvatures):
    """Return ``1 / L`` for the default net, 0.2 at most.

    ``L`` is the curvature of the loss at the client where it is largest; gradient
    descent is stable below ``2 / L``.
    """
    return min(LARGEST, 1 / (BEND[task] * max(curvatures)))
