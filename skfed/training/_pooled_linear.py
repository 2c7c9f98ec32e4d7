"""A ridge over all clients' rows in common units, from summed second moments."""

import numpy as np
from scipy.linalg import eigh
from sklearn.base import BaseEstimator, RegressorMixin

from ..federation import Broadcast
from ..preprocessing._disclosure import nearly_constant
from ._answers import needed, without_failures
from ._expected import summed

ALPHAS = np.logspace(-2, 5, 22)
TIE = 1e-3  # of the error: what clients that share few columns say about the penalty


class PooledLinear(RegressorMixin, BaseEstimator):
    """Linear predictions in the target's own unit for aligned rows.

    Parameters
    ----------
    coef : array of shape (q + 1,) or (q + 1, m)
        The intercept and the coefficients.
    mean, scale : float or array of shape (m,)
        Units of the target.
    """

    def __init__(self, coef, mean=0.0, scale=1.0):
        self.coef = coef
        self.mean = mean
        self.scale = scale

    def fit(self, X, y=None):
        """Refuse: the model is fitted by the federation."""
        raise TypeError("this step was fitted by a federation")

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, Z):
        """Return the predicted targets of each aligned row, (n,) or (n, m)."""
        Z = np.asarray(Z, dtype=np.float64)
        return self.mean + self.scale * (self.coef[0] + Z @ self.coef[1:])


def moments(payload, state, site):
    """Tell the second moments of columns and targets, if no row shows in them."""
    z, Y = state["z"].astype(np.float64), state["target"][state["fit_rows"]]
    Y = Y[:, None] if Y.ndim == 1 else Y
    few = site.plan.min_count
    told = [j for j, column in enumerate(z.T) if not nearly_constant(column, few)]
    answer: dict = {"n_rows": len(z)}
    n_columns = sum(bool(z[:, j].any()) for j in told)
    targets = [j for j, y in enumerate(Y.T) if not nearly_constant(y, few)]
    if targets and len(z) > n_columns + len(targets):
        first = 1 + z.shape[1]
        rows = np.zeros((len(z), first + len(targets)))
        rows[:, 0], rows[:, first:] = 1.0, Y[:, targets]
        rows[:, 1 + np.array(told, dtype=int)] = z[:, told]
        answer["moments"] = rows.T @ rows
        if Y.shape[1] > 1:
            answer["targets"] = np.array(targets)
    return answer


def fit_moments(plan, result):
    """Ask for the moments and solve; sets ``result.coef``."""
    clients = result.clients
    width = 1 + len(result.names)
    ask = Broadcast(
        "moments",
        {},
        clients,
        min_replies=needed(plan, len(clients)),
        expects=summed(width),
    )
    answers = without_failures(result, ask, (yield ask), drop=True)
    told = list(answers.values())
    found = [_solved(told, j, width) for j in range(result.n_targets)]
    result.coef = found[0] if result.n_targets == 1 else np.stack(found, axis=1)
    return result


def _solved(told, target, width):
    """Return the coefficients (q + 1,) for one target, from those who tell of it."""
    own = []
    for answer in told:
        held = answer.get("targets", np.zeros(1)) == target
        if "moments" in answer and held.any():
            kept = np.append(np.full(width, True), held)
            own.append(answer["moments"][np.ix_(kept, kept)])
    return solve(own) if own else np.zeros(width)


def solve(told):
    """Return the ridge's intercept and coefficients from clients' second moments.

    The penalty is the one with the least squared error on clients that are left out,
    one after the other. Where that tells little, since they share few columns with the
    others, it is the best of the penalties at a tie by generalised cross-validation.
    Both can be computed from the same moments.

    Parameters
    ----------
    told : list of arrays of shape (q + 2, q + 2)
        ``[1, Z, y]' [1, Z, y]`` of every client.
    """
    total = sum(told)
    if len(told) == 1:
        return _ridge(total, [ALPHAS[len(ALPHAS) // 2]])[0]
    errors = np.zeros(len(ALPHAS))
    for own in told:
        for i, coef in enumerate(_ridge(total - own, ALPHAS)):
            whole = np.r_[-coef, 1.0]
            errors[i] += whole @ own @ whole
    tied = ALPHAS[errors <= (1 + TIE) * errors.min()]
    scores = _generalised_errors(total, tied)
    return _ridge(total, [tied[scores.argmin()]])[0]


def _generalised_errors(M, alphas):
    """Return ``RSS / (n - degrees of freedom)^2`` for each penalty."""
    values, projected, variance, _, _ = _axes(M)
    shrunk = values / (values + alphas[:, None])
    explained = (2 * shrunk - shrunk**2) @ (
        projected**2 / np.maximum(values, 1e-12 * max(values.max(), 1e-300))
    )
    freedom = np.maximum(M[0, 0] - 1 - shrunk.sum(axis=1), 1.0)
    return np.maximum(variance - explained, 0.0) / freedom**2


def _axes(M):
    """Return the centred moments in the columns' principal axes.

    Squared lengths (q,), products with the target (q,), the target's sum of squares,
    the axes (q, q) and all means (q + 1,).
    """
    n = M[0, 0]
    mean = M[0, 1:] / n
    centered = M[1:, 1:] - n * np.outer(mean, mean)
    values, vectors = eigh(centered[:-1, :-1])
    projected = vectors.T @ centered[:-1, -1]
    return np.maximum(values, 0), projected, centered[-1, -1], vectors, mean


def _ridge(M, alphas):
    """Return the coefficients for each penalty; the intercept has none."""
    values, projected, _, vectors, mean = _axes(M)
    found = []
    for alpha in alphas:
        slope = vectors @ (projected / (values + alpha))
        found.append(np.r_[mean[-1] - mean[:-1] @ slope, slope])
    return found
