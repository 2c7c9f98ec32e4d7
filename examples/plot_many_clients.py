"""
Ninety-eight small clients: who gains?
======================================

A primary school has some twenty pupils in a class, too few for a model of its own. With
98 of them nobody reads a table of scores any more. Who gains by a federation, and does
anybody lose?
"""

# %%
# The clients
# -----------
# Each school predicts its pupils' score in language. Every third pupil is held out.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import FederatedRegressor
from skfed.datasets import load_schools
from skfed.inspection import ClientGainDisplay, ConvergenceDisplay

schools = load_schools("bdf", return_clients=True)
rng = np.random.default_rng(0)
train, test = {}, {}
for name, (X, y) in schools.items():
    held_out = rng.permutation(len(y)) < len(y) / 3
    train[name] = X[~held_out], y[~held_out]
    test[name] = X[held_out], y[held_out]
sizes = [len(y) for _, y in schools.values()]
print(f"{len(schools)} schools with {min(sizes)} to {max(sizes)} pupils")

# %%
# Alone and together
# ------------------
# Alone, a school can fit a ridge regression whose penalty is tuned on its own pupils.

local = {}
for name, (X, y) in train.items():
    ridge = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        RidgeCV(np.logspace(-1, 4, 11)),
    )
    local[name] = ridge.fit(X, y).predict(test[name][0])

model = FederatedRegressor(personalizer=None, n_rounds=30, random_state=0).fit(train)
federated = model.predict({name: X for name, (X, _) in test.items()})


def minus_error(y_true, y_pred):
    """Return the negative mean absolute error: R2 is wild on seven pupils."""
    return -np.mean(np.abs(y_true - y_pred))


# %%
# The picture
# -----------
# Left the rounds: each school is a grey line, the mean over all pupils is bold. Right
# the gains with their intervals, from the school that loses most to the one that gains
# most. On some seven pupils hardly any single gain is certain, and among 98 a few look
# certain by chance; what counts is that most are to the right of zero.

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.4), layout="constrained")
ConvergenceDisplay.from_estimator(model, ax=left)
gains = ClientGainDisplay.from_predictions(
    {name: y for name, (_, y) in test.items()},
    federated,
    local,
    metric=minus_error,
    score_name="score points",
    baseline_name="the school's own ridge",
    ax=right,
)
found = np.array(list(gains.gains_.values()))
print(f"mean gain {found.mean():.2f} points; {np.mean(found > 0):.0%} of schools gain")
plt.show()
