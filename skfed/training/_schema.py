"""What clients must agree on: columns, labels, units and the aligned width."""

import re
import warnings
from collections import Counter

import numpy as np

from ..data._pool import label_kind
from ..data._tables import sort_names
from ..exceptions import AlignmentWarning, ClientError


def warn_of_few_rows(plan, described):
    """Name clients with so few rows that their weights could tell of single rows."""
    few = {c: d["n_rows"] for c, d in described.items() if d["n_rows"] < plan.min_count}
    if few and len(described) > 1:
        warnings.warn(
            f"clients with fewer than min_count={plan.min_count} training rows take "
            f"part ({_listed(few)}); what they train can give their rows away, and "
            "their own statistics mean little: scaling='pooled' and "
            "target_scaling='pooled' suit them where all measure in the same units",
            AlignmentWarning,
            stacklevel=2,
        )


def column_mode(plan, described):
    """Say what unnamed columns mean, and refuse what cannot be."""
    widths = {c: d["width"] for c, d in described.items() if "width" in d}
    if not widths:
        return "named"
    names = {
        name for answer in described.values() for name in answer.get("columns", ())
    }
    counted = all(re.fullmatch(r"x\d+", name) for name in names)  # integer labels
    if plan.columns == "auto" and not counted:
        warnings.warn(
            f"the tables of clients {sort_names(widths)[:5]} have no column names, and "
            "others' have: their columns are called x0, x1, ... and match nobody "
            "else's; give DataFrames to all",
            AlignmentWarning,
            stacklevel=2,
        )
    if plan.columns != "auto":
        mode = plan.columns
    else:
        mode = "position" if len(set(widths.values())) == 1 else "own"
        prefixes = {str(client) for client in widths}
        if mode == "own" and len(prefixes) < len(widths):
            raise ClientError(
                f"clients {sort_names(widths)} have names that read the same; rename "
                "them, since they name their unnamed columns"
            )
        if mode == "own":
            warnings.warn(
                f"unnamed columns of different number ({_listed(widths)}) are taken as "
                "each client's own; give DataFrames whose equal columns have equal "
                "names, or set columns='position' or columns='own'",
                AlignmentWarning,
                stacklevel=2,
            )
    return mode


def warn_of_lonely_labels(labels):
    """Name clients none of whose labels occur at any other."""
    owners = Counter(label for own in labels.values() for label in set(own))
    for client, own in labels.items():
        alone = all(owners[label] == 1 for label in own)
        if alone and len(owners) > len(set(own)):
            warnings.warn(
                f"client {client!r}: its labels {own[:5]} occur at no other client; "
                "labels match by value, so check their spelling and type",
                AlignmentWarning,
                stacklevel=2,
            )


def told_columns(client, described, mode):
    """Return the names of a client's columns, as its table is read."""
    if "columns" in described:
        return described["columns"]
    prefix = f"{client}." if mode == "own" else ""
    return [f"{prefix}x{j}" for j in range(described["width"])]


def has_local_heads(asked, labels):
    """Say whether each client keeps a head of its own; "auto" if all labels differ."""
    if asked != "auto":
        return asked == "local"
    sizes = [len(set(own)) for own in labels.values()]
    return len(sizes) > 1 and sum(sizes) == len(set().union(*labels.values()))


def _listed(values, limit=6):
    shown = [f"{c!r}: {v}" for c, v in list(values.items())[:limit]]
    return ", ".join(shown) + (", ..." if len(values) > limit else "")


def union_of_labels(plan, labels):
    kinds: dict = {}
    for client, values in labels.items():
        kinds.setdefault(label_kind(np.asarray(values)), client)
    if len(kinds) > 1:
        (kind_a, a), (kind_b, b) = list(kinds.items())[:2]
        raise ClientError(
            f"labels of client {a!r} are {kind_a} and those of client {b!r} are "
            f"{kind_b}; labels match by value, so convert them to one type"
        )
    union = np.unique(np.concatenate([np.asarray(v) for v in labels.values()]))
    if plan.classes is not None:
        known = np.unique(np.asarray(plan.classes))
        for client, values in labels.items():
            unknown = [v for v in values if v not in known.tolist()]
            if unknown:
                raise ClientError(
                    f"client {client!r} has labels {unknown} that are not in "
                    f"classes={known.tolist()}"
                )
        union = known
    if len(union) < 2:
        what = f" that predict {plan.meaning!r}" if plan.meaning else ""
        raise ClientError(
            f"the classifier got one class only, {union.tolist()}, over all clients"
            f"{what}; it needs at least 2 classes"
        )
    return union.tolist()


def pooled_shares(classes, described):
    """Return the class shares of all clients' rows, none of them 0."""
    position = {label: i for i, label in enumerate(classes)}
    counts = np.full(len(classes), 0.5)
    for answer in described.values():
        for label, count in zip(answer["labels"], answer["label_counts"], strict=True):
            counts[position[label]] += count
    return counts / counts.sum()


def pooled_target(described):
    """Merge the targets' moments (Chan, Golub and LeVeque)."""
    n, mean, m2 = 0, 0.0, 0.0
    for answer in described.values():
        if "target_n" not in answer:
            continue
        k, delta = answer["target_n"], answer["target_mean"] - mean
        m2 += answer["target_m2"] + delta**2 * n * k / (n + k)
        mean += delta * k / (n + k)
        n += k
    if n == 0:
        most = max(d["n_rows"] for d in described.values())
        raise ClientError(
            "target_scaling='pooled' or unseen='align' needs a client with at least "
            f"min_count rows, not n_samples={most}"
        )
    scale = np.sqrt(m2 / n)
    return {
        "target_mean": mean,
        "target_scale": float(scale) if np.ndim(scale) == 0 else scale,
    }


def agreed(result, answers):
    """Check that all clients' aligned rows have the same columns."""
    first, reference = next(iter(answers.items()))
    names = reference["names"]
    for client, answer in answers.items():
        other = answer["names"]
        if len(other) != len(names):
            raise ClientError(
                f"no shared width: client {first!r} has {len(names)} columns after "
                f"alignment and client {client!r} has {len(other)}; use an aligner "
                "such as FactorAligner or UnionAligner (aligner='auto' does)"
            )
        if other != names:
            j = next(
                i
                for i, pair in enumerate(zip(names, other, strict=True))
                if pair[0] != pair[1]
            )
            raise ClientError(
                f"column {j} after alignment is {names[j]!r} at client {first!r} and "
                f"{other[j]!r} at client {client!r}; columns are averaged by position "
                "from here on, so use an aligner (aligner='auto' does)"
            )
        if not np.array_equal(answer["private"], reference["private"]):
            raise ClientError(
                f"clients {first!r} and {client!r} keep other columns private"
            )
    result.names = names
    result.private = reference["private"]
    shared = ~result.private
    if not shared.any():
        raise ClientError("all aligned columns are private; nothing can be shared")
    return {c: a["owned"][shared] for c, a in answers.items()}
