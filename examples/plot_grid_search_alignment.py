"""
Which alignment? A grid search over aligners
============================================

An aligner is a parameter like any other, so that scikit-learn's ``GridSearchCV`` can
choose it, together with its own parameters and with the scaling before it. All rows
of all clients go through the search as one container.
"""

# %%
# The clients
# -----------
# Six hospitals each measured a random 40 % of the thirty named columns of
# scikit-learn's breast cancer table, for 40 patients, and differ in the shares of the
# two classes.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

from skfed import (
    ClientKFold,
    ClientScorer,
    FederatedClassifier,
    TableEncoder,
    compare,
    pool,
)
from skfed.alignment import FactorAligner, SharedPrivateAligner, UnionAligner
from skfed.datasets import make_heterogeneous_clients

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
data = make_heterogeneous_clients(
    6, 40, X=X, y=y, feature_overlap=0.4, label_shift=0.1, random_state=0
)
rows, target = pool(data.clients)
print(rows)

# %%
# The search
# ----------
# ``ClientKFold`` puts rows of every client into every training fold, and
# ``ClientScorer`` averages over the clients, so that a large one does not decide
# alone. Everything is fitted inside the training folds: encoder, aligner and net, at
# all clients at once.

encoder = TableEncoder()
scaling = {"encoder__scaling": ["client", "pooled", "balanced"]}
search = GridSearchCV(
    FederatedClassifier(
        encoder=encoder, personalizer=None, n_rounds=20, random_state=0
    ),
    [
        {"aligner": [UnionAligner()], **scaling},
        {"aligner": [SharedPrivateAligner()], **scaling},
        {"aligner": [FactorAligner()], "aligner__n_components": [4, 8], **scaling},
    ],
    scoring=ClientScorer("neg_log_loss"),
    cv=ClientKFold(3, random_state=0),
)
search.fit(rows, target)
results = pd.DataFrame(search.cv_results_).sort_values("mean_test_score")
print(search.best_params_)

# %%
# Beside it: what the clients can do alone
# ----------------------------------------
# ``compare`` scores a logistic regression tuned on each client's own rows, on the same
# folds. The federated score of the winner is a little optimistic, since these folds
# chose it.

table = compare(
    search.best_estimator_,
    data.clients,
    cv=ClientKFold(3, random_state=0),
    scoring="neg_log_loss",
    baselines=["local_linear"],
)
print(table[["n_rows", "local_linear", "federated"]].round(3).to_string())
tests = [
    search.best_estimator_.score({k: t[0]}, {k: t[1]}) for k, t in data.test.items()
]
print(f"accuracy of the refitted winner on new rows, worst client: {min(tests):.2f}")

# %%
# The answer
# ----------
# Scaling every client by its own statistics is the worst choice with every aligner
# here: it removes the differences in the mean that come from the shares of the
# classes. Which aligner is best is a matter of small differences on one draw, taken
# after others had been seen: search on your own rows.


def label(params):
    """Return an aligner's name with the parameter that was searched."""
    rest = [f"{v}" for k, v in params.items() if k.startswith("aligner__")]
    name = type(params["aligner"]).__name__
    return f"{name}({rest[0]})" if rest else name


results["which"] = [label(params) for params in results["params"]]
wide = results.pivot(
    index="which", columns="param_encoder__scaling", values="mean_test_score"
).sort_values("balanced")

fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for scaling, marker in (("client", "o"), ("pooled", "s"), ("balanced", "D")):
    ax.plot(-wide[scaling], wide.index, marker, label=f"scaling: {scaling}")
ax.axvline(
    -table["local_linear"].mean(), color="0.6", linestyle=":", label="local only"
)
ax.set_xlabel("log-loss on held-out rows, mean over clients (less is better)")
ax.legend(loc="center right", bbox_to_anchor=(0.97, 0.5))
plt.show()
