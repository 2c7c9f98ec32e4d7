"""Does federating help, and whom? Every client's scores side by side."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, check_scalar

from ..data import ClientData
from ..data._reader import read_clients
from ..data._tables import sort_names
from ..exceptions import AlignmentWarning, ClientError
from ..model_selection import ClientKFold
from ._fold import fit_fold
from ._recorded import bootstrap_scores, mean_scores, record, standard_error

BASELINES = ("local", "local_linear", "pooled", "pooled_linear")


def compare(
    estimator,
    clients,
    y=None,
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
    A client's out-of-fold predictions of one repeat are scored together, so that small
    clients get a score at all.

    Parameters
    ----------
    estimator : FederatedClassifier or FederatedRegressor
        Not fitted; cloned for each fold.
    clients : list or dict of pairs ``(X_k, y_k)``, ClientData or DataFrame
        The clients, in any form that the estimator takes in ``fit``.
    y : array of shape (n,), default=None
        The target, for ClientData and a DataFrame with the estimator's
        ``client_column``.
    cv : int or splitter, default=5
        Number of folds of a :class:`~skfed.model_selection.ClientKFold`, or any
        splitter over ``pool(clients)``.
    scoring : str or callable, default=None
        A scikit-learn scorer; None is accuracy or R2. A callable
        ``(model, X, y) -> float`` gets recorded predictions as ``model`` and row
        numbers as ``X``.
    baselines : sequence of str, default=("local", "local_linear", "pooled", \
"pooled_linear")
        What to compare with. "local": the same estimator on the client's own rows.
        "local_linear": a tuned linear model on them. "pooled": the same estimator on
        all rows as one table over the union of columns. "pooled_linear": a tuned
        linear model on that table. With ``target_scaling="client"`` the pooled
        models, too, see each client's target in its own units. A target of one class
        gets a constant.
    n_repeats : int, default=1
        Repetitions with other folds; scores are their means. Needs an int ``cv``.
    n_bootstrap : int, default=200
        Resamples of a client's held-out rows for the standard errors; 0 leaves them
        out.
    random_state : int or RandomState, default=0
        Seed of folds and resamples.
    n_jobs : int, default=None
        Number of joblib workers over the folds; None is this process alone.

    Returns
    -------
    table : DataFrame
        One row per client: ``n_rows``, a score for each baseline and ``federated``,
        and for each baseline the paired difference ``vs_<baseline>`` (positive:
        federated is better) with its standard error ``vs_<baseline>_se``. NaN where
        the score is not defined for the client, none of whose rows were held out,
        say, or that has one class only.

    Raises
    ------
    ClientError
        If a baseline's name is unknown, or the clients are not given as pairs.
    ValueError
        If ``n_repeats`` is given with a splitter.

    Warns
    -----
    AlignmentWarning
        Names the baselines that could not be fitted, with the reason: a constant
        prediction stands in for them.

    See Also
    --------
    ClientScorer : Per-client scores inside scikit-learn's searches.

    Notes
    -----
    The fits of the folds do not repeat their alignment warnings; fit the estimator
    once to see them.

    The standard error is a paired bootstrap over the client's held-out rows, each with
    all predictions made for it. It says how the difference varies with the rows that
    are tested, and not how it varies with those that are trained on.

    It is a simulation in one process, for which the clients' tables have to be there.
    Of the federated part, only what the estimator documents would leave a client.

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
    _check(baselines, cv, n_repeats, n_bootstrap)
    if not hasattr(estimator, "client_column"):
        raise TypeError(
            f"compare takes a FederatedClassifier or FederatedRegressor, not "
            f"{type(estimator).__name__}; search its parameters first and compare the "
            "best estimator, on other rows"
        )
    cohort = read_clients(clients, y, client_column=estimator.client_column)
    if cohort.targets is None:
        raise ClientError(
            "compare needs the clients' targets: give pairs (X_k, y_k), or y"
        )
    X, y = cohort.flat()
    if not isinstance(X, ClientData):
        raise ClientError("compare needs a list or dict of clients, not one table")
    task = "classification" if is_classifier(estimator) else "regression"
    if task == "classification" and y.ndim == 2:
        raise ClientError(
            f"compare takes one label a row, and y has {y.shape[1]} columns; compare "
            "them one by one"
        )
    scorer = check_scoring(
        estimator, scoring or ("accuracy" if task == "classification" else "r2")
    )
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    folds = [
        (repeat, train, test)
        for repeat in range(n_repeats)
        for train, test in _splitter(cv, seed + repeat).split(X, y)
    ]
    methods = [name for name in BASELINES if name in baselines] + ["federated"]
    found = Parallel(n_jobs=n_jobs)(
        delayed(fit_fold)(estimator, X, y, task, train, test, methods)
        for _, train, test in folds
    )
    _warn_of_constants(found)
    held_out = _held_out(X, y, task, folds, found, methods)
    table = {
        name: _record(scorer, held_out[name], methods, n_bootstrap, (seed, k))
        for k, name in enumerate(sort_names(X.names))
    }
    sizes = dict(zip(X.names, np.bincount(X.code, minlength=len(X.names)), strict=True))
    return pd.DataFrame(
        {"client": name, "n_rows": int(sizes[name]), **record}
        for name, record in table.items()
    ).set_index("client")


def _check(baselines, cv, n_repeats, n_bootstrap):
    unknown = [name for name in baselines if name not in BASELINES]
    if unknown:
        raise ClientError(f"unknown baselines {unknown}; known are {list(BASELINES)}")
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    check_scalar(n_bootstrap, "n_bootstrap", Integral, min_val=0)
    if n_repeats > 1 and not isinstance(cv, Integral):
        raise ValueError(
            f"n_repeats={n_repeats} needs a number of folds as cv; let the splitter "
            f"{cv!r} repeat itself"
        )


def _splitter(cv, seed):
    return ClientKFold(cv, random_state=seed) if isinstance(cv, Integral) else cv


def _warn_of_constants(found):
    """Name the baselines that could not be fitted, once each."""
    reasons: dict = {}
    for fold in found:
        for where, reason in fold.constants.items():
            reasons.setdefault(where, reason)
    for (method, client), reason in reasons.items():
        owner = "the clients together" if client is None else f"client {client!r}"
        warnings.warn(
            f"the {method!r} model of {owner} cannot be fitted in some folds, and the "
            f"constant prediction stands in: {reason}",
            AlignmentWarning,
            stacklevel=3,
        )


def _held_out(X, y, task, folds, found, methods):
    """Return ``{client: [(rows, truth, {method: recorded estimator})]}`` by repeat."""
    classes = None
    if task == "classification":
        known = [
            own
            for fold in found
            for models in fold.predictions.values()
            for _, _, own in models.values()
        ]
        classes = np.unique(np.concatenate([y, *known]))
    held_out: dict = {name: [] for name in X.names}
    for repeat in sorted({repeat for repeat, _, _ in folds}):
        for code, name in enumerate(X.names):
            rows, truth = [], []
            parts: dict = {method: [] for method in methods}
            for (of, _, test), fold in zip(folds, found, strict=True):
                if of != repeat or name not in fold.predictions["federated"]:
                    continue
                mine = test[X.code[test] == code]
                rows.append(X.row[mine])
                truth.append(y[mine])
                for method in methods:
                    parts[method].append(fold.predictions[method][name])
            if rows:
                models = {m: record(p, classes) for m, p in parts.items()}
                held_out[name].append(
                    (np.concatenate(rows), np.concatenate(truth), models)
                )
    return held_out


def _record(scorer, repeats, methods, n_bootstrap, seed):
    """Return a client's scores, paired differences and their standard errors."""
    scores = mean_scores(scorer, repeats, methods)
    resampled = None
    if n_bootstrap and repeats:
        rng = np.random.default_rng(seed)
        resampled = bootstrap_scores(scorer, repeats, methods, n_bootstrap, rng)
    found = dict(scores)
    for method in methods[:-1]:
        found[f"vs_{method}"] = scores["federated"] - scores[method]
        if n_bootstrap:
            found[f"vs_{method}_se"] = (
                np.nan
                if resampled is None
                else standard_error(resampled["federated"] - resampled[method])
            )
    return found
