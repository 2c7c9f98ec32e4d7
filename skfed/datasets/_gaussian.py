"""The generated problem: Gaussian classes, or a linear model in Gaussian columns."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.utils import Bunch

from ._checks import check_number, check_whole
from ._dials import stream

# Bins of y that take the place of classes when a regression's labels shift.
N_BINS = 10


class Rows(NamedTuple):
    """Rows of one client: table, target (class codes or numbers), where from."""

    X: pd.DataFrame
    y: np.ndarray
    positions: np.ndarray | None


class GaussianProblem:
    """A problem without end: rows of any class, or any bin of y, are drawn on demand.

    The informative columns have the covariance ``S`` (a random correlation matrix)
    within a class, the others are independent; all have variance 1. Means of the
    classes are ``class_sep * N(0, I)``; the target of a regression is
    ``X @ coef + noise * N(0, 1)`` with ``coef' S coef = 1``.
    """

    def __init__(
        self, task, n_features, n_informative, n_classes, class_sep, noise, seed
    ):
        check_whole("n_informative", n_informative, 1)
        check_whole("n_features", n_features, n_informative)
        check_whole("n_classes", n_classes, 2)
        check_number("class_sep", class_sep, 0)
        check_number("noise", noise, 0)
        rng = stream(seed, "problem")
        q = n_informative
        root = rng.standard_normal((q, 2 * q))
        root /= np.linalg.norm(root, axis=1, keepdims=True)
        where = np.sort(rng.permutation(n_features)[:q])
        self.covariance = np.eye(n_features)
        self.covariance[np.ix_(where, where)] = root @ root.T
        self.root = np.linalg.cholesky(self.covariance)
        self.task, self.seed, self.noise = task, seed, noise
        self.names = [f"x{j}" for j in range(n_features)]
        self.spread = np.ones(n_features)
        self.centre = 0.0
        if task == "classification":
            self.classes = np.arange(n_classes)
            self.means = np.zeros((n_classes, n_features))
            self.means[:, where] = class_sep * rng.standard_normal((n_classes, q))
        else:
            self.classes = np.arange(N_BINS)
            self.coef = np.zeros(n_features)
            self.coef[where] = rng.standard_normal(q)
            self.coef /= np.sqrt(self.coef @ self.covariance @ self.coef)
            self.target_sd = np.sqrt(1 + noise**2)
        self.prior = np.full(len(self.classes), 1 / len(self.classes))
        self.truth = Bunch(
            informative=[self.names[j] for j in where], covariance=self.covariance
        )
        if task == "classification":
            self.truth.update(means=self.means)
        else:
            self.truth.update(coef=self.coef, noise=noise)

    def train(self, sizes, counts):
        """Return the training rows of each client."""
        return self._rows("training", sizes, counts)

    def test(self, sizes, counts):
        """Return the test rows of each client."""
        return self._rows("test", sizes, counts)

    def _rows(self, part, sizes, counts):
        draw = self._classified if self.task == "classification" else self._regressed
        return [
            draw(n, None if counts is None else counts[k], stream(self.seed, part, k))
            for k, n in enumerate(sizes)
        ]

    def _strata(self, counts, rng):
        """Return the class or bin of each row, in random order."""
        return rng.permutation(np.repeat(np.arange(len(self.prior)), counts))

    def _normal(self, n, rng):
        return rng.standard_normal((n, len(self.names))) @ self.root.T

    def _classified(self, n, counts, rng):
        if counts is None:
            codes = rng.integers(len(self.prior), size=n)
        else:
            codes = self._strata(counts, rng)
        X = self.means[codes] + self._normal(n, rng)
        return Rows(pd.DataFrame(X, columns=self.names), codes, None)

    def _regressed(self, n, counts, rng):
        X = self._normal(n, rng)
        y = X @ self.coef + self.noise * rng.standard_normal(n)
        if counts is not None:
            # Draw y in its bin, then move the row to where that y is expected:
            # X | y = X_0 + cov(X, y) / var(y) (y - y_0) for jointly Gaussian (X, y).
            place = (self._strata(counts, rng) + rng.random(n)) / N_BINS
            wanted = self.target_sd * ndtri(np.clip(place, 1e-12, 1 - 1e-12))
            slope = self.covariance @ self.coef / self.target_sd**2
            X += np.outer(wanted - y, slope)
            y = wanted
        return Rows(pd.DataFrame(X, columns=self.names), y, None)
