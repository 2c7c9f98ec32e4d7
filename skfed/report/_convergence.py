"""Panel: the clients' losses over the rounds."""

import numpy as np

from ._curves import curves
from ._findings import Finding
from ._html import join, listed, number, paragraph, share
from ._table import table

STILL_FALLS = 0.05  # of the loss, in the last tenth of the rounds


def losses(history, of="loss"):
    """Return (clients, rounds, values of shape (n_clients, T)), NaN where absent."""
    frame = history.pivot_table(of, "client", "round", aggfunc="mean", sort=False)
    frame = frame.sort_index(axis=1)
    return list(frame.index), frame.columns.to_numpy(), frame.to_numpy(float)


def convergence_panel(estimator):
    """Return the panel."""
    history = estimator.history_
    if history.empty or not np.isfinite(history["loss"]).any():
        return paragraph("No loss was recorded: the network was not trained.")
    names, rounds, values = losses(history)
    first, last = _ends(values)
    text = (
        f"{len(names)} clients, {len(rounds)} rounds; the mean loss goes from "
        f"{number(first)} to {number(last)}."
    )
    parts = [
        paragraph(
            text,
            " Losses are those of each client's last local epoch, on the rows it "
            "trains on.",
        ),
        curves("Training loss by round", text, rounds, values, mark=_kept(estimator)),
    ]
    if history["valid_loss"].notna().any():
        known, valid_rounds, valid = losses(
            history.dropna(subset=["valid_loss"]), "valid_loss"
        )
        told = (
            f"Validation loss of {len(known)} clients over {len(valid_rounds)} rounds."
        )
        parts.append(
            curves(
                "Validation loss by round",
                told,
                valid_rounds,
                valid,
                mark=_kept(estimator),
            )
        )
    rows = []
    for name, curve in zip(names, values, strict=True):
        curve = curve[np.isfinite(curve)]
        if len(curve):
            rows.append(
                (
                    name,
                    len(curve),
                    number(curve[0]),
                    number(curve.min()),
                    number(curve[-1]),
                )
            )
    head = ["Client", "Rounds", "First", "Least", "Last"]
    parts.append(
        table("Loss of each client", head, rows, numbers=(1, 2, 3, 4), folded=True)
    )
    return join(parts)


def _kept(estimator):
    """Return the round whose weights were kept, if it is not the last."""
    best = getattr(estimator, "best_round_", None)
    return None if best == estimator.n_rounds_ else best


def _ends(values):
    mean = np.array([np.nanmean(c) for c in values.T if np.isfinite(c).any()])
    return mean[0], mean[-1]


def convergence_findings(estimator):
    """Return what to say of the rounds."""
    history = estimator.history_
    if history.empty or not np.isfinite(history["loss"]).any():
        return
    names, _, values = losses(history)
    broken = [n for n, c in zip(names, values, strict=True) if np.isinf(c).any()]
    if broken:
        yield Finding(
            "error",
            listed(broken),
            "",
            "its loss became infinite",
            "A smaller `net__lr`, or `strategy=NormClipping()`.",
        )
    mean = np.array([np.nanmean(c) for c in values.T if np.isfinite(c).any()])
    tenth = max(len(mean) // 10, 1)
    if len(mean) > 2 * tenth:
        before, after = mean[-2 * tenth : -tenth].mean(), mean[-tenth:].mean()
        if before - after > STILL_FALLS * abs(before):
            yield Finding(
                "note",
                "",
                "",
                f"the loss still fell by {share((before - after) / abs(before))} in "
                "the last "
                f"{tenth} rounds",
                f"More rounds than `n_rounds={estimator.n_rounds}`, with "
                "`early_stopping=True` to end in time.",
            )
    rising = [
        name
        for name, curve in zip(names, values, strict=True)
        if (c := curve[np.isfinite(curve)]).size > 4 and c[-1] > 1.2 * c[0] > 0
    ]
    if rising:
        yield Finding(
            "warning",
            listed(rising),
            "",
            "its training loss rose over the rounds",
            "`strategy=FedProx()` or `Scaffold()` against drift, or fewer "
            "`local_epochs`; the personalizer weighs its own models instead.",
        )
