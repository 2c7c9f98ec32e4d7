"""Panel: what each client's personalizer chose, and on what evidence."""

import numpy as np

from ._charts import stacked
from ._findings import Finding
from ._html import join, listed, number, paragraph, share
from ._style import SERIES
from ._table import cell, table

OWN = (
    "local",
    "boosting",
    "discriminant",
)  # members that no other client has a part in
MEANING = {
    "local": "a linear model of the client's own",
    "boosting": "gradient boosting of its own",
    "discriminant": "discriminant analysis of its own",
    "federated": "the shared network",
    "prior": "the shared network, corrected by the client's label shares",
    "fine_tuned": "the shared network, trained on at the client",
    "pooled": "a linear model of all clients' second moments",
}


def choice_panel(estimator):
    """Return the panel."""
    frame = getattr(estimator, "personalization_", None)
    if frame is None or frame.empty:
        return paragraph(
            "Every client predicts with the network as its strategy leaves it: there "
            "is "
            "no personalizer with members, or the sites keep what it chose."
        )
    weights = frame["weight"].unstack()
    order = [m for m in dict.fromkeys(frame.index.get_level_values("member"))]
    weights = weights[order].fillna(0.0).clip(lower=0.0)
    total = weights.sum(axis=1)
    shares = weights.div(total.where(total > 0, 1.0), axis=0)
    shown = order if len(order) <= SERIES else order[: SERIES - 1]
    rows = []
    for client, row in shares.iterrows():
        values = row[shown].tolist()
        rows.append((client, values if shown == order else [*values, 1 - sum(values)]))
    legend = shown if shown == order else [*shown, "others"]
    own = shares[[m for m in order if m in OWN]].sum(axis=1)
    text = (
        f"On average {share(1 - own.mean())} of the weight is on models that other "
        "clients have a part in."
    )
    parts = [
        paragraph(text),
        stacked("Weights of the members at each client", text, rows, legend),
        paragraph(
            "; ".join(f"{m}: {MEANING.get(m, 'a member of yours')}" for m in order),
            ".",
            class_="quiet",
        ),
        _reasons(frame),
        _evidence(frame, order),
    ]
    return join(parts)


def _reasons(frame):
    rows = []
    for client, own in frame.groupby(level="client", sort=False):
        own = own.droplevel("client")
        rows.append(
            (
                client,
                f"{int(own['n_rows'].iloc[0]):,}",
                cell(reason(own), class_="long"),
            )
        )
    return table(
        "Why, at each client", ["Client", "Rows of evidence", "Why"], rows, numbers=(1,)
    )


def reason(own):
    """Say in a sentence what a client's evidence was.

    Parameters
    ----------
    own : DataFrame
        Its rows of ``personalization_``, by member.
    """
    if not own["loss"].notna().any():
        return "No out-of-fold loss of its own: it takes the weights of the others."
    best = own["loss"].idxmin()
    heaviest = own["weight"].idxmax()
    text = f"{best} has the least out-of-fold loss, {number(own.loc[best, 'loss'])}"
    mixture = own["mixture_loss"].iloc[0]
    if np.isfinite(mixture):
        text += f"; the mixture's is {number(mixture)}"
        if "local" in own.index and own.loc["local", "loss"] > 0:
            gain = 1 - mixture / own.loc["local", "loss"]
            way = "below" if gain >= 0 else "above"
            text += f", {share(abs(gain))} {way} that of its own local model"
    if heaviest != best and own.loc[heaviest, "weight"] > 0:
        text += (
            f". Most weight is on {heaviest}: members add what others lack, and a "
            "client with few rows is drawn to the weights of all"
        )
    return f"{text}."


def _evidence(frame, order):
    rows = []
    for client, own in frame.groupby(level="client", sort=False):
        own = own.droplevel("client")
        entries = [
            f"{own.loc[m, 'weight']:.2f} ({number(own.loc[m, 'loss'])})"
            if m in own.index
            else "–"
            for m in order
        ]
        rows.append((client, number(own["mixture_loss"].iloc[0]), *entries))
    head = ["Client", "Mixture's loss", *order]
    caption = "Weight of each member (out-of-fold loss)"
    return table(caption, head, rows, numbers=tuple(range(1, len(head))), folded=True)


def choice_findings(estimator):
    """Name clients that take nothing from the others, or whose mixture loses."""
    frame = getattr(estimator, "personalization_", None)
    if frame is None or frame.empty:
        return
    members = frame.index.get_level_values("member")
    shared = frame[~members.isin(OWN)]["weight"].groupby(level="client").sum()
    total = frame["weight"].groupby(level="client").sum()
    alone = [
        c for c in total.index if total[c] > 0 and shared.get(c, 0.0) < 0.01 * total[c]
    ]
    if alone:
        yield Finding(
            "note",
            listed(alone),
            "",
            "takes nothing from the others: its own models were better on held-out "
            "rows",
            "Nothing to do; or look for columns that others name differently.",
        )
    if "local" in members:
        local = frame.xs("local", level="member")
        lost = local[local["mixture_loss"] > 1.05 * local["loss"]].index.tolist()
        if lost:
            yield Finding(
                "note",
                listed(lost),
                "",
                "its mixture has a greater out-of-fold loss than its local model",
                "`HierarchicalStacking(shrinkage=...)` smaller, so that it weighs its "
                "own "
                "rows more, or `Gate()`.",
            )
