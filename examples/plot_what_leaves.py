"""
What leaves a client? Reading the ledger
========================================

Every message between server and clients is written in a ledger: which array, of which
shape, in which task and round, in which direction. It answers what was told about
the rows of a client, what the network has to carry, and what it bought.
"""

# %%
# The clients
# -----------
# Four clients have a random fifth each of the columns of the breast cancer table. It
# was taken after a look at scikit-learn's wine, where these settings do worse than the
# clients alone on average; here the two are about level.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer

from skfed import FederatedClassifier, compare
from skfed.datasets import make_heterogeneous_clients

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
data = make_heterogeneous_clients(
    4, 40, X=X, y=y, feature_overlap=0.2, n_test=0, random_state=0
)
# plain FedAvg; a personalizer sends the same messages again for each of its folds
model = FederatedClassifier(personalizer=None, n_rounds=40, random_state=0)
model.fit(data.clients)
ledger = model.ledger_

# %%
# Before training
# ---------------
# Round 0 agrees on names and labels and fits the aligner. This is everything that
# "client_0" said: names, counts, and second moments of its own columns. No array has
# an axis of the length of its table.

said = ledger.query("direction == 'up' and client == 'client_0' and round == 0")
print(len(data.clients["client_0"][1]), "rows in the table")
print(said[["task", "name", "shape", "dtype", "bytes"]].to_string(index=False))

# %%
# A round of training
# -------------------
# The shared weights come down and the trained ones go up, with the number of rows, the
# mean loss and the time it took. This is the same in every round and for every client.

said = ledger.query("direction == 'up' and client == 'client_0' and round == 1")
print(said[["task", "name", "shape", "dtype", "bytes"]].to_string(index=False))
print(ledger.pivot_table("bytes", "task", "direction", "sum").to_string())

# %%
# What it bought
# --------------
# Each client alone (a tuned logistic regression) beside the federated model, both on
# rows that were held out.

estimator = FederatedClassifier(personalizer=None, n_rounds=40, random_state=0)
table = compare(estimator, data.clients, cv=3, baselines=["local_linear"])
print(table[["n_rows", "local_linear", "federated"]].round(3).to_string())

# %%
# Bytes by round and task
# -----------------------
# Aligning costs about as much as one round of training. A table of 40 rows is smaller
# than either: the reason to federate it is not that messages are small, but that rows
# stay where they are.

per_round = ledger.pivot_table("bytes", "round", "task", "sum", fill_value=0)
per_client = (per_round / ledger["client"].nunique() / 1000)[
    ["describe", "align", "train"]
]
rows = pd.Series({k: X.to_numpy().nbytes for k, (X, _) in data.clients.items()})

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
per_client.iloc[:6].plot.bar(stacked=True, ax=left, rot=0)
left.set_ylim(0, 1.4 * per_client.sum(axis=1).max())
left.set_ylabel("kB a client, both directions")
left.legend(ncols=3)
per_client.sum(axis=1).cumsum().plot(ax=right, label="messages, cumulated")
right.axhline(rows.mean() / 1000, color="0.6", linestyle=":", label="a client's table")
right.set_yscale("log")
right.set_ylabel("kB a client")
right.legend()
plt.show()
