"""What a federation has to beat: models of one client, and of all rows in one place.

Every function takes a split, the draw and a seed, and returns predictions: ``{client:
predicted}`` in a regression, else ``{client: (proba, classes)}``.
"""

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skfed.metrics._baselines import constant, tuned_linear
from skfed.preprocessing import TableEncoder, TableReader

OWN = 0.5  # scale of a client's own block beside the shared one


def answers(model, table):
    """Return what a fitted scikit-learn model says of a table."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(table), model.classes_
    return model.predict(table)


def local(split, draw, seed):
    """Tune a linear model on the client's own rows."""
    return {
        client: answers(tuned_linear(None, *split.train[client], draw.task), X)
        for client, (X, _, _) in split.test.items()
    }


def local_boosting(split, draw, seed):
    """Boost trees on the client's own rows."""
    return {
        client: answers(boosted(*split.train[client], draw.task, seed), _categories(X))
        for client, (X, _, _) in split.test.items()
    }


def boosted(X, y, task, seed):
    """Fit 100 trees of 15 leaves of at least 20 rows: below 40 rows, a constant."""
    if task == "classification" and len(np.unique(y)) == 1:
        return constant(X, y, task)
    kind = (
        HistGradientBoostingRegressor
        if task == "regression"
        else HistGradientBoostingClassifier
    )
    model = kind(max_iter=100, max_leaf_nodes=15, random_state=seed)
    return model.fit(_categories(X), y)


def pooled(split, draw, seed):
    """Tune a linear model on the union of all rows and columns, in their units.

    A missing value, which is what an absent column consists of, has a flag, and so
    has each client.
    """
    clients = list(split.train)

    def with_flags(frame, client):
        flags = pd.DataFrame(0.0, frame.index, [f"client={c}" for c in clients])
        flags[f"client={client}"] = 1.0
        return pd.concat([frame, flags], axis=1)

    def learn(X, y):
        return tuned_linear(None, X, y, draw.task)

    return _pooled(split, draw, with_flags, learn)


def pooled_boosting(split, draw, seed):
    """Boost trees on the union of all rows and columns; the client is a category."""

    def learn(X, y):
        return boosted(X, y, draw.task, seed)

    return _pooled(
        split, draw, lambda frame, client: frame.assign(client=str(client)), learn
    )


def multitask(split, draw, seed):
    """Tune a linear model with a shared block, an own block and a flag per client.

    Columns are standardised within the client and gaps are flagged; a regression
    target is standardised there as well.
    """
    encoders, rows = {}, {}
    for client, (X, _) in split.train.items():
        encoder = make_pipeline(
            TableReader(), TableEncoder(scaling="client", indicator=True)
        )
        rows[client] = encoder.fit_transform(X)
        encoders[client] = encoder
    names = {c: list(e.get_feature_names_out()) for c, e in encoders.items()}
    shared = sorted({name for own in names.values() for name in own})
    place, width = {}, len(shared)
    for client, own in names.items():
        positions = [shared.index(name) for name in own]
        place[client] = positions, width, width + len(own)
        width += len(own) + 1

    def design(client, F):
        positions, start, flag = place[client]
        D = np.zeros((len(F), width))
        D[:, positions] = F
        D[:, start:flag] = OWN * np.asarray(F)
        D[:, flag] = 1.0
        return D

    targets = {client: y for client, (_, y) in split.train.items()}
    units = {client: (0.0, 1.0) for client in targets}
    if draw.task == "regression":
        units = {client: (y.mean(), y.std() or 1.0) for client, y in targets.items()}
        targets = {c: (y - units[c][0]) / units[c][1] for c, y in targets.items()}
    D = np.vstack([design(client, F) for client, F in rows.items()])
    model = _tuned(D, np.concatenate(list(targets.values())), draw.task)
    found = {}
    for client, (X, _, _) in split.test.items():
        mean, scale = units[client]
        said = answers(model, design(client, encoders[client].transform(X)))
        found[client] = mean + scale * said if draw.task == "regression" else said
    return found


def _tuned(D, y, task):
    """Fit with the penalty that the training rows choose."""
    if task == "regression":
        return RidgeCV(alphas=np.logspace(-2, 5, 15)).fit(D, y)
    least = np.unique(y, return_counts=True)[1].min()
    model = LogisticRegression(max_iter=2000)
    if least < 2:
        return model.fit(D, y)
    grid = {"C": [0.01, 0.1, 1.0, 10.0]}
    cv = StratifiedKFold(min(5, least), shuffle=True, random_state=0)
    return GridSearchCV(model, grid, cv=cv, scoring="neg_log_loss").fit(D, y)


def _pooled(split, draw, mark, learn):
    """Learn from all rows over the union of columns, targets centred if need be."""
    columns = sorted({name for X, _ in split.train.values() for name in X.columns})
    centre = {
        client: y.mean() if draw.levels else 0.0
        for client, (_, y) in split.train.items()
    }
    frames = [mark(X.reindex(columns=columns), c) for c, (X, _) in split.train.items()]
    targets = [y - centre[c] if draw.levels else y for c, (_, y) in split.train.items()]
    kinds = {name: _kind(split, name) for name in columns}
    union = pd.concat([f.astype(kinds) for f in frames], ignore_index=True)
    model = learn(union, np.concatenate(targets))
    texts = [c for c in union.columns if not pd.api.types.is_numeric_dtype(union[c])]
    boosts = not hasattr(model, "steps")
    found = {}
    for client, (X, _, _) in split.test.items():
        frame = mark(X.reindex(columns=columns), client).astype(kinds)
        if boosts and texts:
            frame = frame.astype({name: "category" for name in texts})
        said = answers(model, frame)
        found[client] = said + centre[client] if draw.task == "regression" else said
    return found


def _kind(split, name):
    """Return the type of a column: numbers, or anything."""
    for X, _ in split.train.values():
        if name in X and not pd.api.types.is_numeric_dtype(X[name]):
            return object
    return np.float64


def _categories(X):
    """Return the table with text as categories, which boosting reads."""
    texts = [c for c in X.columns if not pd.api.types.is_numeric_dtype(X[c])]
    return X.astype({name: "category" for name in texts}) if texts else X
