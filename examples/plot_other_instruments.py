"""
The same columns, other instruments: what alignment does to rows
================================================================

Five hospitals measure the same ten quantities of tumour cells, each by a microscope of
its own: scales and zeros differ. A net that is trained on all of them sees five clouds
instead of two kinds of tumour. Which step brings the rows together?
"""

# %%
# The clients
# -----------
# Real tumours, dealt to five hospitals; ``covariate_shift`` gives each column at each
# hospital a scale and a zero of its own, and ``label_shift`` other shares of the two
# kinds. No two hospitals have a tumour in common. A few tumours per hospital are for
# training; the others' use is measured on new ones.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed import FederatedClassifier, TableEncoder
from skfed.alignment import OptimalTransportAligner, UnionAligner
from skfed.datasets import make_heterogeneous_clients
from skfed.inspection import AlignmentDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X.iloc[:, :10]  # the means; the other columns are spreads and extremes of the same
kinds = y.map({0: "malignant", 1: "benign"})
data = make_heterogeneous_clients(
    5, 40, X=X, y=kinds, covariate_shift=1.0, label_shift=0.2, n_test=100,
    random_state=0,
)  # fmt: skip

# %%
# The federations
# ---------------
# Both scale columns over all hospitals together. The first then only matches names; the
# second moves each hospital's rows to a mean and covariance that all share, taken as if
# the kinds were equally frequent everywhere.

encoder = TableEncoder(scaling="pooled")
aligners = {
    "by name": UnionAligner(),
    "one map a client": make_pipeline(
        UnionAligner(), OptimalTransportAligner(method="coral")
    ),
}
scores = {"alone": {}}
for name, pair in data.clients.items():
    alone = make_pipeline(
        StandardScaler(),
        LogisticRegressionCV(
            Cs=8, scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
        ),
    )
    scores["alone"][name] = alone.fit(*pair).score(*data.test[name])
for how, aligner in aligners.items():
    model = FederatedClassifier(
        encoder=encoder, aligner=aligner, personalizer=None, n_rounds=40, random_state=0
    ).fit(data.clients)
    scores[how] = {k: model.score({k: X}, {k: y}) for k, (X, y) in data.test.items()}
table = pd.DataFrame(scores)
print(table.round(2).to_string())
print(table.mean().round(3).to_string())

# %%
# The picture
# -----------
# Left the encoded rows, right the aligned ones, in two principal components each. On
# the left the hospitals lie apart (above) and the kinds of tumour mix (below); on the
# right it is the other way round.

AlignmentDisplay.from_estimator(model, data.clients)
plt.show()
