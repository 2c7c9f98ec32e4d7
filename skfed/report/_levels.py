"""Panel: categories of text and boolean columns, and spellings that differ."""

from ._findings import Finding
from ._html import listed, paragraph
from ._read_summaries import owners
from ._table import cell, table


def levels_panel(told):
    """Return the panel."""
    rows = []
    for column, found in _columns(told).items():
        everywhere = set.intersection(*(set(levels) for levels in found.values()))
        union = dict.fromkeys(level for levels in found.values() for level in levels)
        once = [v for v in union if sum(v in levels for levels in found.values()) == 1]
        rows.append(
            (
                column,
                len(found),
                len(union),
                len(everywhere),
                cell(listed(union, 10), class_="long"),
                cell(listed(once, 6) if len(found) > 1 else "", class_="long"),
            )
        )
    if not rows:
        return paragraph("No column holds text, categories or booleans.")
    head = [
        "Column",
        "Clients",
        "Categories",
        "At all of them",
        "Which",
        "At one client alone",
    ]
    return table("Categories that min_count rows have", head, rows, numbers=(1, 2, 3))


def _columns(told):
    """Return ``{column: {client: {category: rows}}}`` of those that have categories."""
    found = {
        column: {
            name: told[name].levels[column]
            for name in who
            if column in told[name].levels
        }
        for column, who in owners(told).items()
    }
    return {column: levels for column, levels in found.items() if levels}


def levels_findings(told):
    """Return what to say of categories."""
    for column, found in _columns(told).items():
        for spellings in other_spellings(found):
            told_text = "; ".join(
                f"{v!r} at {listed(who, 3)}" for v, who in spellings.items()
            )
            fewest = min(spellings.values(), key=len)
            yield Finding(
                "warning",
                listed(fewest, 4),
                column,
                f"spellings that differ are different categories: {told_text}",
                "Write them alike at all clients: categories match by value.",
            )
        apart = [
            name
            for name, levels in found.items()
            if levels
            and not any(set(levels) & set(o) for c, o in found.items() if c != name)
        ]
        others = [
            name for name, levels in found.items() if levels and name not in apart
        ]
        if apart and len(apart) + len(others) > 1:
            yield Finding(
                "warning",
                listed(apart, 4),
                column,
                "has no category in common with another client",
                "Check codes and language; `rename_columns` if it means something "
                "else.",
            )
        rare = [
            name
            for name, levels in found.items()
            if told[name].kinds[column] == "text"
            and told[name].n_rows >= 2 * told[name].min_count
            and sum(levels.values())
            < 0.5 * told[name].n_rows * (1 - told[name].missing[column])
        ]
        if rare:
            yield Finding(
                "note",
                listed(rare, 4),
                column,
                "most of its values are in fewer than min_count rows, like a name or "
                "an "
                "identifier, and become zeros",
                "Group them, leave the column out, or raise `TableEncoder("
                "max_categories=...)`.",
            )


def other_spellings(found):
    """Return values that are equal but for case, spaces and signs between words.

    Parameters
    ----------
    found : dict of dict
        ``{client: {value: rows}}``.

    Returns
    -------
    groups : list of dict
        ``{value: [clients]}``, of two values at least.
    """
    groups: dict = {}
    for name, values in found.items():
        for value in values:
            plain = "".join(ch for ch in value.casefold() if ch.isalnum()) or value
            groups.setdefault(plain, {}).setdefault(value, []).append(name)
    return [group for group in groups.values() if len(group) > 1]
