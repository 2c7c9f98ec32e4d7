"""The report before a fit, from the clients' summaries."""

from ._findings import findings_panel
from ._gaps import gaps_findings, gaps_panel
from ._levels import levels_findings, levels_panel
from ._names import names_findings, names_panel, near_names
from ._page import Section
from ._read_summaries import owners
from ._schema import schema_findings, schema_panel
from ._shift import shift_findings, shift_panel, shifts
from ._sizes import TASKS, sizes_findings, sizes_panel
from ._targets import targets_findings, targets_panel


def before_fit(told):
    """Return facts, sections and findings of a federation that is not fitted."""
    near, moved = near_names(told), shifts(told)
    findings = [
        *sizes_findings(told),
        *schema_findings(told),
        *names_findings(told, near),
        *gaps_findings(told),
        *levels_findings(told),
        *targets_findings(told),
        *shift_findings(told, moved),
    ]
    columns = owners(told)
    tasks = sorted({TASKS.get(client.task, client.task) for client in told.values()})
    facts = [
        ("Clients", f"{len(told):,}"),
        ("Rows", f"{sum(client.n_rows for client in told.values()):,}"),
        ("Different columns", f"{len(columns):,}"),
        (
            "At all clients",
            f"{sum(len(who) == len(told) for who in columns.values()):,}",
        ),
        ("Predicts", ", ".join(tasks)),
    ]
    sections = [
        Section("findings", "Findings", findings_panel(findings)),
        Section("sizes", "Sizes and tasks", sizes_panel(told)),
        Section("columns", "Columns", schema_panel(told)),
        Section("names", "Near-equal names", names_panel(told, near)),
        Section("gaps", "Missing values", gaps_panel(told)),
        Section("levels", "Categories", levels_panel(told)),
        Section("targets", "Targets", targets_panel(told)),
        Section("shift", "Covariate shift", shift_panel(told, moved)),
    ]
    return facts, sections, findings
