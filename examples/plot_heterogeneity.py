"""
How different are my clients?
=============================

Developers in five countries answered the same questions. Are their answers so different
that a model of one country is wrong in the next, or is it chance? Small clients always
look different.
"""

# %%
# The clients
# -----------
# All five have the same 19 columns, and predict the logarithm of the salary in dollars.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skfed.datasets import load_stackoverflow
from skfed.inspection import HeterogeneityDisplay

countries = load_stackoverflow(return_clients=True)

# %%
# For comparison the same developers, dealt out at random to five clients of the same
# sizes: these differ by chance alone.

rows = pd.concat([X for X, _ in countries.values()], ignore_index=True)
salary = np.concatenate([y for _, y in countries.values()])
order = np.random.default_rng(0).permutation(len(rows))
ends = np.cumsum([len(y) for _, y in countries.values()])
dealt = {
    f"random {k}": (rows.iloc[part], salary[part])
    for k, part in enumerate(np.split(order, ends[:-1]), start=1)
}

# %%
# The picture
# -----------
# A shift is 0 if a client's values are spread like those of all others, and 1 if they
# do not overlap. The tick is what chance gives a client of that size on average. The
# salaries differ far beyond that: in India hardly anybody earns what most earn in the
# United States. The answers differ little, if more than by chance. At random clients
# both are where chance puts them.
#
# So there is a level to learn for each country. ``FederatedRegressor`` scales each
# client's target by itself (``target_scaling="client"``) and learns the rest together.

fig, (above, below) = plt.subplots(2, 1, figsize=(9, 5.2), layout="constrained")
real = HeterogeneityDisplay.from_clients(countries, ax=above)
chance = HeterogeneityDisplay.from_clients(dealt, ax=below)
for display in (real, chance):
    told = display.measures.set_index("client")
    print(told[["n_rows", "label_shift", "covariate_shift"]].round(2).to_string())
plt.show()
