"""Panel: how many values are missing, where."""

import numpy as np

from ._findings import Finding
from ._html import join, listed, paragraph, share
from ._read_summaries import owners
from ._table import cell, table

MOST_CLIENTS = 12  # that get a column each
MUCH = 0.3


def gaps_panel(told):
    """Return the panel."""
    columns = {
        column: {name: told[name].missing[column] for name in who}
        for column, who in owners(told).items()
    }
    gappy = {c: shares for c, shares in columns.items() if max(shares.values()) > 0}
    if not gappy:
        return paragraph(
            "No column misses so many values at a client that it may say so "
            "(min_count)."
        )
    text = paragraph(
        f"{len(gappy)} of {len(columns)} columns have gaps at a client. Numbers of "
        "rows "
        "are rounded down to a multiple of min_count; 0 may be a few."
    )
    if len(told) <= MOST_CLIENTS:
        cells = [
            [column, *(_shaded(shares.get(name)) for name in told)]
            for column, shares in gappy.items()
        ]
        head = ["Column", *map(str, told)]
        return join([text, table("Share of missing values", head, cells)])
    rows = [
        (
            column,
            len(shares),
            sum(v > 0 for v in shares.values()),
            share(float(np.mean(list(shares.values())))),
            share(max(shares.values())),
            str(max(shares, key=shares.__getitem__)),
        )
        for column, shares in gappy.items()
    ]
    head = ["Column", "Clients", "With gaps", "Mean share", "Largest share", "At"]
    return join([text, table("Missing values", head, rows, numbers=(1, 2, 3, 4))])


def _shaded(value):
    if value is None:
        return cell("·", class_="number quiet")
    return cell(share(value), class_="number hot" if value >= MUCH else "number")


def gaps_findings(told):
    """Return what to say of missing values."""
    for column, who in owners(told).items():
        much = [
            name
            for name in who
            if told[name].missing[column] >= MUCH
            and told[name].kinds[column] != "empty"
        ]
        if much:
            most = max(told[name].missing[column] for name in much)
            yield Finding(
                "note",
                listed(much, 4),
                column,
                f"misses up to {share(most)} of its values",
                "`TableEncoder(indicator=True)` keeps that a value was missing; "
                "`TableEncoder(impute=None)` leaves the gap to the `FactorAligner`.",
            )
