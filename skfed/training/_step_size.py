"""The default net's learning rate, from the curvature of the aligned rows."""

import numpy as np

LARGEST = 0.2
# largest second derivative of the loss by an output: softmax cross-entropy, squares
BEND = {"classification": 0.5, "regression": 2.0}


def curvature(Z, n_iter=30):
    """Return the largest eigenvalue of ``Z'Z / n``, by power iteration.

    One number about all of a client's rows; what the step size needs to know.
    """
    v = np.full(Z.shape[1], 1.0) + np.arange(Z.shape[1]) * 1e-3
    value = 0.0
    for _ in range(n_iter):
        w = Z.T @ (Z @ v) / len(Z)
        value = float(np.linalg.norm(w))
        if value == 0.0:
            break
        v = w / value
    return value


def step_size(task, curvatures):
    """Return ``1 / L`` for the linear path of the net, 0.2 at most.

    ``L`` bounds the curvature of the loss at the client where it is largest: gradient
    descent on it is stable below ``2 / L``.
    """
    bound = BEND[task] * max(curvatures)
    return LARGEST if bound * LARGEST <= 1 else 1 / bound
