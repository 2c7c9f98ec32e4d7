"""Clients' rows before and after alignment, in the plane."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..data._tables import n_rows, sort_names, take
from ..exceptions import ClientError


class Rows(NamedTuple):
    """Rows of all clients: coordinates, client, target and the target's name."""

    before: np.ndarray
    after: np.ndarray
    clients: np.ndarray
    target: np.ndarray
    is_class: np.ndarray


def rows_of(estimator, X, y, clients, projection, max_rows, random_state):
    """Send clients' rows through their Pipelines, and project them.

    Parameters
    ----------
    estimator : federated estimator
        Fitted, with its Pipelines.
    X, y, clients : as in ``fit``
        The clients' rows; targets may be left out.
    projection : transformer or None
        Maps the pooled rows to the plane; None is PCA.
    max_rows : int
        Rows to draw at most, of each client its share.
    random_state : int, RandomState or None
        Chooses them.

    Returns
    -------
    rows : Rows
        Coordinates of shape (n, 2), and what the rows are. ``target`` is None for a
        row without one, or with several.
    """
    check_is_fitted(estimator)
    pipelines = getattr(estimator, "pipelines_", None)
    if pipelines is None:
        raise ClientError(
            "the fitted Pipelines stayed at their sites, and so did the rows: "
            "AlignmentDisplay.from_estimator needs both in one place. Draw a "
            "simulated fit, or AlignmentDisplay(before, after, clients) with "
            "coordinates that the sites may show"
        )
    cohort = estimator._read_predict(X, y, clients)
    rng = check_random_state(random_state)
    total = sum(n_rows(table) for table in cohort.tables.values())
    share = min(1.0, max_rows / max(total, 1))
    encoded: dict = {}
    aligned, owner, is_class = [], [], []
    target: list = []
    for name in sort_names(cohort.tables):
        table = cohort.tables[name]
        n = n_rows(table)
        kept = np.sort(rng.permutation(n)[: max(1, round(share * n))])
        if not n:
            continue
        if name not in pipelines:
            raise ClientError(
                f"client {name!r} has no fitted Pipeline; let it join first"
            )
        encoded[name], after = _through(pipelines[name], take(table, kept))
        aligned.append(after)
        owner += [name] * len(kept)
        given = None if cohort.targets is None else np.asarray(cohort.targets[name])
        if given is None or given.ndim > 1:
            target += [None] * len(kept)
        else:
            target += given[kept].tolist()
        is_class += [_predicts_classes(estimator, name)] * len(kept)
    before = _by_name(encoded)
    return Rows(
        _projected(before, projection),
        _projected(np.concatenate(aligned), projection),
        _objects(owner),
        _objects(target),
        np.array(is_class),
    )


def _through(pipeline, table):
    """Return a client's rows before its aligner, as DataFrame, and after it."""
    steps = list(pipeline.named_steps)
    if "align" not in steps:
        raise ClientError("the Pipelines have no step 'align': nothing was aligned")
    at = steps.index("align")
    first = pipeline[:at]
    before = _dense(first.transform(table)) if at else table
    if not isinstance(before, pd.DataFrame):
        names = first.get_feature_names_out()
        before = pd.DataFrame(before, columns=[str(name) for name in names])
    after = _dense(pipeline.named_steps["align"].transform(before))
    return before, np.asarray(after, dtype=float)


def _dense(values):
    return values.toarray() if hasattr(values, "toarray") else values


def _by_name(encoded):
    """Put rows under the names of all columns, in standard units; gaps are 0."""
    frames = [frame.select_dtypes("number") for frame in encoded.values()]
    table = pd.concat(frames, ignore_index=True).astype(float)
    scale = table.std(ddof=0).replace(0.0, 1.0)
    return ((table - table.mean()) / scale).fillna(0.0).to_numpy()


def _projected(rows, projection):
    """Return coordinates of shape (n, 2)."""
    if rows.shape[1] == 1 and projection is None:
        return np.column_stack([rows, np.zeros(len(rows))])
    step = PCA(2, svd_solver="full") if projection is None else clone(projection)
    found = np.asarray(step.fit_transform(rows), dtype=float)
    if found.ndim != 2 or found.shape[1] < 2:
        raise ValueError(
            f"the projection {step!r} gave rows of shape {found.shape}; it has to give "
            "two columns"
        )
    return found[:, :2]


def _predicts_classes(estimator, name):
    tasks = getattr(estimator, "tasks_", None)
    if tasks is None:
        return is_classifier(estimator)
    return "regression" not in tasks[name]


def _objects(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
