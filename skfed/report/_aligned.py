"""Panel: how the clients' columns were brought into one space."""

from typing import Any

from ._findings import Finding
from ._html import Html, fold, join, listed, paragraph, tag
from ._table import cell, table


def aligned_panel(estimator):
    """Return the panel."""
    names = list(estimator.aligned_names_)
    parts: list[Html] = [
        paragraph(f"The clients' rows have {len(names)} aligned columns.")
    ]
    parts += [paragraph(text) for text in _diagnostics(estimator)]
    owned = owned_columns(estimator)
    if any(owned.values()):
        rows = [
            (
                client,
                len(estimator.client_features_[client]),
                len(own),
                len(names) - len(own),
                cell(listed([n for n in names if n not in own], 8), class_="long"),
            )
            for client, own in owned.items()
        ]
        head = [
            "Client",
            "Columns of its table",
            "Aligned columns it owns",
            "Filled in",
            "Which are filled in",
        ]
        parts.append(table("Owned columns", head, rows, numbers=(1, 2, 3)))
    else:
        widths = [(c, len(own)) for c, own in estimator.client_features_.items()]
        head = ["Client", "Columns of its table"]
        parts.append(table("Columns of each client", head, widths, numbers=(1,)))
    items = [tag("li", name) for name in names[:500]]
    if len(names) > 500:
        items.append(tag("li", f"and {len(names) - 500} more"))
    parts.append(fold(f"The {len(names)} aligned columns", tag("ul", *items)))
    return join(parts)


def owned_columns(estimator):
    """Return ``{client: aligned columns that it has itself}``, by name."""
    names = set(estimator.aligned_names_)
    owned = {}
    for client in estimator.client_names_:
        pipeline: Any = getattr(estimator, "pipelines_", {}).get(client)
        try:
            own = pipeline.named_steps["encode"].get_feature_names_out()
        except (AttributeError, KeyError, TypeError, ValueError):
            own = estimator.client_features_[client]  # an encoder without names
        owned[client] = names & {str(name) for name in own}
    return owned


def _diagnostics(estimator):
    """Yield what the aligner says of itself, which is the same at all clients."""
    pipelines = getattr(estimator, "pipelines_", {})
    if not pipelines:
        yield "The sites keep their Pipelines, and with them what the aligner chose."
        return
    steps = next(iter(pipelines.values())).named_steps
    aligner = steps.get("align")
    if hasattr(aligner, "choice_"):
        choice = aligner.choice_.replace("_", " ")
        yield f"AutoAligner chose {choice}: {aligner.reason_}."
        aligner = aligner.aligner_
    elif aligner is not None:
        yield f"Aligner: {type(aligner).__name__}."
    if hasattr(aligner, "n_components_"):
        yield f"{type(aligner).__name__} has {aligner.n_components_} components."
    if hasattr(aligner, "noise_variance_") and hasattr(aligner, "columns_"):
        noise = dict(
            zip(
                aligner.columns_,
                _each(aligner.noise_variance_, len(aligner.columns_)),
                strict=True,
            )
        )
        most = sorted(noise, key=lambda name: -noise[name])[:5]
        least = sorted(noise, key=noise.__getitem__)[:5]
        yield (
            "Columns that the components explain best: "
            + ", ".join(f"{n} ({1 - noise[n]:.0%})" for n in least)
            + "; worst: "
            + ", ".join(f"{n} ({1 - noise[n]:.0%})" for n in most)
            + " (share of variance)."
        )
    withheld = getattr(aligner, "withheld_labels_", None)
    if withheld:
        yield f"Labels that too few rows have to serve as anchors: {listed(withheld)}."


def _each(values, n):
    """Return one number for each of n columns."""
    return (
        [float(values)] * n
        if not hasattr(values, "__len__")
        else [float(v) for v in values]
    )


def aligned_findings(estimator):
    """Name clients that own few of the aligned columns."""
    names = list(estimator.aligned_names_)
    owned = owned_columns(estimator)
    if len(owned) < 2 or not any(owned.values()):
        return
    few = [client for client, own in owned.items() if len(own) < 0.1 * len(names)]
    if few:
        yield Finding(
            "note",
            listed(few),
            "",
            "owns under a tenth of the aligned columns; the rest is filled in for it",
            "Nothing to do while it gains; else `SharedPrivateAligner()` or "
            "`IntersectionAligner(min_clients=...)`.",
        )
