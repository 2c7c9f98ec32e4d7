"""Panel: how far each client's columns are from the others'."""

import numpy as np

from ._findings import Finding
from ._html import join, listed, number, paragraph, share
from ._read_summaries import owners
from ._table import cell, table
from ._targets import total_variation

MOST_CLIENTS = 12  # that get a column each
FAR = 0.8  # standard deviations: a large effect in Cohen's words
UNITS = 4.0  # beyond it, or such a ratio of deviations, units may differ
SHOWN = 40


def shifts(told):
    """Return ``{column: {client: (shift, ratio of deviations)}}``.

    The shift of a number is the difference of the client's mean and the mean of the
    others' means, in deviations within clients (root mean square); that of categories
    the total variation distance. Clients count alike.
    """
    found: dict = {}
    for column, who in owners(told).items():
        moments = {n: told[n].moments[column] for n in who if column in told[n].moments}
        levels = {n: told[n].levels[column] for n in who if told[n].levels.get(column)}
        if len(levels) > 1 and not (len(moments) > len(levels)):
            found[column] = {n: (_category_shift(levels, n), np.nan) for n in levels}
        elif len(moments) > 1:
            found[column] = {n: _number_shift(moments, n) for n in moments}
    return found


def _category_shift(levels, name):
    shares = {
        client: {v: count / sum(counts.values()) for v, count in counts.items()}
        for client, counts in levels.items()
    }
    others = [p for client, p in shares.items() if client != name]
    values = {v for p in others for v in p}
    mean = {v: sum(p.get(v, 0.0) for p in others) / len(others) for v in values}
    return total_variation(shares[name], mean)


def _number_shift(moments, name):
    mean, deviation = moments[name]
    others = np.array([m for client, m in moments.items() if client != name])
    within = np.sqrt(np.mean([d**2 for _, d in moments.values()]))
    usual = np.sqrt(np.mean(others[:, 1] ** 2))
    shift = (mean - others[:, 0].mean()) / within if within else np.nan
    ratio = deviation / usual if usual and deviation else np.nan
    return float(shift), float(ratio)


def shift_panel(told, found):
    """Return the panel."""
    if not found:
        return paragraph("No column is at two clients that may tell of it.")
    text = paragraph(
        "Of numbers: the client's mean less the mean of the others, in standard "
        "deviations within clients. Of categories: the share of rows that would need "
        "another category, in %. Shaded from 0.8 deviations, or 30 %."
    )
    per_client = _per_client(told, found)
    parts = [text]
    if len(told) <= MOST_CLIENTS:
        rows = [
            [column, *(_shaded(values.get(name)) for name in told)]
            for column, values in found.items()
        ]
        parts.append(
            table(
                "Shift of each column",
                ["Column", *map(str, told)],
                rows,
                folded=len(rows) > 40,
            )
        )
    else:
        flat = [(c, n, *v) for c, values in found.items() for n, v in values.items()]
        flat = sorted((f for f in flat if f[2] == f[2]), key=lambda f: -_size(f))[
            :SHOWN
        ]
        rows = [(c, n, _shaded((s, r)), number(r)) for c, n, s, r in flat]
        head = ["Column", "Client", "Shift", "Deviation over the others'"]
        parts.append(
            table(f"The {len(rows)} largest shifts", head, rows, numbers=(2, 3))
        )
    head = ["Client", "Mean size of its shifts", "Columns compared", "Largest at"]
    body = [
        (name, number(mean, 2), n, column)
        for name, (mean, n, column) in per_client.items()
    ]
    parts.append(table("Shift of each client", head, body, numbers=(1, 2)))
    return join(parts)


def _size(entry):
    """Return a shift in units in which numbers and categories compare."""
    _, _, shift, ratio = entry
    return abs(shift) if ratio == ratio else abs(shift) * FAR / 0.3


def _per_client(told, found):
    out = {}
    for name in told:
        own = {
            c: abs(v[name][0])
            for c, v in found.items()
            if name in v and v[name][0] == v[name][0]
        }
        if own:
            out[name] = (
                float(np.mean(list(own.values()))),
                len(own),
                max(own, key=own.__getitem__),
            )
    return dict(sorted(out.items(), key=lambda item: -item[1][0]))


def _shaded(value):
    if value is None or value[0] != value[0]:
        return cell("·", class_="number quiet")
    shift, ratio = value
    if ratio != ratio and 0 <= shift <= 1:
        return cell(share(shift), class_="number hot" if shift >= 0.3 else "number")
    kind = "hot" if shift >= FAR else "cold" if shift <= -FAR else ""
    return cell(f"{shift:+.1f}", class_=f"number {kind}".strip())


def shift_findings(told, found):
    """Return what to say of shifts."""
    for column, values in found.items():
        units = [
            name
            for name, (shift, ratio) in values.items()
            if ratio == ratio and (abs(shift) > UNITS or not 1 / UNITS < ratio < UNITS)
        ]
        if units:
            yield Finding(
                "warning" if len(units) * 2 <= len(values) else "note",
                listed(units, 4), column,
                "differs so much in level or spread that the unit or the meaning may be "
                "another",
                "Check the unit. `TableEncoder(scaling='balanced')`, the default, takes "
                "out what each client measures differently; `'pooled'` would not.",
            )  # fmt: skip
    per_client = _per_client(told, found)
    far = [name for name, (mean, _, _) in per_client.items() if mean > FAR]
    if far:
        yield Finding(
            "note", listed(far, 4), "", "its columns are far from the others' on average",
            "Keep the default scaling, and try `FedProx()`, `FedBN()` or "
            "`SharedPrivateAligner()`; compare by `skfed.compare`.",
        )  # fmt: skip
