"""Panel: what each client gains by the federation, on held-out rows."""

import numpy as np

from ..exceptions import ClientError
from ._charts import intervals
from ._findings import Finding
from ._html import Html, fold, join, listed, number, paragraph, tag
from ._table import cell, table

Z = 1.96  # deviations to each side hold 95 % of a normal distribution
MEANING = {
    "local": "the same estimator on the client's own rows",
    "local_linear": "a tuned linear model on its own rows",
    "pooled": "the same estimator on all rows in one table",
    "pooled_linear": "a tuned linear model on all rows in one table",
}


def check_comparison(comparison):
    """Raise unless this is what :func:`skfed.compare` returns."""
    if comparison is None:
        return
    columns = getattr(comparison, "columns", ())
    if "federated" not in columns or not baselines(comparison):
        raise ClientError(
            "comparison has to be what skfed.compare returns: a DataFrame with the "
            "column 'federated' and at least one baseline beside its 'vs_' column"
        )


def baselines(comparison):
    """Return the names of the models that are compared with."""
    return [c for c in MEANING if c in comparison and f"vs_{c}" in comparison]


def gain_panel(comparison):
    """Return the panel."""
    if comparison is None:
        return paragraph(
            "No comparison was given. ",
            tag("code", "skfed.compare(estimator, clients)"),
            " scores every client with and without the others on held-out rows; hand "
            "its "
            "table over as ",
            tag("code", "comparison="),
            ".",
        )
    parts: list[Html] = []
    names = baselines(comparison)
    for i, name in enumerate(names):
        chart = _chart(comparison, name)
        if chart is not None:
            parts.append(
                chart if i == 0 else fold(f"Against {name}: {MEANING[name]}", chart)
            )
    rows = [
        (
            client,
            f"{int(row['n_rows']):,}",
            number(row["federated"]),
            *(_entry(row, name) for name in names),
        )
        for client, row in comparison.iterrows()
    ]
    head = ["Client", "Rows", "Federated", *(f"{n} (gain)" for n in names)]
    caption = "Held-out scores (gain of the federated model ± 1.96 standard errors)"
    numbers = tuple(range(1, len(head)))
    parts.append(table(caption, head, rows, numbers=numbers))
    parts.append(
        paragraph(
            "Intervals are a bootstrap over the held-out rows: they say how the gain "
            "varies with the rows that are tested, not with those that are trained on.",
            class_="quiet",
        )
    )
    return join(parts)


def _interval(row, name):
    gain = row[f"vs_{name}"]
    error = row.get(f"vs_{name}_se", np.nan)
    half = Z * error if np.isfinite(error) else 0.0
    return gain, gain - half, gain + half


def _chart(comparison, name):
    known = comparison[comparison[f"vs_{name}"].notna()].sort_values(
        f"vs_{name}", ascending=False
    )
    if known.empty:
        return None
    rows = [(client, *_interval(row, name)) for client, row in known.iterrows()]
    better = sum(low > 0 for _, _, low, _ in rows)
    worse = sum(high < 0 for _, _, _, high in rows)
    mean = known[f"vs_{name}"].mean()
    text = (
        f"Against {MEANING[name]}: {better} of {len(rows)} clients are better beyond "
        f"their interval, {worse} worse; the mean gain is {mean:+.3f}."
    )
    return join(
        [paragraph(text), intervals(f"Gain of each client over {name!r}", text, rows)]
    )


def _entry(row, name):
    if not np.isfinite(row[name]):
        return "–"
    gain, low, high = _interval(row, name)
    kind = "number good" if low > 0 else "number bad" if high < 0 else "number"
    return cell(
        f"{number(row[name])} ({gain:+.3f} ± {(high - low) / 2:.3f})", class_=kind
    )


def gain_findings(comparison):
    """Name the clients that lose."""
    if comparison is None:
        yield Finding(
            "note",
            "",
            "",
            "whether federating helps, and whom, is not known",
            "`skfed.compare(estimator, clients)`, and its table as `comparison=`.",
        )
        return
    for name in ("local", "local_linear"):
        if name not in baselines(comparison):
            continue
        worse = [c for c, row in comparison.iterrows() if _interval(row, name)[2] < 0]
        if worse:
            yield Finding(
                "warning",
                listed(worse),
                "",
                f"is worse than {name!r}, {MEANING[name]}, beyond its interval",
                "A linear or other model of its own as a member: "
                "`HierarchicalStacking(members=[..., ('own', model)])`; or leave it "
                "out.",
            )
