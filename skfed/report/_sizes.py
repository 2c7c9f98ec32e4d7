"""Panel: how many rows and columns each client has, and what it predicts."""

from ._charts import bars
from ._findings import Finding
from ._html import fold, join, listed
from ._table import table

TASKS = {
    "": "no target",
    "unknown": "not clear",
    "binary": "two classes",
    "multiclass": "several classes",
    "multilabel": "several labels a row",
    "regression": "a number",
    "multioutput_regression": "several numbers",
}


def sizes_panel(told):
    """Return the panel."""
    rows = sorted(told.values(), key=lambda client: -client.n_rows)
    most, least = rows[0], rows[-1]
    text = (
        f"From {least.n_rows:,} rows ({least.name}) to {most.n_rows:,} ({most.name})."
        if len(rows) > 1
        else f"{most.n_rows:,} rows."
    )
    chart = bars("Rows of each client", text, [(c.name, c.n_rows) for c in rows])
    body = [
        (
            c.name,
            f"{c.n_rows:,}",
            len(c.columns),
            TASKS.get(c.task, c.task),
            c.min_count,
        )
        for c in told.values()
    ]
    head = ["Client", "Rows", "Columns", "Predicts", "min_count"]
    told_table = table("Clients", head, body, numbers=(1, 2, 4), folded=False)
    return join([chart, fold(f"The {len(body)} clients as a table", told_table)])


def sizes_findings(told):
    """Return what to say of the sizes."""
    empty = [name for name, c in told.items() if not c.n_rows]
    if empty:
        yield Finding("error", listed(empty), "", "has no rows", "Leave it out.")
    few = [name for name, c in told.items() if 0 < c.n_rows < c.min_count]
    if few:
        yield Finding(
            "warning",
            listed(few),
            "",
            "has fewer rows than min_count: it takes part, but sends no statistics, "
            "and "
            "what it trains can give its rows away",
            "`TableEncoder(scaling='pooled')` and `target_scaling='pooled'` where all "
            "measure in the same units; or leave it out and use `add_client` later.",
        )
    sizes = sorted(c.n_rows for c in told.values() if c.n_rows)
    if len(sizes) > 1 and sizes[-1] > 20 * sizes[len(sizes) // 2]:
        big = [name for name, c in told.items() if c.n_rows == sizes[-1]]
        yield Finding(
            "note",
            listed(big),
            "",
            f"has {sizes[-1]:,} rows, over 20 times those of the median client, and "
            "counts for that much in the average",
            "`FedNova()` or `QFedAvg()` as `strategy`, or keep the default "
            "personalizer, with which small clients lean on their own models.",
        )
