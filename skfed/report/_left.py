"""Panel: what left each client, by task, and what it cost."""

from ._charts import bars
from ._html import fold, join, listed, number, paragraph, size
from ._table import cell, table

WHAT = {
    "describe": "names of columns and labels, numbers of rows",
    "align": "statistics of the encoder's and the aligner's steps",
    "train": "trained weights, loss, numbers of rows and steps",
    "evaluate": "the loss on held-out rows, and their number",
    "moments": "second moments of columns and target",
    "split": "how many rows each fold leaves",
    "weigh": "slopes and curvatures of the mixture's loss",
}


def left_panel(estimator):
    """Return the panel."""
    ledger = estimator.ledger_
    up = ledger[ledger["direction"] == "up"]
    if up.empty:
        return paragraph("Nothing left a client.")
    sent = up.groupby("client", sort=False)["bytes"].sum().sort_values(ascending=False)
    down = ledger[ledger["direction"] == "down"].groupby("client")["bytes"].sum()
    most, least = sent.index[0], sent.index[-1]
    text = (
        f"Together the clients sent {size(sent.sum())} and received "
        f"{size(down.sum())}; "
        f"{most} sent most ({size(sent.iloc[0])}), {least} least "
        f"({size(sent.iloc[-1])})."
    )
    rows = []
    for task, part in up.groupby("task", sort=False):
        entries = part.drop_duplicates(["name", "shape"])
        largest = part.loc[part["bytes"].idxmax()]
        rows.append(
            (
                task,
                cell(WHAT.get(task, ""), class_="long"),
                part["client"].nunique(),
                entries["name"].nunique(),
                f"{largest['name']} {_shape(largest['shape'])}",
                size(part["bytes"].sum()),
            )
        )
    head = ["Task", "What", "Clients", "Entries", "Largest entry", "Bytes"]
    per_task = table("What left the clients, by task", head, rows, numbers=(2, 3, 5))
    return join(
        [
            paragraph(
                text, " Never a row: entries are named below, with their shapes."
            ),
            per_task,
            bars("Bytes that left each client", text, list(sent.items()), text=size),
            _per_client(up, down),
            _entries(up),
        ]
    )


def _per_client(up, down):
    pivot = up.pivot_table("bytes", "client", "task", aggfunc="sum", fill_value=0)
    tasks = [task for task in dict.fromkeys(up["task"]) if task in pivot]
    rows = [
        (
            client,
            *(size(row[task]) for task in tasks),
            size(row.sum()),
            size(down.get(client, 0)),
        )
        for client, row in pivot.iterrows()
    ]
    head = ["Client", *tasks, "Sent in all", "Received"]
    caption = "Bytes that left each client, by task"
    return table(caption, head, rows, numbers=tuple(range(1, len(head))), folded=True)


def _entries(up):
    """Return every kind of entry once, with the shapes it had."""
    rows = []
    for (task, name), part in up.groupby(["task", "name"], sort=False):
        shapes = dict.fromkeys(_shape(shape) for shape in part["shape"])
        rows.append(
            (
                task,
                name,
                cell(listed(shapes, 6), class_="long"),
                listed(part["dtype"].unique(), 3),
                len(part),
            )
        )
    head = ["Task", "Entry", "Shapes", "Type", "Times sent"]
    return table(
        "Every kind of entry that left a client", head, rows, numbers=(4,), folded=True
    )


def _shape(shape):
    return "×".join(map(str, shape)) if len(shape) else "number"


def cost_panel(estimator):
    """Return the panel."""
    ledger, history = estimator.ledger_, estimator.history_
    scopes = ledger["scope"].map(lambda scope: _kind(scope))
    pivot = ledger.assign(scope=scopes).pivot_table(
        "bytes", "scope", "direction", aggfunc="sum", fill_value=0
    )
    rows = [
        (scope, size(row.get("down", 0)), size(row.get("up", 0)))
        for scope, row in pivot.iterrows()
    ]
    head = ["Fit", "To the clients", "From the clients"]
    parts = [table("Bytes of each part of the fit", head, rows, numbers=(1, 2))]
    seconds = history.groupby("client", sort=False)["seconds"].sum()
    per_round = history.groupby("round")[["bytes_down", "bytes_up"]].sum().mean()
    text = (
        f"{estimator.n_rounds_} rounds; a round moves {size(per_round['bytes_down'])} "
        "to all "
        f"clients and {size(per_round['bytes_up'])} back. Training took "
        f"{number(float(seconds.sum()))} s of the clients' time in all."
    )
    reason = getattr(estimator, "engine_reason_", "")
    engine = f"Engine: {getattr(estimator, 'engine_', '–')}" + (
        f" ({reason})." if reason else "."
    )
    body = [(client, number(float(value))) for client, value in seconds.items()]
    shown = table(
        "Seconds of training at each client",
        ["Client", "Seconds"],
        body,
        numbers=(1,),
        folded=False,
    )
    return join(
        [
            paragraph(text),
            paragraph(engine),
            *parts,
            fold("Seconds of each client", shown),
        ]
    )


def _kind(scope):
    """Name a scope of the ledger; all folds of one fit together."""
    name, _, fold_of = scope.partition(", fold")
    name = "the fit" if name in ("", "main") else name
    return f"{name}, its folds for the evidence" if fold_of else name
