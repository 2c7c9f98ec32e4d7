"""
Why align? Digits of which every client sees other pixels
=========================================================

Ten clients hold 60 handwritten digits each, and each of them sees only 19 of the 64
pixels. The pixels have names, but hardly any is known to all. Is federating worth
it, and does the way in which the tables are brought together matter?
"""

# %%
# The clients
# -----------
# All clients are tested on the same held-out digits, each with its own pixels. This is
# one draw, taken after others had been seen; ``python -m benchmarks.partial_digits``
# reports five in a row.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import FederatedClassifier
from skfed.alignment import FactorAligner, PadAligner, PCAAligner, UnionAligner
from skfed.exceptions import AlignmentWarning, NegativeControlWarning

rng = np.random.default_rng(0)
X, y = load_digits(return_X_y=True, as_frame=True)
order = rng.permutation(len(X))
rest = order[10 * 60 :]
clients, tests = {}, {}
for k in range(10):
    rows = order[k * 60 : (k + 1) * 60]
    pixels = np.sort(rng.choice(64, 19, replace=False))
    clients[f"client {k}"] = X.iloc[rows, pixels], y.iloc[rows]
    tests[f"client {k}"] = X.iloc[rest, pixels]
seen = pd.Series([c for table, _ in clients.values() for c in table.columns])
print(
    f"{seen.nunique()} pixels in all, {(seen.value_counts() == 10).sum()} at everyone"
)

# %%
# The methods
# -----------
# What every client can do alone is a logistic regression whose penalty is tuned by
# cross-validation. The federations differ in their aligner only. Two of them are
# negative controls, which give equal widths without equal meanings: padding by
# position, and a principal component analysis of each client's own table. Both
# announce themselves by a warning, and clients with rare labels say which ones they
# keep to themselves; here this is expected.

warnings.simplefilter("ignore", AlignmentWarning)
warnings.simplefilter("ignore", NegativeControlWarning)

scores = {}
for name, (table, labels) in clients.items():
    local = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        {"logisticregression__C": [0.001, 0.01, 0.1, 1.0]},
        cv=KFold(5, shuffle=True, random_state=0),
    )
    local.fit(table, labels)
    scores["local only", name] = local.score(tests[name], y.iloc[rest])

aligners = {
    "PCAAligner (control)": PCAAligner(),
    "PadAligner (control)": PadAligner(),
    "UnionAligner": UnionAligner(),
    "FactorAligner": FactorAligner(n_components=24),
}
for method, aligner in aligners.items():
    model = FederatedClassifier(aligner=aligner, personalizer=None, random_state=0)
    model.fit(clients)
    for name, predicted in model.predict(tests).items():
        scores[method, name] = np.mean(predicted == y.iloc[rest])

table = pd.Series(scores).unstack(0)[["local only", *aligners]]
print(table.agg(["mean", "min"]).T.round(3))

# %%
# The answer
# ----------
# Columns that are matched by name help nearly everyone. Columns that are matched by
# position or by variance do harm: the shared net is taught that different things are
# the same. ``FactorAligner`` goes further than the union and tells each client what
# the pixels which it does not see probably look like.

fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for i, method in enumerate(table):
    ax.scatter(table[method], np.full(len(table), i), color="C0", alpha=0.5)
    ax.scatter(table[method].mean(), i, marker="|", s=500, color="C1")
ax.axvline(table["local only"].mean(), color="0.6", linestyle=":")
ax.set_yticks(range(table.shape[1]), table.columns)
ax.set_xlabel("accuracy on held-out digits: each client, and their mean")
plt.show()
