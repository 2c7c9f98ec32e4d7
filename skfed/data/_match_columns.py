"""Propose columns of several clients that may mean the same, by their names."""

from itertools import combinations
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar

from ..exceptions import ClientError
from ._client_data import ClientData
from ._name_similarity import similarities
from ._pool import is_pair
from ._tables import as_table, column_names, is_table, plain_name, sort_names

_COLUMNS = ["client_a", "column_a", "client_b", "column_b", "similarity", "evidence"]


def match_columns(clients, *, threshold=0.5, ngram_range=(2, 4)):
    r"""Propose pairs of columns whose names are nearly equal.

    "sqft" at one client and "square_feet" at another may be the same quantity, but
    columns match by equal names only. This lists such pairs, from names alone; it
    reads no value and renames nothing. Look the list over, leave out the rows that you
    do not believe, and hand the rest to :func:`rename_columns`.

    Parameters
    ----------
    clients : dict, list or ClientData
        Per client a table with column names, or a pair ``(X_k, y_k)``, or just the list
        of its column names, so that no rows are needed where the clients are apart. A
        list names its clients 0, 1, ....
    threshold : float, default=0.5
        Least similarity of a pair, from 0 to 1.
    ngram_range : (int, int), default=(2, 4)
        Least and greatest length of the character n-grams.

    Returns
    -------
    DataFrame
        One row per pair, the most similar first: ``client_a``, ``column_a``,
        ``client_b``, ``column_b``, ``similarity``; ``evidence``, either "n-grams" or
        "abbreviation", whichever is the greater; and ``conflict``, which is "" or says
        why the pair must not be taken together with the others.

    Raises
    ------
    ClientError
        If a table has no column names, or there are no clients.

    See Also
    --------
    rename_columns : Renames the columns of the pairs that are confirmed.

    Notes
    -----
    Names are cut into lower-case words and numbers, at separators and where a capital
    follows. Let :math:`g_u` be the TF-IDF vector, of length 1, of the n-grams of name
    u, within words, over the names of all clients. The similarity of two names is

    .. math:: s(u, v) = \max\bigl( g_u^\top g_v,\ a(u, v) \bigr).

    :math:`a` is for abbreviations. Words of both names are aligned in their order, each
    with one word or several of the other name. The shorter side abbreviates the longer
    if it splits into one part per word that begins with the word's first letter and has
    the rest of its letters in the word's order, as "sq" + "ft" for "square feet".
    Words weigh by the letters that carry them: 2 for the first, 1 for each consonant
    behind it, doubled letters once. :math:`a` is the weight kept of the weight of the
    longer spellings, and 0 if a word is left over. "sqft" keeps s, q, f and t of s, q,
    r, f and t: 6 / 7.

    Names whose numbers differ, such as "income_2019" and "income_2020", have similarity
    0. Within each pair of clients, columns are matched one to one, so that the sum of
    similarities is greatest; columns of a name that both have match already and take no
    part.

    As equal names mean equal columns, pairs join names to groups over all clients. A
    group with two columns of one client would merge them; all its pairs are in
    conflict, until enough of them are left out.

    Similar names need not mean the same, nor the same unit: "height" is like "weight",
    and "height_cm" like "height_in".

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.data import match_columns
    >>> clients = {
    ...     "boston": pd.DataFrame({"sqft": [900], "rooms": [3]}),
    ...     "ames": pd.DataFrame({"square_feet": [1100], "rooms": [4]}),
    ... }
    >>> matches = match_columns(clients)
    >>> matches[["column_a", "column_b", "similarity", "evidence"]].round(2)
          column_a column_b  similarity      evidence
    0  square_feet     sqft        0.86  abbreviation
    """
    _check_parameters(threshold, ngram_range)
    columns = {name: names_of(name, t) for name, t in tables_of(clients).items()}
    names = sorted(set().union(*columns.values()))
    letters, short = similarities(names, tuple(ngram_range))
    similarity = np.maximum(letters, short)
    place = {name: j for j, name in enumerate(names)}
    rows = []
    for a, b in combinations(sort_names(columns), 2):
        own = sorted(columns[a] - columns[b]), sorted(columns[b] - columns[a])
        i, j = ([place[name] for name in side] for side in own)
        for u, v in _one_to_one(similarity[np.ix_(i, j)], threshold):
            x, y = i[u], j[v]
            evidence = "abbreviation" if short[x, y] >= letters[x, y] else "n-grams"
            rows.append((a, names[x], b, names[y], float(similarity[x, y]), evidence))
    rows.sort(key=lambda row: -row[4])
    matches = pd.DataFrame(rows, columns=_COLUMNS)
    matches["conflict"] = conflicts_of(matches, columns)
    return matches


def _check_parameters(threshold, ngram_range):
    check_scalar(
        threshold, "threshold", Real, min_val=0, max_val=1, include_boundaries="right"
    )
    low, high = ngram_range
    if not all(isinstance(n, Integral) for n in (low, high)) or not 1 <= low <= high:
        raise ValueError(f"ngram_range must be two lengths, got {ngram_range!r}")


def tables_of(clients):
    """Return ``{client: table}``."""
    if isinstance(clients, ClientData):
        return clients.tables
    if not isinstance(clients, dict | list | tuple) or not clients:
        raise ClientError(
            "give clients as a dict or list of tables or (X, y) pairs, or as ClientData"
        )
    items = clients.items() if isinstance(clients, dict) else enumerate(clients)
    return {plain_name(name): _table_of(item) for name, item in items}


def _table_of(item):
    """Return the table of an item, without rows if it is a list of column names."""
    if isinstance(item, list | tuple) and all(isinstance(name, str) for name in item):
        return pd.DataFrame(columns=list(item))
    return as_table(item[0] if is_pair(item) else item)


def names_of(client, table):
    """Return the set of column names of a client's table."""
    names = column_names(table) if is_table(table) else None
    if names is None:
        raise ClientError(
            f"client {client!r} has no table with column names; give a DataFrame, or "
            "the list of the names"
        )
    return set(names)


def _one_to_one(similarity, threshold):
    """Return the pairs of positions that are matched, each position at most once."""
    from scipy.optimize import linear_sum_assignment

    allowed = np.where(similarity >= threshold, similarity, 0.0)
    pairs = zip(*linear_sum_assignment(allowed, maximize=True), strict=True)
    return [(u, v) for u, v in pairs if allowed[u, v] > 0]


def groups_of(matches):
    """Return the sets of names that the matches join, sorted."""
    groups: list[set[str]] = []
    for pair in zip(matches["column_a"], matches["column_b"], strict=True):
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(pair).union(*touched))
    return sorted(groups, key=sorted)


def conflicts_of(matches, columns):
    """Return for each match "", or which columns of which client it would merge."""
    text: dict[str, str] = {}
    for group in groups_of(matches):
        merged = [
            f"client {client!r} has {sorted(both)}"
            for client in sort_names(columns)
            if len(both := group & columns[client]) > 1
        ]
        told = f"{', '.join(merged)}, which the matches of {sorted(group)} would merge"
        text |= dict.fromkeys(group, told if merged else "")
    return [text[name] for name in matches["column_a"]]
