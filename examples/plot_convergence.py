"""
Do clients pull apart? Rounds of three strategies
=================================================

Ten clients hold handwritten digits, and each knows two of the ten digits only. Each
pulls the shared net to its own two, so that what one learns in a round another forgets.
Strategies promise to correct for that. What do the rounds say, and what do new digits?
"""

# %%
# The clients
# -----------
# 60 digits each for training, of two kinds; and new digits of all kinds for a test,
# since the question is what the shared net knows of the others' digits.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skfed import FedAvg, FederatedClassifier
from skfed.datasets import make_heterogeneous_clients
from skfed.exceptions import AlignmentWarning
from skfed.inspection import ConvergenceDisplay
from skfed.strategies import FedProx, Scaffold

X, y = load_digits(return_X_y=True, as_frame=True)
order = np.random.default_rng(0).permutation(len(X))
new, rest = order[:500], order[500:]
data = make_heterogeneous_clients(
    10, 60, X=X.iloc[rest], y=y.iloc[rest], n_labels_per_client=2, n_test=0,
    random_state=0,
)  # fmt: skip
alone = [
    LogisticRegression(max_iter=1000).fit(*pair).score(X.iloc[new], y.iloc[new])
    for pair in data.clients.values()
]
print(f"a client alone knows {np.mean(alone):.2f} of the new digits")

# %%
# The fits
# --------
# Five passes over the rows in each round, so that clients have time to pull apart, and
# no personalizer: what is asked here is what the shared net knows. The fits warn that
# most digits are at other clients only, which is the point.

warnings.simplefilter("ignore", AlignmentWarning)
strategies = {
    "FedAvg": FedAvg(),
    "FedProx(mu=1)": FedProx(mu=1.0),
    "Scaffold": Scaffold(),
}
models, scores = {}, {}
for name, strategy in strategies.items():
    models[name] = FederatedClassifier(
        strategy=strategy, local_epochs=5, n_rounds=30, personalizer=None,
        random_state=0,
    ).fit(data.clients)  # fmt: skip
    predicted = models[name].predict(dict.fromkeys(data.clients, X.iloc[new]))
    scores[name] = [np.mean(labels == y.iloc[new]) for labels in predicted.values()]
table = pd.DataFrame(scores, index=list(data.clients)).agg(["mean", "min"])
print(table.round(3).to_string())

# %%
# The picture
# -----------
# Each client's loss on its own rows as it trains, and the mean. A client on two digits
# soon has no loss of its own in each of them: a low training loss says that clients fit
# their own rows while they train, and nothing of the net that is averaged from them. So
# look at the new digits before you believe a curve.

fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained", sharey=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    ConvergenceDisplay.from_estimator(model, ax=ax)
    ax.set_title(f"{name}: {np.mean(scores[name]):.2f} of new digits")
    ax.label_outer()
    if ax is not axes[-1]:
        ax.get_legend().remove()
plt.show()
