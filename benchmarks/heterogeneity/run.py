"""Run draws, several at a time, and keep each in a file as soon as it is there."""

import re
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning

from skfed import FederatedRegressor
from skfed.exceptions import AlignmentWarning, NegativeControlWarning

from .methods import METHODS
from .scores import probability_scores, row_values


def run_all(jobs, folder, n_jobs, resume, minutes=None):
    """Run ``(cell, seed, methods)`` and return one row per cell, seed, client, method.

    With ``resume``, methods that a file of the folder has for a draw are not run again.
    No draw is begun after ``minutes``, but what files have is still read.
    """
    start, done = time.time(), 0
    frames, failures = [], []
    workers = Parallel(
        n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs"
    )
    limit = np.inf if minutes is None else 60 * minutes

    def begun():
        for cell, seed, methods in jobs:
            file = file_of(Path(folder), cell, seed)
            late = time.time() - start >= limit
            if not late:
                yield delayed(run)(cell, seed, methods, file, resume)
            elif resume and file.exists():
                yield delayed(kept)(methods, file)

    for frame, said in workers(begun()):
        done += 1
        frames.append(frame)
        failures += said
        spent = (time.time() - start) / 60
        for failure in said:
            print(f"refused: {failure}", flush=True)
        if done % 10 == 0 or done == len(jobs):
            print(f"{done} of {len(jobs)} draws, {spent:.1f} minutes", flush=True)
    if done < len(jobs):
        print(f"{len(jobs) - done} draws were not begun: the time was over")
    if not frames:
        raise SystemExit("no draw was run")
    return pd.concat(frames, ignore_index=True), failures


def file_of(folder, cell, seed):
    """Return where a draw is kept."""
    return folder / f"{re.sub(r'[^a-z0-9.]+', '-', cell.name)}.{seed}.pkl"


def kept(methods, file):
    """Return what the file of a draw has of the methods."""
    known = pd.read_pickle(file)
    return known[known["method"].isin(methods)], []


def run(cell, seed, methods, file, resume):
    """Return the scores of one draw, and what could not be fitted."""
    known = pd.DataFrame({"method": []})
    if resume and file.exists():
        known = pd.read_pickle(file)
    missing = [m for m in methods if m not in set(known["method"])]
    if not missing:
        return known[known["method"].isin(methods)], []
    rows, failures = _score(cell, seed, missing)
    if not rows:  # all that was missing is refused
        return known[known["method"].isin(methods)], failures
    frame = pd.DataFrame(rows)
    frame.insert(0, "seed", seed)
    for name in ("overlap", "n", "dial", "data", "group"):
        frame.insert(0, name, getattr(cell, name))
    frame.insert(0, "cell", cell.name)
    if len(known):
        frame = pd.concat([known, frame], ignore_index=True)
    part = file.with_suffix(".part")
    frame.to_pickle(part)
    part.replace(file)
    return frame[frame["method"].isin(methods)], failures


def _score(cell, seed, methods):
    """Return one row per method and client, with the value of each tested row."""
    _warm_up()
    draw = cell.make(seed)
    rows, failures = [], []
    for method in methods:
        start = time.process_time()
        try:
            found = _predictions(METHODS[method], draw, seed)
        except Exception as error:  # one method must not end an hour's run
            if method == "local":
                raise
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            failures.append(f"{cell.name}, draw {seed}: {method}: {reason}")
            continue
        seconds = time.process_time() - start
        for client, parts in found.items():
            y, tested, said = _together(parts, draw.task)
            spread = draw.spread and draw.spread[client]
            values = row_values(draw.metric, y, said, spread)
            losses = (np.nan, np.nan)
            if draw.task == "classification":
                losses = probability_scores(y, said)
            rows.append(
                {
                    "client": client,
                    "method": method,
                    "metric": draw.metric,
                    "score": float(values.mean()),
                    "log_loss": losses[0],
                    "brier": losses[1],
                    "n_test": len(y),
                    "seconds": seconds,
                    "rows": tested,
                    "values": values,
                }
            )
    return rows, failures


@cache
def _warm_up():
    """Load torch and let it make its first steps before any clock runs."""
    X, y = np.eye(10), np.arange(10.0)
    FederatedRegressor(personalizer=None, n_rounds=2, random_state=0).fit([(X, y)])


def _predictions(method, draw, seed):
    """Return ``{client: [(y, rows, said)]}`` over the splits."""
    found: dict = {}
    with warnings.catch_warnings():
        for category in (AlignmentWarning, NegativeControlWarning, ConvergenceWarning):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for split in draw.splits:
            said = method(split, draw, seed)
            for client, (_, y, rows) in split.test.items():
                found.setdefault(client, []).append((y, rows, said[client]))
    return found


def _together(parts, task):
    """Put a client's predictions of several splits together, over all classes."""
    y = np.concatenate([part[0] for part in parts])
    rows = np.concatenate([part[1] for part in parts])
    if task == "regression":
        return y, rows, np.concatenate([part[2] for part in parts])
    classes = np.unique(np.concatenate([part[2][1] for part in parts]))
    proba = np.zeros((len(y), len(classes)))
    start = 0
    for _, tested, (p, known) in parts:
        places = np.searchsorted(classes, known)
        proba[start : start + len(tested), places] = p
        start += len(tested)
    return y, rows, (proba, classes)
