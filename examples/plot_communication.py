"""
What does a fit cost on the wire?
=================================

Towns that keep their house prices to themselves talk over a line that costs money.
Which messages are large, what can be saved, and at which price?
"""

# %%
# The clients
# -----------
# The five small ones of nine towns, with every fourth sale held out.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skfed import FederatedRegressor
from skfed.datasets import load_house_prices
from skfed.exceptions import AlignmentWarning
from skfed.inspection import CommunicationDisplay

train, test = {}, {}
for town, (X, y) in load_house_prices(return_clients=True).items():
    held_out = np.arange(len(y)) % 4 == 0
    if len(y) < 600:
        train[town], test[town] = (
            (X[~held_out], y[~held_out]),
            (X[held_out], y[held_out]),
        )

# %%
# The fits
# --------
# A fit of 60 rounds; the same in a third of the rounds; and one without a personalizer,
# whose evidence needs a fit without each fold. Fits name categories that are too rare
# to leave their town, which is not the question here.

warnings.simplefilter("ignore", AlignmentWarning)
fits = {
    "60 rounds": {"n_rounds": 60},
    "a third of the rounds": {"n_rounds": 20},
    "no personalizer": {"n_rounds": 60, "personalizer": None},
}
models, told = {}, {}
for name, parameters in fits.items():
    models[name] = FederatedRegressor(random_state=0, **parameters).fit(train)
    r2 = [models[name].score({k: X}, {k: y}) for k, (X, y) in test.items()]
    megabytes = models[name].ledger_["bytes"].sum() / 1e6
    told[name] = {"MB": megabytes, "mean R2": np.mean(r2), "worst R2": np.min(r2)}
print(pd.DataFrame(told).T.round(2).to_string())

# %%
# The picture
# -----------
# The first fit. Nearly everything is weights that come and go in each round, so
# what counts is the number of rounds, the width of the net and the folds behind the
# personalizer's evidence. All that aligning takes is sent once, before the first round.

CommunicationDisplay.from_estimator(models["60 rounds"])
plt.show()
