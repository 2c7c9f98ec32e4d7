"""The report after a fit, from the attributes of the fitted estimator."""

import re

from ._aligned import aligned_findings, aligned_panel
from ._choice import choice_findings, choice_panel
from ._convergence import convergence_findings, convergence_panel
from ._findings import Finding, findings_panel
from ._gain import gain_findings, gain_panel
from ._html import fold, join, listed, size, tag
from ._left import cost_panel, left_panel
from ._page import Section
from ._table import table


def after_fit(estimator, comparison):
    """Return facts, sections and findings of a fitted federation."""
    findings = [
        *_notices(estimator),
        *_dropped(estimator),
        *convergence_findings(estimator),
        *gain_findings(comparison),
        *choice_findings(estimator),
        *aligned_findings(estimator),
    ]
    ledger = estimator.ledger_
    sent = ledger.loc[ledger["direction"] == "up", "bytes"].sum()
    rounds = f"{estimator.n_rounds_}"
    if estimator.best_round_ != estimator.n_rounds_:
        rounds += f" (best {estimator.best_round_})"
    facts = [
        ("Clients", f"{len(estimator.client_names_):,}"),
        ("Rows", f"{_rows(estimator):,}"),
        ("Aligned columns", f"{len(estimator.aligned_names_):,}"),
        ("Rounds", rounds),
        ("Left the clients", size(sent)),
    ]
    sections = [
        Section("findings", "Findings", findings_panel(findings)),
        Section("gain", "Whom it helps", gain_panel(comparison)),
        Section("choice", "What each client chose", choice_panel(estimator)),
        Section("convergence", "Convergence", convergence_panel(estimator)),
        Section("alignment", "Alignment", aligned_panel(estimator)),
        Section("left", "What left each client", left_panel(estimator)),
        Section("cost", "Cost", cost_panel(estimator)),
        Section("model", "The estimator", _model(estimator)),
    ]
    return facts, sections, findings


def _rows(estimator):
    history = estimator.history_
    return int(history.groupby("client")["n_rows"].max().sum()) if len(history) else 0


def _notices(estimator):
    """Return the warnings of the fit."""
    for text in getattr(estimator, "notices_", ()):
        clients, columns = _named("clients?", text), _named("columns?", text)
        yield Finding("warning", clients or "–", columns, text, "")


def _named(what, text):
    """Return the names that follow a word of a warning, as text."""
    found = re.findall(rf"\b{what} (\[.*?\]|'.*?'|\d+)", text)
    names = [
        name for part in found for name in re.findall(r"[^\[\]',\s][^\[\]',]*", part)
    ]
    return listed(dict.fromkeys(names), 4)


def _dropped(estimator):
    asked = set(estimator.ledger_["client"]) - set(estimator.client_names_)
    if asked:
        yield Finding(
            "warning",
            listed(sorted(asked, key=str)),
            "",
            "did not take part to the end",
            "See the warnings of the fit for its error; `min_clients` says how many "
            "have to remain.",
        )


def _model(estimator):
    parts = [tag("p", tag("code", repr(estimator)))]
    tasks = getattr(estimator, "tasks_", None)
    if tasks:
        rows = [
            (
                client,
                task,
                estimator.target_names_[client],
                listed(estimator.client_classes_.get(client, ()), 8),
            )
            for client, task in tasks.items()
        ]
        parts.append(table("Tasks", ["Client", "Task", "Quantity", "Labels"], rows))
    elif hasattr(estimator, "client_classes_"):
        own_labels = [
            (c, len(own), listed(own, 12))
            for c, own in estimator.client_classes_.items()
        ]
        shown = table(
            "Labels of each client",
            ["Client", "Labels", "Which"],
            own_labels,
            numbers=(1,),
            folded=False,
        )
        parts.append(fold("Labels of each client", shown))
    return join(parts)
