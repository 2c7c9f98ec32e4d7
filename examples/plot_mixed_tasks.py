"""
Some measure, some only say yes or no
=====================================

Six clinics follow patients with diabetes. Three wrote down by how much the disease
progressed in a year; the others only whether it was more than 140. They also recorded
different things. Can those with the number help those with the yes or no?
"""

# %%
# The clients
# -----------
# 40 patients each, with a random 60 % of the ten columns. The rest is for a test.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import FederatedMultiTask
from skfed.inspection import ClientGainDisplay

rng = np.random.default_rng(0)
X, y = load_diabetes(return_X_y=True, as_frame=True)
order = rng.permutation(len(X))
new = order[240:]
clients, test, truth, tasks = {}, {}, {}, {}
for k in range(6):
    rows = order[40 * k : 40 * (k + 1)]
    columns = np.sort(rng.choice(X.columns, 6, replace=False))
    measures = k < 3
    name = f"{'number' if measures else 'yes or no'} {k % 3 + 1}"
    target = y if measures else (y > 140).map({True: "yes", False: "no"})
    clients[name] = X.loc[rows, columns], target[rows].to_numpy()
    test[name], truth[name] = X.loc[new, columns], target[new].to_numpy()
    tasks[name] = "regression" if measures else "binary"

# %%
# Alone and together
# ------------------
# Alone, each clinic tunes a linear model on its own patients.

local = {}
for name, pair in clients.items():
    if tasks[name] == "regression":
        linear = RidgeCV(np.logspace(-2, 4, 13))
    else:
        linear = LogisticRegressionCV(
            Cs=8, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
        )
    alone = make_pipeline(StandardScaler(), linear).fit(*pair)
    local[name] = alone.predict(test[name])

model = FederatedMultiTask(tasks=tasks, n_rounds=40, random_state=0).fit(clients)
federated = model.predict(test)
print(model.client_scores(test, truth).round(3).to_string())

# %%
# The picture
# -----------
# Both scores of each clinic, R2 or accuracy by its task, and the interval of the gain
# over the tests' patients. It is one draw of clinics.

display = ClientGainDisplay.from_predictions(
    truth,
    federated,
    local,
    baseline_name="the clinic's own linear model",
    kind="scores",
    order="name",
)
for name, verdict in display.verdicts_.items():
    print(f"{name}: gain {display.gains_[name]:+.3f}, {verdict}")
plt.show()
