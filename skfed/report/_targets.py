"""Panel: what clients predict: tasks, labels and their shares, units."""

import numpy as np

from ..training._introduce import TASKS
from ._charts import stacked
from ._findings import Finding
from ._html import Html, join, listed, number, paragraph, share
from ._levels import other_spellings
from ._style import SERIES
from ._table import table


def targets_panel(told):
    """Return the panel."""
    parts: list[Html] = []
    labelled = {name: c for name, c in told.items() if c.labels}
    if labelled:
        parts += _labels(labelled)
    numeric = {name: c for name, c in told.items() if c.target}
    if numeric:
        rows = [
            (
                name,
                j + 1 if len(c.target) > 1 else "–",
                number(mean),
                number(deviation),
                share(c.target_missing),
            )
            for name, c in numeric.items()
            for j, (mean, deviation) in enumerate(c.target)
        ]
        head = ["Client", "Target", "Mean", "Deviation", "Missing"]
        parts.append(
            table("Targets that are numbers", head, rows, numbers=(1, 2, 3, 4))
        )
    return join(parts) if parts else paragraph("No client told of a target.")


def _labels(told):
    pooled = _pooled(told)
    names = sorted(pooled, key=lambda label: (-pooled[label], label))
    shown = sorted(names[: SERIES - 1] if len(names) > SERIES else names)
    rows = []
    for name, client in told.items():
        shares = _shares(client.labels)
        values = [shares.get(label, 0.0) for label in shown]
        rows.append(
            (name, [*values, 1.0 - sum(values)] if len(names) > SERIES else values)
        )
    legend = [*shown, "other labels"] if len(names) > SERIES else shown
    shifts = {name: label_shift(told, name) for name in told}
    most = max(shifts, key=shifts.__getitem__)
    text = f"{len(names)} labels at {len(told)} clients."
    if len(told) > 1:
        text += (
            f" {most} differs most from the others: {share(shifts[most])} of its rows "
            "would need another label to have their shares."
        )
    yield paragraph(text)
    yield stacked("Shares of the labels at each client", text, rows, legend)
    body = [
        (
            name,
            len(client.labels),
            _top(client.labels),
            share(shifts[name]),
            share(client.target_missing),
        )
        for name, client in told.items()
    ]
    head = ["Client", "Labels", "Most frequent", "Shift from the others", "Missing"]
    yield table("Labels that min_count rows have", head, body, numbers=(1, 3, 4))


def _pooled(told):
    total: dict = {}
    for client in told.values():
        for label, count in client.labels.items():
            total[label] = total.get(label, 0) + count
    return total


def _shares(counts):
    n = sum(counts.values()) or 1
    return {value: count / n for value, count in counts.items()}


def _top(counts):
    shares = _shares(counts)
    order = sorted(shares, key=lambda value: -shares[value])[:4]
    return ", ".join(f"{value} {share(shares[value])}" for value in order)


def total_variation(p, q):
    """Return half the summed difference of two distributions, ``{value: share}``."""
    return sum(abs(p.get(v, 0.0) - q.get(v, 0.0)) for v in {*p, *q}) / 2


def label_shift(told, name):
    """Return how far a client's labels are from those of the others, 0 to 1.

    The others are those that have a label of it.
    """
    own = set(told[name].labels)
    others = {c: o for c, o in told.items() if c != name and own & set(o.labels)}
    if not others:  # nothing to compare with, as its labels are its own
        return 0.0
    return total_variation(_shares(told[name].labels), _shares(_pooled(others)))


