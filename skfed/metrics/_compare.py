"""Does federating help, and whom? Every client's scores side by side."""

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state

from ..data import ClientData
from ..data._reader import read_clients
from ..data._tables import sort_names, take
from ..exceptions import ClientError
from ..model_selection import ClientKFold
from ._baselines import alone, named_frames, tuned_linear, union_frame
from ._client_scorer import score_or_nan

BASELINES = ("local", "local_linear", "pooled", "pooled_linear")


def compare(
    estimator,
    clients,
    *,
    cv=5,
    scoring=None,
    baselines=BASELINES,
    n_repeats=1,
    n_bootstrap=200,
    random_state=0,
    n_jobs=None,
):
    """Score a federated estimator against local and pooled models, per client.

    All models see the same training rows and are scored on the same held-out rows.
    Out-of-fold predictions of one repeat are scored together, so that small clients
    get a score at all.

    Parameters
    ----------
    estimator : FederatedClassifier or FederatedRegressor
        Not fitted; cloned for each fold.
    clients : list or dict of pairs ``(X_k, y_k)``
        The clients' tables and targets.
    cv : int or splitter, default=5
        Number of folds of a :class:`~skfed.model_selection.ClientKFold`, or any
        splitter over ``pool(clients)``.
    scoring : str or callable, default=None
        A scikit-learn scorer; None is accuracy or R2.
    baselines : sequence of str, default=("local", "local_linear", "pooled", \
"pooled_linear")
        What to compare with. "local": the same estimator on the client's own rows.
        "local_linear": a tuned linear model on them. "pooled": the same estimator on
        all rows as one table over the union of columns. "pooled_linear": a tuned
        linear model on that table.
    n_repeats : int, default=1
        Repetitions with other folds; scores are their means. For an int ``cv``.
    n_bootstrap : int, default=200
        Resamples of a client's held-out rows for the standard errors; 0 leaves them
        out.
    random_state : int or RandomState, default=0
        Seed of folds and resamples.
    n_jobs : int, default=None
        joblib workers over folds.

    Returns
    -------
    table : DataFrame
        One row per client: ``n_rows``, a score for each baseline and ``federated``,
        and for each baseline the paired difference ``vs_<baseline>`` (positive:
        federated is better) with its standard error ``vs_<baseline>_se``.

    Raises
    ------
    ClientError
        If a baseline's name is unknown.

    See Also
    --------
    ClientScorer : Per-client scores inside scikit-learn's searches.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier, compare
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {
    ...     "a": (X.iloc[::2, :3], y[::2]),
    ...     "b": (X.iloc[1::2, 2:], y[1::2]),
    ... }
    >>> model = FederatedClassifier(n_rounds=10, random_state=0)
    >>> table = compare(model, clients, cv=2, baselines=["local_linear"])
    >>> table.columns.tolist()
    ['n_rows', 'local_linear', 'federated', 'vs_local_linear', 'vs_local_linear_se']
    """
    unknown = [name for name in baselines if name not in BASELINES]
    if unknown:
        raise ClientError(f"unknown baselines {unknown}; known are {list(BASELINES)}")
    cohort = read_clients(clients)
    if cohort.targets is None:
        raise ClientError("compare needs the clients' targets: give pairs (X_k, y_k)")
    X, y = cohort.flat()
    if not isinstance(X, ClientData):
        raise ClientError("compare needs a list or dict of clients, not one table")
    task = "classification" if is_classifier(estimator) else "regression"
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    folds = [
        (repeat, train, test)
        for repeat in range(n_repeats if isinstance(cv, int) else 1)
        for train, test in _splitter(cv, seed + repeat).split(X, y)
    ]
    found = Parallel(n_jobs=n_jobs)(
        delayed(_fold)(estimator, X, y, task, train, test, tuple(baselines))
        for _, train, test in folds
    )
    return _table(estimator, X, y, task, folds, found, baselines, scoring,
                  n_bootstrap, seed)  # fmt: skip


def _splitter(cv, seed):
    return ClientKFold(cv, random_state=seed) if isinstance(cv, int) else cv


