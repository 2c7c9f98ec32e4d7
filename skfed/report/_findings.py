"""What the report warns of: who, which column, what, and what to do about it."""

from typing import NamedTuple

import pandas as pd

from ._html import chip, fold, join, paragraph, tag

LONG = 40  # findings; more are opened by the reader
SEVERITIES = {"error": "bad", "warning": "warn", "note": "note"}


class Finding(NamedTuple):
    """Something to know before or after a fit.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        "error": a fit would stop.
    client : str
        The client or clients, "" for all.
    column : str
        The column or columns, "target", or "".
    finding : str
        What it is.
    remedy : str
        What helps, with the option's name; "" where the finding says it.
    """

    severity: str
    client: str
    column: str
    finding: str
    remedy: str


def as_frame(findings):
    """Return findings as DataFrame, the worst first."""
    order = list(SEVERITIES)
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    return pd.DataFrame(ordered, columns=list(Finding._fields))


def findings_panel(findings):
    """Return the findings as HTML."""
    frame = as_frame(findings)
    if frame.empty:
        return paragraph("Nothing to warn of.")
    counts = frame["severity"].value_counts()
    told = [
        f"{counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}"
        for kind in SEVERITIES
        if kind in counts
    ]
    shown = tag("ul", *map(_entry, frame.itertuples()), class_="findings")
    text = paragraph(", ".join(told), ".")
    return join([text, fold("All findings", shown) if len(frame) > LONG else shown])


def _entry(finding):
    """Return one finding: a list reads better than a table on a narrow screen."""
    where = [finding.client or "all clients"]
    if finding.column:
        where.append(finding.column)
    return tag(
        "li",
        chip(finding.severity, SEVERITIES[finding.severity]),
        " ",
        tag("strong", " · ".join(where)),
        paragraph(finding.finding),
        *_remedy(finding.remedy),
    )


def _remedy(text):
    return [paragraph(tag("strong", "What helps: "), _code(text))] if text else []


def _code(text):
    """Set what stands between backquotes as code."""
    parts = str(text).split("`")
    return tag("span", *(tag("code", p) if i % 2 else p for i, p in enumerate(parts)))
