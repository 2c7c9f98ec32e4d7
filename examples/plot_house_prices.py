"""
Nine towns, thirty-five columns, none in common
===============================================

Nine towns recorded house prices, each in its own way: one knows the lot and not the
living area, one only rooms and distances, one has 53 sales and one 2,930. No column is
in all nine tables. What does a model for each town gain from the other eight, if no
town shows its rows?
"""

# %%
# The clients
# -----------
# A federation is a dict (or list) of pairs ``(X, y)``, one per client. The tables keep
# their own columns, gaps and text; equal names mean equal quantities.

import warnings

import pandas as pd

from skfed import FederatedRegressor, compare
from skfed.datasets import load_house_prices
from skfed.exceptions import AlignmentWarning

clients = load_house_prices(return_clients=True)
owners = pd.DataFrame(
    {town: pd.Series(True, index=X.columns) for town, (X, _) in clients.items()}
).notna()
print(f"{len(clients)} towns, {len(owners)} columns, {owners.all(axis=1).sum()} in all")
print(
    pd.DataFrame(
        {
            "rows": {town: len(y) for town, (_, y) in clients.items()},
            "columns": owners.sum(),
            "only here": owners[owners.sum(axis=1) == 1].sum(),
        }
    ).to_string()
)

# %%
# One fit
# -------
# Every town's table passes through its own Pipeline, whose steps the towns fit
# together; then they train one network by federated averaging, and each mixes it
# with models of its own. A category that only a
# few rows of a town have does not leave it; the fit says so, and which.

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", AlignmentWarning)
    model = FederatedRegressor(random_state=0).fit(clients)
for warning in caught:
    print(warning.message)
print(model.pipelines_["canton_ny"])
print(f"aligned to {len(model.aligned_names_)} columns; what left the towns, in bytes:")
sent = model.ledger_.query("direction == 'up'").groupby("task")["bytes"].sum()
print(sent.to_string())

# %%
# Does it help, and whom?
# -----------------------
# ``compare`` scores the federated model on held-out rows of every town beside what the
# town can do alone ("local": the same network; "local_linear": a tuned ridge) and
# beside one model that gets all rows on one table ("pooled"), which nobody could fit
# here. The score is R2, out of fold.

table = compare(model, clients, cv=3, random_state=0, n_jobs=2)
shown = table[["n_rows", "local", "local_linear", "pooled", "federated"]]
mean = shown.mean().rename("mean over towns").to_frame().T
print(pd.concat([shown, mean]).round(3).astype({"n_rows": int}).to_string())
better = (table["vs_local_linear"] > 0).sum()
print(f"federated is above the tuned local model in {better} of {len(table)} towns,")
z = table["vs_local_linear"] / table["vs_local_linear_se"]
above, below = (z > 2).sum(), (z < -2).sum()
print(f"by over two standard errors in {above}, below by as much in {below}")

# %%
# The same without personalization: plain federated averaging.

plain = FederatedRegressor(personalizer=None, random_state=0)
shared = compare(plain, clients, cv=3, random_state=0, baselines=["local_linear"])
z = shared["vs_local_linear"] / shared["vs_local_linear_se"]
print(f"mean R2 of the shared network alone: {shared['federated'].mean():.3f};")
print(f"by over two standard errors above {(z > 2).sum()}, below {(z < -2).sum()}")

# %%
# The gain of each town over its tuned local model, with two standard errors. Every town
# mixes the shared network with models of its own on out-of-fold evidence, see
# ``model.personalization_``. Gradient boosting of its own is a member for towns with
# 100 rows and more, so the large towns' gains are not all from the other towns.

import matplotlib.pyplot as plt

table = table.sort_values("n_rows")
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.barh(
    [f"{town} ({n})" for town, n in table["n_rows"].items()],
    table["vs_local_linear"],
    xerr=2 * table["vs_local_linear_se"],
    color="tab:blue",
    alpha=0.8,
)
ax.axvline(0, color="black", linewidth=0.8)
ax.set_xlabel("gain in held-out R2 over the town's own tuned ridge")
ax.set_title("Gain over the town's own ridge")
plt.show()
