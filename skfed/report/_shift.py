"""Panel: how far each client's columns are from the others'."""

from typing import NamedTuple

import numpy as np

from ._findings import Finding
from ._html import join, listed, number, paragraph, share
from ._read_summaries import owners
from ._table import cell, table
from ._targets import total_variation

MOST_CLIENTS = 12  # that get a column each
FAR = 0.8  # standard deviations: a large effect in Cohen's words
FAR_SHARE = 0.3  # of rows, for categories
UNITS = 5.0  # beyond it, or such a ratio of deviations, units may differ
SHOWN = 40


class Shift(NamedTuple):
    """How far a client's column is from the others'.

    Attributes
    ----------
    size : float
        Of numbers, in deviations; of categories, 0 to 1.
    ratio : float
        Deviation over that of the others; NaN of categories and constants.
    categories : bool
        Which of both it is.
    """

    size: float
    ratio: float
    categories: bool

    @property
    def strength(self):
        """Its size in units in which numbers and categories compare."""
        return abs(self.size) / (FAR_SHARE if self.categories else FAR)

    def __str__(self):
        return share(self.size) if self.categories else f"{self.size:+.1f}"


def shifts(told):
    """Return ``{column: {client: Shift}}`` of columns that two clients tell of.

    The shift of a number is the client's mean less the median of the others' means, in
    units of the median deviation within clients; that of categories the total variation
    distance. Medians, so that one client in other units does not shift all.
    """
    found: dict = {}
    for column, who in owners(told).items():
        moments = {n: told[n].moments[column] for n in who if column in told[n].moments}
        levels = {n: told[n].levels[column] for n in who if told[n].levels.get(column)}
        if len(moments) > 1 and len(moments) >= len(levels):
            found[column] = {n: _number_shift(moments, n) for n in moments}
        elif len(levels) > 1:
            found[column] = {n: _category_shift(levels, n) for n in levels}
        found[column] = {n: s for n, s in found.get(column, {}).items() if s}
    return {column: values for column, values in found.items() if values}


def _category_shift(levels, name):
    shares = {
        client: {v: count / sum(counts.values()) for v, count in counts.items()}
        for client, counts in levels.items()
    }
    others = [p for client, p in shares.items() if client != name]
    values = {v for p in others for v in p}
    mean = {v: sum(p.get(v, 0.0) for p in others) / len(others) for v in values}
    return Shift(total_variation(shares[name], mean), np.nan, True)


def _number_shift(moments, name):
    """Return a number's shift, or None where no client's values vary."""
    mean, deviation = moments[name]
    others = np.array([m for client, m in moments.items() if client != name])
    within = [d for _, d in moments.values() if d > 0]
    usual = others[others[:, 1] > 0, 1]
    if not within:
        return None
    size = (mean - np.median(others[:, 0])) / np.median(within)
    ratio = deviation / np.median(usual) if len(usual) and deviation else np.nan
    return Shift(float(size), float(ratio), False)


def _two_valued(told, column, names):
    """Tell whether a number's moments are those of 0 and 1, which have no unit."""
    found = [told[name].moments[column] for name in names]
    return all(np.isclose(d * d, m * (1 - m), atol=1e-9) for m, d in found)


def shift_panel(told, found):
    """Return the panel."""
    if not found:
        return paragraph("No column is at two clients that may tell of it.")
    text = paragraph(
        "Of numbers: the client's mean less the median of the others' means, in "
        "standard deviations within clients. Of categories: the share of rows that "
        "would "
        "need another category to have the others' shares. Shaded from 0.8 deviations, "
        "or 30 %, which count as a strength of 1."
    )
    per_client = _per_client(told, found)
    parts = [text]
    if len(told) <= MOST_CLIENTS:
        cells = [
            [column, *(_shaded(values.get(name)) for name in told)]
            for column, values in found.items()
        ]
        parts.append(
            table(
                "Shift of each column",
                ["Column", *map(str, told)],
                cells,
                folded=len(cells) > 40,
            )
        )
    else:
        flat = [(c, n, v) for c, values in found.items() for n, v in values.items()]
        flat = sorted(flat, key=lambda entry: -entry[2].strength)[:SHOWN]
        rows = [(c, n, _shaded(shift), number(shift.ratio)) for c, n, shift in flat]
        head = ["Column", "Client", "Shift", "Deviation over the others'"]
        parts.append(
            table(f"The {len(rows)} largest shifts", head, rows, numbers=(2, 3))
        )
    head = ["Client", "Mean strength", "Columns compared", "Largest at"]
    body = [
        (name, number(mean, 2), n, column)
        for name, (mean, n, column) in per_client.items()
    ]
    parts.append(table("Shift of each client", head, body, numbers=(1, 2)))
    return join(parts)


def _per_client(told, found):
    """Return ``{client: (mean strength, columns, the strongest)}``."""
    out = {}
    for name in told:
        own = {c: v[name].strength for c, v in found.items() if name in v}
        if own:
            mean = float(np.mean(list(own.values())))
            out[name] = mean, len(own), max(own, key=own.__getitem__)
    return dict(sorted(out.items(), key=lambda item: -item[1][0]))


def _shaded(shift):
    if shift is None:
        return cell("·", class_="number quiet")
    kind = "number"
    if shift.strength >= 1:
        kind += " hot" if shift.size > 0 else " cold"
    return cell(str(shift), class_=kind)


def shift_findings(told, found):
    """Return what to say of shifts."""
    for column, values in found.items():
        units = [
            name
            for name, (size, ratio, _) in values.items()
            if ratio == ratio and (abs(size) > UNITS or not 1 / UNITS < ratio < UNITS)
        ]
        if units and not _two_valued(told, column, values):
            yield Finding(
                "warning" if len(units) * 2 <= len(values) else "note",
                listed(units, 4),
                column,
                "differs so much in level or spread that the unit or the meaning may "
                "be "
                "another",
                "Check the unit. `TableEncoder(scaling='balanced')`, the default, "
                "takes "
                "out what each client measures differently; `'pooled'` would not.",
            )
    per_client = _per_client(told, found)
    far = [name for name, (mean, _, _) in per_client.items() if mean > 1]
    if far:
        yield Finding(
            "note",
            listed(far, 4),
            "",
            "its columns are far from the others' on average",
            "Keep the default scaling, and try `FedProx()`, `FedBN()` or "
            "`SharedPrivateAligner()`; compare by `skfed.compare`.",
        )
