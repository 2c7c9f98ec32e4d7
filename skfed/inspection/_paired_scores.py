"""Scores of two predictions of the same rows, and the error of their difference."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

from ..exceptions import ClientError


class Scores(NamedTuple):
    """Scores by client; ``errors`` is None without resamples."""

    federated: dict
    baseline: dict
    errors: dict | None
    n_rows: dict
    name: str


def paired_scores(y_true, y_federated, y_baseline, metric, n_bootstrap, random_state):
    """Score both predictions of every client.

    Parameters
    ----------
    y_true, y_federated, y_baseline : dict or list of arrays of shape (n_k,)
        Truth and predictions by client.
    metric : callable or None
        ``(y_true, y_pred) -> float``; None is R2 or accuracy, by the client's target.
    n_bootstrap : int
        Resamples; 0 for none.
    random_state : int, RandomState or None
        Seed of the resamples.

    Returns
    -------
    scores : Scores
        The scores, their errors and what they are.
    """
    told = [
        dict(enumerate(each)) if isinstance(each, list | tuple) else dict(each)
        for each in (y_true, y_federated, y_baseline)
    ]
    if any(set(each) != set(told[0]) for each in told):
        raise ClientError(
            "truth and predictions are not of the same clients: "
            f"{[list(each) for each in told]}"
        )
    rng = check_random_state(random_state)
    federated, baseline, errors, used = {}, {}, {}, []
    for name in told[0]:
        truth, first, second = (np.asarray(each[name]) for each in told)
        if not len(truth) == len(first) == len(second):
            raise ClientError(
                f"client {name!r} has {len(truth)} rows, and {len(first)} and "
                f"{len(second)} predictions; give one for each row"
            )
        if truth.ndim > 1 and metric is None:
            raise ClientError(
                f"client {name!r} has {truth.shape[1]} targets a row; give a metric "
                "that scores them, or one target at a time"
            )
        score = _fitting(truth, first, second) if metric is None else metric
        used.append(score)
        federated[name] = _scored(score, truth, first)
        baseline[name] = _scored(score, truth, second)
        if n_bootstrap:
            rows = rng.randint(len(truth), size=(n_bootstrap, len(truth)))
            errors[name] = _spread(score, truth, first, second, rows)
    n_rows = {name: len(truth) for name, truth in told[0].items()}
    return Scores(federated, baseline, errors or None, n_rows, _name(used))


def accuracy(truth, predicted):
    """Return the share of right labels over the last axis."""
    return np.mean(truth == predicted, axis=-1)


def r2(truth, predicted):
    """Return R2 over the last axis, NaN where the truth is constant."""
    off = np.sum((truth - predicted) ** 2, axis=-1)
    spread = np.sum((truth - truth.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, 1 - off / spread, np.nan)


def _fitting(*values):
    """Return R2 where truth or predictions have fractions, else accuracy."""
    numbers = any(len(v) and type_of_target(v) == "continuous" for v in values)
    return r2 if numbers else accuracy


def _name(used):
    names = {accuracy: "accuracy", r2: "R2"}
    found = [names.get(score, "score") for score in dict.fromkeys(used)]
    return " or ".join(sorted(found))


def _scored(score, truth, predicted):
    return float(score(truth, predicted)) if len(truth) else np.nan


def _spread(score, truth, first, second, rows):
    """Return the standard deviation of the difference over resampled rows."""
    if not rows.size:
        return np.nan
    if score in (accuracy, r2):
        gains = score(truth[rows], first[rows]) - score(truth[rows], second[rows])
    else:
        gains = np.array(
            [score(truth[r], first[r]) - score(truth[r], second[r]) for r in rows]
        )
    known = gains[~np.isnan(gains)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan
