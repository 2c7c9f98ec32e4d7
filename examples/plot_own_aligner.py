"""
How do I write an aligner of my own?
====================================

An aligner says what leaves a client, what the server makes of it and what the client
does with the answer: three short methods, and two attributes. This page writes one,
checks it, and uses it: a principal component analysis over the union of all columns.
"""

# %%
# The aligner
# -----------
# Every client sends means and second moments of its own columns. The server adds up,
# for every pair of columns, what the clients that have both know about it, and sends
# back the leading eigenvectors. Sums over fewer than ``min_count`` rows stay at home,
# and so do second moments of no more rows than columns, from which the rows could be
# told up to a rotation.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import check_estimator

from skfed import FederatedClassifier, compare
from skfed.alignment import Aligner, UnionAligner
from skfed.datasets import make_heterogeneous_clients
from skfed.testing import check_aligner


class UnionPCAAligner(Aligner):
    """Principal components of the union of all columns, absent ones at their mean."""

    def __init__(self, n_components=5, min_count=5):
        self.n_components = n_components
        self.min_count = min_count

    def _check_parameters(self):
        for name in ("n_components", "min_count"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}")

    def _client_statistics(self, X, names, y, shared):
        n, d = X.shape
        if n <= max(d, self.min_count - 1):
            return {"names": names, "n": 0}
        mean = X.mean(axis=0)
        scatter = (X - mean).T @ (X - mean)
        return {"names": names, "n": n, "mean": mean, "scatter": scatter}

    def _merge(self, statistics, shared):
        union = sorted({v for message in statistics.values() for v in message["names"]})
        told = [message for message in statistics.values() if message["n"]]
        where = [[union.index(v) for v in message["names"]] for message in told]
        n, mean = np.zeros((2, len(union)))
        for own, message in zip(where, told, strict=True):
            n[own] += message["n"]
            mean[own] += message["n"] * message["mean"]
        mean /= np.maximum(n, 1)
        both, moments = np.zeros((2, len(union), len(union)))
        for own, message in zip(where, told, strict=True):
            shift = message["mean"] - mean[own]
            pairs = np.ix_(own, own)
            both[pairs] += message["n"]
            moments[pairs] += message["scatter"] + message["n"] * np.outer(shift, shift)
        _, vectors = np.linalg.eigh(moments / np.maximum(both, 1))
        axes = vectors[:, ::-1][:, : self.n_components]
        strongest = np.abs(axes).argmax(axis=0)
        axes = axes * np.sign(axes[strongest, range(axes.shape[1])])
        return {"names": union, "mean": mean, "axes": axes}

    def _fit_shared(self, X, names, y, shared):
        own = [shared["names"].index(v) for v in names]
        self.mean_, self.components_ = shared["mean"][own], shared["axes"][own].T
        self.feature_names_out_ = [f"pc{j}" for j in range(shared["axes"].shape[1])]

    def _transform(self, X):
        return (X - self.mean_) @ self.components_.T


# %%
# The checks
# ----------
# ``check_aligner`` runs what every aligner has to keep: equal columns at all clients,
# no dependence on the order of clients or rows, messages that do not grow with the
# rows, pickling between the acts, and more. ``check_estimator`` is scikit-learn's. And
# there is a property of its own: clients with the same columns get what scikit-learn
# finds in the pooled rows.

check_aligner(UnionPCAAligner())
check_estimator(UnionPCAAligner(), on_skip=None)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
parts = {"a": X.iloc[:100], "b": X.iloc[100:300], "c": X.iloc[300:]}
aligner = UnionPCAAligner(n_components=3)
shared = aligner.merge(
    {k: aligner.client_statistics(part) for k, part in parts.items()}
)
pooled = PCA(n_components=3).fit(X[sorted(X.columns)])
np.testing.assert_allclose(np.abs(shared["axes"].T), np.abs(pooled.components_), 1e-6)
print("equal to the pooled analysis")

# %%
# The use
# -------
# The aligner is a parameter of the estimator. Beside it: what each client can do
# alone, and the union of the columns without an analysis. The clients that do worst
# alone gain most from either; whether the analysis is worth keeping is for the mean to
# say, which is why one measures.

data = make_heterogeneous_clients(
    6, 40, X=X, y=y, feature_overlap=0.3, n_test=0, random_state=1
)
scores = {}
for aligner in (UnionPCAAligner(), UnionAligner()):
    model = FederatedClassifier(
        aligner=aligner, personalizer=None, n_rounds=50, random_state=0
    )
    table = compare(
        model,
        data.clients,
        cv=3,
        scoring="neg_log_loss",
        baselines=["local_linear"],
    )
    scores["local only"] = -table["local_linear"]
    scores[type(aligner).__name__] = -table["federated"]
scores = pd.DataFrame(scores)
print(pd.concat([scores, scores.mean().rename("mean").to_frame().T]).round(3))

fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for (method, values), marker in zip(scores.items(), "osD", strict=True):
    ax.plot(values, scores.index, marker, label=method)
ax.set_xlabel("log-loss on held-out rows (less is better)")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
