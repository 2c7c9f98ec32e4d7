"""From the clients' summaries to what the panels of the report ask for."""

from dataclasses import dataclass, field

import numpy as np

from ..data._tables import plain_name, sort_names
from ..exceptions import ClientError
from ..federation._payload import check_payload
from ._summarize import FORMAT

REQUIRED = (
    "min_count",
    "n_rows",
    "named",
    "columns",
    "kinds",
    "missing",
    "mean",
    "deviation",
    "task",
)


@dataclass
class Told:
    """What one client told.

    Attributes
    ----------
    name : hashable
        The client.
    n_rows, min_count : int
        Its rows, and how many have to be behind a statistic.
    named : bool
        Whether its columns have names.
    columns : list of str
        Their names, or positions.
    kinds, missing : dict
        ``{column: kind}`` and ``{column: share without a value}``.
    moments : dict
        ``{column: (mean, deviation)}`` of those that are told.
    levels : dict
        ``{column: {category: rows}}``.
    task, label_kind : str
        "" without a target, and without labels.
    labels : dict
        ``{label: rows}``.
    target : list of (float, float)
        Mean and deviation of each number to predict.
    target_missing : float
        Share of rows without a target.
    target_whole : bool
        Whether no row lacks it.
    """

    name: object
    n_rows: int
    min_count: int
    named: bool
    columns: list
    kinds: dict
    missing: dict
    moments: dict
    levels: dict
    task: str = ""
    label_kind: str = ""
    labels: dict = field(default_factory=dict)
    target: list = field(default_factory=list)
    target_missing: float = 0.0
    target_whole: bool = True


def read_summaries(summaries):
    """Return ``{client: Told}``, sorted by name.

    Raises
    ------
    ClientError
        If there are none, or one is not what :func:`summarize` returns.
    """
    if not isinstance(summaries, dict) or not summaries:
        raise ClientError(
            "give the clients' summaries as a dict, {client: what summarize returned}"
        )
    told = {plain_name(name): _read(name, s) for name, s in summaries.items()}
    _name_columns(told)
    return {name: told[name] for name in sort_names(told)}


def _read(name, summary):
    try:
        check_payload(summary, f"client {name!r}")
    except TypeError as error:
        raise ClientError(f"{error}; give what summarize returns") from error
    if summary.get("format") != FORMAT:
        raise ClientError(
            f"the summary of client {name!r} has the format {summary.get('format')!r}, "
            f"and this version reads {FORMAT}; make it with the same version of skfed"
        )
    lacking = [key for key in REQUIRED if key not in summary]
    columns = summary.get("columns", [])
    per_column = ("kinds", "missing", "mean", "deviation")
    if lacking or any(len(summary[key]) != len(columns) for key in per_column):
        raise ClientError(
            f"the summary of client {name!r} is not whole"
            + (f": it lacks {lacking}" if lacking else ": its lengths differ")
            + "; make it with summarize"
        )
    moments = zip(summary["mean"], summary["deviation"], strict=True)
    return Told(
        name=name,
        n_rows=summary["n_rows"],
        min_count=summary["min_count"],
        named=summary["named"],
        columns=list(columns),
        kinds=dict(zip(columns, summary["kinds"], strict=True)),
        missing=dict(zip(columns, map(float, summary["missing"]), strict=True)),
        moments={
            column: (float(mean), float(deviation))
            for column, (mean, deviation) in zip(columns, moments, strict=True)
            if np.isfinite(mean)
        },
        levels={
            column: _counts(summary, f"levels/{j}", f"counts/{j}")
            for j, column in enumerate(columns)
            if f"levels/{j}" in summary
        },
        task=summary["task"],
        label_kind=summary.get("label_kind", ""),
        labels=_counts(summary, "labels", "label_counts"),
        target=list(
            zip(
                np.ravel(summary.get("target_mean", [])).tolist(),
                np.ravel(summary.get("target_deviation", [])).tolist(),
                strict=True,
            )
        ),
        target_missing=summary.get("target_missing", 0.0),
        target_whole=summary.get("target_whole", True),
    )


def _counts(summary, values, counts):
    found = np.asarray(summary.get(counts, []), dtype=np.int64).tolist()
    return dict(zip(summary.get(values, []), found, strict=True))


def _name_columns(told):
    """Keep apart unnamed columns of different number, as a fit does."""
    unnamed = [client for client in told.values() if not client.named]
    if len({len(client.columns) for client in unnamed}) < 2:
        return
    for client in unnamed:
        new = {column: f"{client.name}.{column}" for column in client.columns}
        client.columns = list(new.values())
        for key in ("kinds", "missing", "moments", "levels"):
            old = getattr(client, key)
            setattr(client, key, {new[column]: value for column, value in old.items()})


def owners(told):
    """Return ``{column: [clients that have it]}``, the most common first."""
    found: dict = {}
    for name, client in told.items():
        for column in dict.fromkeys(client.columns):
            found.setdefault(column, []).append(name)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))
