"""What the FactorAligner's clients held back, told by client and name."""

import warnings

import numpy as np

from ..exceptions import AlignmentWarning


def warn_of_withheld(statistics, blocks, schema, min_count):
    """Warn once of all rows, columns and labels that the model did not learn from."""
    told: dict[str, set[str]] = {client: set() for client in statistics}
    for block in blocks:
        told[block.client].update(schema[j] for j in block.columns)
    notes = []
    for client, message in statistics.items():
        silent = [name for name in message["names"] if name not in told[client]]
        labels = _withheld(message)
        if not told[client]:
            notes.append(
                f"client {client!r} ({message['n_rows']} rows) sends nothing: no "
                f"column has min_count={min_count} cells, of which as many differ "
                "from the commonest; give it more rows or lower min_count"
            )
            continue
        if message["per_column"]:
            notes.append(
                f"client {client!r} has {message['n_rows']} rows for "
                f"{len(message['names'])} columns and {len(labels)} labels, so that "
                "second moments could give its rows away: it sends moments of single "
                "columns and nothing of the target; give it fewer columns, or set "
                "small_clients='send'"
            )
        elif labels:
            notes.append(
                f"client {client!r} withholds the sums of labels {labels}, numbered in "
                f"the order of all labels: fewer than min_count={min_count} rows, or "
                "needed to hide those; the model learns less of them there"
            )
        elif len(message["targets"]) < message["n_targets"]:
            hidden = np.setdiff1d(np.arange(message["n_targets"]), message["targets"])
            which = (
                f"targets {hidden.tolist()}" if message["n_targets"] > 1 else "target"
            )
            notes.append(
                f"client {client!r} withholds its {which}, of which fewer than "
                f"min_count={min_count} values differ from all others"
            )
        if silent:
            notes.append(
                f"client {client!r} withholds columns {silent}: fewer than "
                f"min_count={min_count} cells are observed, or differ from all others; "
                "drop or merge such columns, or lower min_count"
            )
    everywhere = [name for name in schema if not any(name in t for t in told.values())]
    if everywhere:
        notes.append(
            f"no client tells of columns {everywhere}: they pass unchanged where owned "
            "and are 0 elsewhere"
        )
    if notes:
        warnings.warn(
            "FactorAligner: " + ". ".join(notes), AlignmentWarning, stacklevel=2
        )


def _withheld(message):
    """Return the labels that a client's message leaves out of some block."""
    hidden = ~np.all(message["class_known"], axis=0)
    pairs = zip(message["labels"], hidden, strict=True)
    return [label for label, is_hidden in pairs if is_hidden]
