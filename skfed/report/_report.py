"""The federation report: one page before a fit, or after it."""

from itertools import count
from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from ..data._reader import read_clients
from ._after import after_fit
from ._before import before_fit
from ._findings import as_frame
from ._gain import check_comparison
from ._page import document, fragment
from ._read_summaries import read_summaries
from ._summarize import summarize

_SHOWN = count()  # reports in one notebook have ids of their own


class FederationReport:
    """One page that says what the clients of a federation are, and what a fit made.

    Before a fit, :meth:`from_clients` or :meth:`from_summaries` compare the clients:
    who has which column, what clashes, what is missing, how labels and columns are
    shifted, and what to do about it. After a fit, :meth:`from_estimator` shows whom it
    helps, what each client chose and why, how it converged, how columns were aligned,
    what left each client and what it cost.

    The page is HTML that stands alone: it has no script and asks for nothing from
    anywhere. A notebook shows it as the value of a cell; :meth:`save` writes a file.

    Parameters
    ----------
    title : str
        Title of the page.
    lead : str
        The sentence under it.
    facts : list of (str, str)
        What stands in the boxes on top.
    sections : list of Section
        The panels. Use the three constructors below to make them.
    findings : list of Finding
        What the report warns of.

    Attributes
    ----------
    title : str
        Title of the page.
    findings : DataFrame
        A row for each finding, the worst first: ``severity`` ("error", for what a fit
        would stop at, "warning" or "note"), ``client``, ``column``, ``finding`` and
        ``remedy``.

    See Also
    --------
    summarize : What one client tells for the report.
    skfed.compare : Whom federating helps, for the report after a fit.

    Notes
    -----
    **What leaves a client** for the report before a fit is its summary and nothing
    else, see :func:`summarize`. The report after a fit is made of what the server of
    the fit, and in one process the clients' fitted parts, hold already; with the
    evidence of the personalizer, which stays at the client in a fit, it is for those
    who may see it.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfed.report import FederationReport
    >>> clients = {
    ...     "ames": pd.DataFrame({"square_feet": range(30), "sold": "yes"}),
    ...     "boston": pd.DataFrame({"sqft": range(50), "sold": range(50)}),
    ... }
    >>> report = FederationReport.from_clients(clients)
    >>> report
    FederationReport(2 clients before a fit: 1 error, 1 warning)
    >>> report.findings[["severity", "column"]].values.tolist()
    [['error', 'sold'], ['warning', 'sqft, square_feet']]
    """

    def __init__(self, title, lead, facts, sections, findings):
        self.title = title
        self.lead = lead
        self.facts = facts
        self.sections = sections
        self.findings = as_frame(findings)

    @classmethod
    def from_clients(
        cls, X, y=None, *, clients=None, client_column=None, tasks="auto", min_count=5
    ):
        """Make the report before a fit, of clients that are all here.

        Each client is summarised by itself, and the report is made of the summaries.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            The clients, in any form that an estimator takes in ``fit``; targets may
            be left out.
        y : array, list or dict, default=None
            The target, for the forms that hold tables only.
        clients : array of shape (n,), default=None
            The client of each row, when ``X`` is one table.
        client_column : str, default=None
            Column of a DataFrame that names the client.
        tasks : "auto", str or dict, default="auto"
            What clients predict, one for all or ``{client: task}``; see
            :func:`summarize`.
        min_count : int, default=5
            No statistic over fewer rows enters the report.

        Returns
        -------
        report : FederationReport
            The report.

        Raises
        ------
        ClientError
            If the clients' form is not understood.
        """
        cohort = read_clients(X, y, clients=clients, client_column=client_column)
        targets = cohort.targets or dict.fromkeys(cohort.tables)
        if isinstance(tasks, str):
            tasks = dict.fromkeys(cohort.tables, tasks)
        return cls.from_summaries(
            {
                name: summarize(
                    table,
                    targets[name],
                    task=tasks.get(name, "auto"),
                    min_count=min_count,
                )
                for name, table in cohort.tables.items()
            }
        )

    @classmethod
    def from_summaries(cls, summaries):
        """Make the report before a fit, of what the clients sent.

        Parameters
        ----------
        summaries : dict
            ``{client: what summarize returned there}``.

        Returns
        -------
        report : FederationReport
            The report.

        Raises
        ------
        ClientError
            If there are no summaries, or one is not whole or of another version.
        """
        told = read_summaries(summaries)
        facts, sections, findings = before_fit(told)
        least = min(client.min_count for client in told.values())
        lead = (
            f"Before a fit: {len(told)} clients, by what each tells of itself. No "
            f"statistic here has fewer than {least} rows behind it."
        )
        return cls("Federation report", lead, facts, sections, findings)

    @classmethod
    def from_estimator(cls, estimator, comparison=None):
        """Make the report after a fit.

        Parameters
        ----------
        estimator : FederatedClassifier, FederatedRegressor or FederatedMultiTask
            Fitted.
        comparison : DataFrame, default=None
            What :func:`skfed.compare` returned for the same clients: each client's
            gain on held-out rows.

        Returns
        -------
        report : FederationReport
            The report.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ClientError
            If ``comparison`` is something else.
        """
        check_is_fitted(estimator)
        check_comparison(comparison)
        facts, sections, findings = after_fit(estimator, comparison)
        lead = (
            f"After a fit: {type(estimator).__name__} of "
            f"{len(estimator.client_names_)} clients."
        )
        return cls("Federation report", lead, facts, sections, findings)

    def to_html(self):
        """Return the report as a whole page.

        Returns
        -------
        html : str
            The page; equal reports give equal pages.
        """
        return document(self.title, self._fragment("report"))

    def save(self, path):
        """Write the report to a file.

        Parameters
        ----------
        path : str or path-like
            The file, such as "report.html"; overwritten if it exists.

        Returns
        -------
        path : Path
            The file.
        """
        path = Path(path)
        path.write_text(self.to_html(), encoding="utf-8")
        return path

    def _fragment(self, prefix):
        return fragment(self.title, self.lead, self.facts, self.sections, prefix)

    def _repr_html_(self):
        return self._fragment(f"report-{next(_SHOWN)}")

    def __repr__(self):
        counts = self.findings["severity"].value_counts()
        found = [
            f"{counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}"
            for kind in ("error", "warning", "note")
            if kind in counts
        ]
        when, _, _ = self.lead.partition(":")
        n = dict(self.facts)["Clients"]
        return (
            f"FederationReport({n} clients {when.lower()}: "
            f"{', '.join(found) or 'nothing to warn of'})"
        )
