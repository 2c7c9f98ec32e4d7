"""Panel: who has which column, and of which kind."""

from ..alignment._auto_choice import choose
from ._findings import Finding
from ._html import Html, join, listed, paragraph, tag
from ._raster import raster
from ._read_summaries import owners
from ._summarize import UNREADABLE
from ._table import cell, table

MOST_GROUPS = 12  # of clients with the same columns, that get a column each
CODE = {
    "number": "123",
    "text": "abc",
    "boolean": "y/n",
    "datetime": "date",
    "empty": "empty",
    UNREADABLE: "mixed",
}


def schema_panel(told):
    """Return the panel."""
    columns = owners(told)
    everywhere = sum(len(who) == len(told) for who in columns.values())
    alone = sum(len(who) == 1 for who in columns.values())
    text = (
        f"{len(columns)} different columns at {len(told)} clients: {everywhere} at all "
        f"of them, {alone} at one alone."
    )
    groups = groups_of(told)
    parts: list[Html | None] = [paragraph(text), _forecast(told)]
    if len(groups) <= MOST_GROUPS:
        parts.append(_matrix(told, columns, groups))
    else:
        parts.append(_picture(told, columns, text))
        body = [
            (
                column,
                len(who),
                ", ".join(sorted({told[c].kinds[column] for c in who})),
                cell(listed(who, 12), class_="long"),
            )
            for column, who in columns.items()
        ]
        head = ["Column", "Clients", "Kind", "At"]
        parts.append(table("Columns and their owners", head, body, numbers=(1,)))
    return join(parts)


def groups_of(told):
    """Return ``[(clients, {column: kind})]`` of clients that have the same."""
    found: dict = {}
    for name, client in told.items():
        found.setdefault(frozenset(client.kinds.items()), []).append(name)
    return [(who, dict(kinds)) for kinds, who in found.items()]


def _forecast(told):
    """Say which aligner the default would take."""
    if len(told) < 2 or not all(client.columns for client in told.values()):
        return None
    messages = {
        name: {
            "names": list(client.kinds),
            "n_rows": client.n_rows,
            "has_target": client.task != "",
            "labels": list(client.labels),
            "has_gaps": False,  # behind the default encoder
        }
        for name, client in told.items()
    }
    choice, reason = choose(messages, max(c.min_count for c in told.values()), False)
    return paragraph(
        "With these columns ",
        tag("code", "aligner='auto'"),
        " takes ",
        tag("strong", choice.replace("_", " ")),
        f": {reason}.",
    )


def _matrix(told, columns, groups):
    """Return a table with a column for each client, or for those that are alike."""
    heads = [
        str(who[0]) if len(who) == 1 else f"{len(who)} clients: {listed(who, 3)}"
        for who, _ in groups
    ]
    rows = []
    for column in columns:
        row = [column]
        for _, kinds in groups:
            kind = kinds.get(column)
            if kind is None:
                missing = tag("span", "·", aria_label="absent")
                row.append(cell(missing, class_="middle quiet"))
            else:
                row.append(cell(_code(kind), class_="middle cold"))
        rows.append(row)
    legend = ", ".join(f"{code} = {kind}" for kind, code in CODE.items())
    head = ["Column", *heads]
    caption = "Who has which column"
    shown = table(caption, head, rows, folded=len(rows) > 60)
    return join(
        [
            shown,
            paragraph(f"{legend}; · = the client does not have it.", class_="quiet"),
        ]
    )


def _code(kind):
    bad = "bad" if kind == UNREADABLE else None
    return tag("span", CODE.get(kind, kind), class_=bad)


def _picture(told, columns, text):
    order = sorted(told, key=lambda name: sorted(told[name].kinds))
    has = [[name in set(who) for name in order] for who in columns.values()]
    return raster(
        f"Who has which column ({len(order)} clients, left to right)",
        text,
        list(columns),
        has,
    )


def schema_findings(told):
    """Return what to say of the columns."""
    columns = owners(told)
    for name, client in told.items():
        twice = sorted({c for c in client.columns if client.columns.count(c) > 1})
        if twice:
            yield Finding(
                "error",
                str(name),
                listed(twice),
                "occurs twice in the table",
                "Rename one of them: columns match by name.",
            )
        unreadable = [c for c, kind in client.kinds.items() if kind == UNREADABLE]
        if unreadable:
            yield Finding(
                "error",
                str(name),
                listed(unreadable),
                "holds infinity, or values of several types",
                "Convert it to one type, write infinity as NaN, or leave it out.",
            )
        empty = [c for c, kind in client.kinds.items() if kind == "empty"]
        if empty:
            yield Finding(
                "note",
                str(name),
                listed(empty),
                "has no value and counts as absent",
                "Nothing to do: the aligner fills what a client does not have.",
            )
    yield from _clashes(told, columns)
    yield from _unnamed(told)
    yield from _apart(told, columns)


def _clashes(told, columns):
    """Name columns that are text at one client and numbers at another."""
    for column, who in columns.items():
        kinds: dict = {}
        for name in who:
            kinds.setdefault(told[name].kinds[column], []).append(name)
        known = {k: c for k, c in kinds.items() if k not in ("empty", UNREADABLE)}
        if len(known) < 2 or set(known) == {"number", "boolean"}:
            continue
        text = "; ".join(f"{kind} at {listed(c, 3)}" for kind, c in known.items())
        rarest = min(known.values(), key=len)
        yield Finding(
            "error",
            listed(rarest, 4),
            column,
            f"holds other things elsewhere: {text}",
            "Convert it to one type at all clients, or `rename_columns` it where it "
            "means something else.",
        )


def _unnamed(told):
    widths = {name: len(c.columns) for name, c in told.items() if not c.named}
    if widths and len(set(widths.values())) > 1:
        yield Finding(
            "warning",
            listed(widths),
            "",
            "has columns without names, of another number than others: each client's "
            "are taken as its own",
            "Give DataFrames whose equal columns have equal names, or say "
            "`columns='position'` or `columns='own'`.",
        )
    elif widths and len(widths) < len(told):
        yield Finding(
            "warning",
            listed(widths),
            "",
            "has columns without names, and others' have names: they match nobody's",
            "Give DataFrames to all.",
        )


def _apart(told, columns):
    """Name clients that share no column with any other."""
    if len(told) < 2:
        return
    apart = [
        name
        for name, client in told.items()
        if all(len(columns[column]) == 1 for column in client.columns)
    ]
    if apart:
        yield Finding(
            "warning",
            listed(apart),
            "",
            "shares no column with any other client",
            "Look at near-equal names below and use `rename_columns`; with rows in "
            "common `AutoAligner(anchors=...)`; else `ScoreAligner` or the default.",
        )