def targets_findings(told):
    """Return what to say of the targets."""
    tasks: dict = {}
    for name, client in told.items():
        tasks.setdefault(client.task, []).append(name)
    unknown = tasks.get("unknown", [])
    if unknown:
        yield Finding(
            "error",
            listed(unknown),
            "target",
            "is neither labels nor numbers",
            "Convert it to one type, or leave the client out.",
        )
    gaps = [name for name, c in told.items() if not c.target_whole]
    if gaps:
        yield Finding(
            "error",
            listed(gaps),
            "target",
            "has missing values",
            "Drop these rows before `fit`.",
        )
    if "" in tasks and len(tasks) > 1:
        yield Finding(
            "note",
            listed(tasks[""]),
            "target",
            "is not given",
            "Fit without the client and let it join by `add_client` without labels.",
        )
    forms = {TASKS[task] for task in tasks if task in TASKS}
    doubtful = [
        name
        for name, client in told.items()
        if client.label_kind == "numbers" and "regression" in forms
    ]
    if doubtful:
        yield Finding(
            "note",
            listed(doubtful, 4),
            "target",
            "is taken for labels, being few different numbers, and others' for a "
            "quantity",
            "Say `task='regression'` for the report; `FederatedRegressor` takes it so, "
            "and `FederatedMultiTask` has `tasks=`.",
        )
    elif len(forms) > 1:
        yield Finding(
            "warning",
            "",
            "target",
            "clients predict different things: "
            + "; ".join(
                f"{t} at {listed(w, 3)}" for t, w in tasks.items() if t in TASKS
            ),
            "`FederatedMultiTask`, with `target_names=` where equal kinds of target "
            "mean different quantities.",
        )
    yield from _label_findings({name: c for name, c in told.items() if c.label_kind})
    yield from _unit_findings({n: c for n, c in told.items() if c.task == "regression"})


def _label_findings(told):
    kinds: dict = {}
    for name, client in told.items():
        kinds.setdefault(client.label_kind, []).append(name)
    if len(kinds) > 1 or "mixed" in kinds:
        fewest = min(kinds.values(), key=len)
        yield Finding(
            "error",
            listed(fewest, 4),
            "target",
            "labels are "
            + "; ".join(f"{k} at {listed(w, 3)}" for k, w in kinds.items()),
            "Convert them to one type, since labels match by value; or "
            "`FederatedMultiTask(target_names=...)` if they mean different things.",
        )
    for group in other_spellings({name: c.labels for name, c in told.items()}):
        text = "; ".join(f"{v!r} at {listed(who, 3)}" for v, who in group.items())
        yield Finding(
            "warning",
            listed(min(group.values(), key=len), 4),
            "target",
            f"spellings that differ are different labels: {text}",
            "Write them alike at all clients.",
        )
    alone = [
        name
        for name, client in told.items()
        if client.labels
        and not any(
            set(client.labels) & set(o.labels) for c, o in told.items() if c != name
        )
    ]
    if alone and len(told) > 1:
        yield Finding(
            "warning",
            listed(alone, 4),
            "target",
            "its labels occur at no other client",
            "Check spelling and type; `heads='auto'` gives clients heads of their own "
            "where no label is common.",
        )
    one = [name for name, c in told.items() if len(c.labels) == 1]
    if one:
        yield Finding(
            "note",
            listed(one, 4),
            "target",
            "tells of one label: it has no other, or in fewer than min_count rows",
            "`absent='zero'` if it cannot have other labels; the default predicts "
            "them.",
        )
    hidden = [name for name, c in told.items() if not c.labels]
    if hidden:
        yield Finding(
            "note",
            listed(hidden, 4),
            "target",
            "tells of no label: none has min_count rows",
            "A lower `min_count`, if the rows may be known that well.",
        )
    shifts = {n: label_shift(told, n) for n in told if told[n].labels}
    far = [name for name, value in shifts.items() if value > 0.3]
    if far and len(told) > 1:
        yield Finding(
            "note",
            listed(far, 4),
            "target",
            "has other shares of the labels than the rest (shift up to "
            f"{share(max(shifts.values()))})",
            "The default personalizer corrects it; without, `PriorOffset()`. Keep "
            "`TableEncoder(scaling='balanced')`.",
        )


def _unit_findings(told):
    moments = {
        n: c.target[0]
        for n, c in told.items()
        if c.target and np.isfinite(c.target[0][1])
    }
    scales = {
        name: deviation for name, (_, deviation) in moments.items() if deviation > 0
    }
    if len(scales) < 2:
        return
    middle = float(np.median(list(scales.values())))
    far = [name for name, d in scales.items() if not 0.2 < d / middle < 5]
    if far:
        yield Finding(
            "note",
            listed(far, 4),
            "target",
            "its deviation is over 5 times, or under a fifth, that of the median "
            "client",
            "Check the units; `target_scaling='client'`, the default, lets each client "
            "predict in its own.",
        )
