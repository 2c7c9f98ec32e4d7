"""Panel: column names that are nearly equal, of columns that may be the same."""

import numpy as np

from ..data._name_similarity import similarities
from ._findings import Finding
from ._html import join, listed, paragraph, tag
from ._read_summaries import owners
from ._table import table

THRESHOLD = 0.6
MOST_NAMES = 400  # comparing all pairs of more takes long


def near_names(told):
    """Return ``{(name, other): (similarity, clients, clients)}``, None if too many."""
    columns = owners({name: client for name, client in told.items() if client.named})
    if len(columns) > MOST_NAMES:
        return None
    names = sorted(columns)
    if len(names) < 2:
        return {}
    similarity = np.maximum(*similarities(names, (2, 4)))
    found = {}
    for i, j in zip(*np.nonzero(np.triu(similarity >= THRESHOLD, 1)), strict=True):
        pair = names[i], names[j]
        at = [columns[name] for name in pair]
        if not set(at[0]) & set(at[1]):  # a client with both says that they differ
            found[pair] = (float(similarity[i, j]), *at)
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def names_panel(told, found):
    """Return the panel."""
    if found is None:
        return paragraph(f"More than {MOST_NAMES} different names: not compared.")
    if not found:
        return paragraph("No two column names are nearly equal.")
    rows = [
        (a, b, f"{similarity:.2f}", listed(at_a, 5), listed(at_b, 5))
        for (a, b), (similarity, at_a, at_b) in found.items()
    ]
    head = ["Column", "Like", "Similarity", "The first is at", "The second is at"]
    return join(
        [
            paragraph(
                "Columns match by equal names only. Names that are alike need not mean "
                "the same, nor the same unit: look the pairs over, and hand those you "
                "believe to ",
                tag("code", "skfed.data.rename_columns"),
                ".",
            ),
            table("Nearly equal column names", head, rows, numbers=(2,)),
        ]
    )


def names_findings(told, found):
    """Return what to say of the names."""
    for (a, b), (similarity, at_a, at_b) in (found or {}).items():
        fewer = min(at_a, at_b, key=len)
        yield Finding(
            "warning" if similarity > 0.85 else "note",
            listed(fewer, 4),
            f"{a}, {b}",
            "two names that are nearly equal count as two columns",
            "If they mean the same: `rename_columns(clients, match_columns(clients))`, "
            "less the pairs you do not believe.",
        )