def _fold(estimator, X, y, task, train, test, baselines):
    """Return ``{method: {client: predictions}}`` for the test rows of one fold."""
    frames = named_frames(X.tables, getattr(estimator, "columns", "auto"))
    rows = {
        part: {name: where for name, where, _ in X[index].items()}
        for part, index in (("train", train), ("test", test))
    }
    index = {"train": train, "test": test}

    def tables(part):
        return {
            name: take(frames[name], X.row[index[part][where]])
            for name, where in rows[part].items()
        }

    fit, new = tables("train"), tables("test")
    targets = {name: y[train[where]] for name, where in rows["train"].items()}
    new = {name: table for name, table in new.items() if name in fit}
    found = {}
    federated = clone(estimator).fit({n: (fit[n], targets[n]) for n in fit})
    found["federated"] = _predictions(federated.pipelines_, new)
    for name, learn in (("local", alone), ("local_linear", _linear)):
        if name in baselines:
            models = {n: learn(estimator, fit[n], targets[n], task) for n in new}
            found[name] = _predictions(models, new)
    if "pooled" in baselines or "pooled_linear" in baselines:
        columns = sorted({c for frame in frames.values() for c in frame.columns})
        union = union_frame(list(fit.values()), columns)
        target = np.concatenate(list(targets.values()))
        wide = {n: union_frame([table], columns) for n, table in new.items()}
        for name, learn in (("pooled", alone), ("pooled_linear", _linear)):
            if name in baselines:
                model = learn(estimator, union, target, task)
                found[name] = _predictions(dict.fromkeys(wide, model), wide)
    return found


def _linear(estimator, X, y, task):
    return tuned_linear(X, y, task)


def _predictions(models, tables):
    """Return labels or numbers, and probabilities where the model has them."""
    found = {}
    for name, table in tables.items():
        model = models[name]
        proba = model.predict_proba(table) if hasattr(model, "predict_proba") else None
        classes = getattr(model, "classes_", None)
        found[name] = (model.predict(table), proba, classes)
    return found


def _table(estimator, X, y, task, folds, found, baselines, scoring, n_bootstrap, seed):
    methods = [m for m in BASELINES if m in baselines] + ["federated"]
    all_classes = np.unique(y) if task == "classification" else None
    scoring = scoring or ("accuracy" if task == "classification" else "r2")
    scorer = check_scoring(estimator, scoring)
    records = []
    for name in sort_names(X.names):
        code = X.names.index(name)
        repeats = []
        for repeat in sorted({r for r, _, _ in folds}):
            parts = {m: [] for m in methods}
            truth = []
            for (r, _, test), predictions in zip(folds, found, strict=True):
                if r != repeat or name not in predictions["federated"]:
                    continue
                truth.append(y[test[X.code[test] == code]])
                for m in methods:
                    parts[m].append(predictions[m][name])
            if truth:
                repeats.append((np.concatenate(truth), parts))
        record = {"client": name, "n_rows": int((X.code == code).sum())}
        record |= _scores(scorer, repeats, methods, all_classes, n_bootstrap, seed)
        records.append(record)
    return pd.DataFrame(records).set_index("client")


def _scores(scorer, repeats, methods, classes, n_bootstrap, seed):
    """Return a client's scores, paired differences and their standard errors."""
    scores = {m: [] for m in methods}
    resampled = {m: [] for m in methods}
    rng = np.random.default_rng(seed)
    for truth, parts in repeats:
        recorded = {m: Recorded.join(parts[m], classes) for m in methods}
        draws = rng.integers(len(truth), size=(n_bootstrap, len(truth)))
        for m in methods:
            rows = np.arange(len(truth))
            scores[m].append(score_or_nan(scorer, recorded[m], rows, truth))
            resampled[m].append(
                [score_or_nan(scorer, recorded[m], d, truth[d]) for d in draws]
            )
    mean = {m: float(np.mean(scores[m])) if scores[m] else np.nan for m in methods}
    record = dict(mean)
    for m in methods[:-1]:
        record[f"vs_{m}"] = mean["federated"] - mean[m]
        if n_bootstrap and repeats:
            gains = np.mean(resampled["federated"], 0) - np.mean(resampled[m], 0)
            record[f"vs_{m}_se"] = float(np.nanstd(gains))
    return record


class Recorded:
    """Stored predictions with the interface of a fitted estimator.

    Its ``X`` are row numbers, so that any scikit-learn scorer can resample them.
    """

    def __init__(self, predicted, proba, classes):
        self.predicted, self.proba, self.classes_ = predicted, proba, classes
        self.task = "regressor" if classes is None else "classifier"

    @classmethod
    def join(cls, parts, classes):
        """Concatenate the folds, probabilities on the union of classes."""
        predicted = np.concatenate([p for p, _, _ in parts])
        if classes is None:
            return cls(predicted, None, None)
        blocks = []
        for _, proba, own in parts:
            block = np.zeros((len(proba), len(classes)))
            block[:, np.searchsorted(classes, own)] = proba
            blocks.append(block)
        return cls(predicted, np.concatenate(blocks), classes)

    def fit(self, X, y=None):
        """Do nothing: the predictions are there."""
        return self

    def predict(self, rows):
        """Return the stored predictions of these rows."""
        return self.predicted[rows]

    def predict_proba(self, rows):
        """Return the stored probabilities of these rows."""
        return self.proba[rows]

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        classifier = self.task == "classifier"
        return Tags(
            estimator_type=self.task,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if classifier else None,
            regressor_tags=None if classifier else RegressorTags(),
        )
