"""Panel: column names that are nearly equal, of columns that may be the same."""

from ..data import match_columns
from ._findings import Finding
from ._html import join, listed, paragraph, tag
from ._read_summaries import owners
from ._table import table

THRESHOLD = 0.6
MOST_NAMES = 400  # comparing all pairs of more takes long


def near_names(told):
    """Return ``{(column, other): (similarity, clients of each)}``, or None if too many."""
    columns = owners({name: client for name, client in told.items() if client.named})
    if len(columns) > MOST_NAMES:
        return None
    # clients with the same columns need to be compared with others once
    alike: dict = {}
    for client in told.values():
        if client.named and client.columns:
            alike.setdefault(frozenset(client.columns), client)
    if len(alike) < 2:
        return {}
    tables = {
        str(i): list(dict.fromkeys(c.columns)) for i, c in enumerate(alike.values())
    }
    found: dict = {}
    for match in match_columns(tables, threshold=THRESHOLD).itertuples():
        pair = tuple(sorted((match.column_a, match.column_b)))
        found[pair] = max(found.get(pair, 0.0), match.similarity)
    return {
        pair: (similarity, *(columns[column] for column in pair))
        for pair, similarity in sorted(found.items(), key=lambda item: -item[1])
    }


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
                "believe to ", tag("code", "skfed.data.rename_columns"), ".",
            ),
            table("Nearly equal column names", head, rows, numbers=(2,)),
        ]
    )  # fmt: skip


def names_findings(told, found):
    """Return what to say of the names."""
    for (a, b), (similarity, at_a, at_b) in (found or {}).items():
        fewer = min(at_a, at_b, key=len)
        yield Finding(
            "warning" if similarity > 0.85 else "note",
            listed(fewer, 4), f"{a}, {b}",
            "two names that are nearly equal count as two columns",
            "If they mean the same: `rename_columns(clients, match_columns(clients))`, "
            "less the pairs you do not believe.",
        )  # fmt: skip
