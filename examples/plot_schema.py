"""
Before a fit: who has which column?
===================================

Seven studies of births recorded what each found worth asking: only two columns are in
all of them. What have they in common, and do equal names hold equal things?
"""

# %%
# The clients
# -----------
# A federation is a dict of pairs ``(X, y)``, one for each client, with the columns that
# the client has. All predict the weight of a child at birth.

import matplotlib.pyplot as plt

from skfed.datasets import load_birth_weight
from skfed.inspection import SchemaDisplay

studies = load_birth_weight(return_clients=True)
for name, (X, _) in studies.items():
    print(f"{name}: {len(X)} births, {X.shape[1]} columns")

# %%
# Equal names with other kinds of values are the rule where tables come from different
# systems. Here one such slip is made, to see that it is found: one study's flag becomes
# text.

X, y = studies["us_2014"]
studies["us_2014"] = X.assign(smoke=X["smoke"].map({1.0: "smoker", 0.0: "none"})), y

# %%
# The picture
# -----------
# Columns that most studies have stand at the top, those of the same studies side by
# side. Colour and letter are the kind of the values, and a bar in a cell is the share
# that is missing. A column that is text here and numbers there is marked by "!": a fit
# would refuse it, and name both studies. A column of one study alone can still help
# that study, in the models of its own that the default personalizer mixes in.

display = SchemaDisplay.from_clients(studies)
print("to convert at one of the studies:", display.clashes_)
owners = [sum(c in X.columns for X, _ in studies.values()) for c in display.columns_]
print(f"{owners.count(7)} of {len(owners)} columns are in all studies,", end=" ")
print(f"{owners.count(1)} in one")
plt.show()
