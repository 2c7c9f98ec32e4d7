"""What a client sends to the FactorAligner's server, and what it withholds."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import column_or_1d

from ..exceptions import ClientError
from ..preprocessing._disclosure import nearly_constant
from ..preprocessing._federated import class_labels
from ._factor_fill import fill_rows
from ._patterns import missing_patterns


class Target(NamedTuple):
    """A target as the aligner reads it: labels with codes, or columns of numbers."""

    labels: list
    codes: np.ndarray | None
    numbers: list

    @property
    def n_columns(self):
        """Number of anchor columns the target becomes at this client."""
        return len(self.labels) + len(self.numbers)


def read_target(y, anchored):
    """Read a target by its dtype; nothing when labels do not anchor."""
    if y is None or not anchored:
        return Target([], None, [])
    labels = class_labels(y)
    if labels is None:
        numbers = _columns(y)
        if not np.isfinite(numbers).all():
            raise ClientError(
                "the target holds NaN or infinite values; remove those rows, or set "
                "anchor_labels=False"
            )
        return Target([], None, numbers)
    try:
        found, codes = np.unique(column_or_1d(labels), return_inverse=True)
        kinds = {type(label) for label in found.tolist()}
        if len(kinds) > 1 or not kinds <= {bool, int, str}:
            raise TypeError(f"labels of types {sorted(k.__name__ for k in kinds)}")
    except TypeError as error:
        raise ClientError(
            "labels must be all int, all str or all bool, and none missing; convert "
            "them, or set anchor_labels=False"
        ) from error
    return Target(found.tolist(), codes.ravel(), [])


def _columns(y):
    """Return the columns of numeric targets (n,) or (n, m) as list of arrays (n,)."""
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        return list(np.array(values.T, dtype=np.float64, order="C"))
    return [column_or_1d(y, dtype=np.float64)]


def withheld_classes(counts, min_count):
    """Return a mask (C,) of the classes whose sums may not leave.

    These are the classes with fewer than ``min_count`` rows. Together they are the
    total minus the rest, so when they still have fewer than ``min_count`` rows the
    next smallest classes join them.
    """
    withheld = (counts > 0) & (counts < min_count)
    for c in np.argsort(counts, kind="stable"):
        if not 0 < counts[withheld].sum() < min_count:
            break
        withheld[c] |= counts[c] > 0
    return withheld


def split_rows(X, n_anchors, min_count, withhold):
    """Split a table (n, d) with NaN into groups of rows that may leave as sums.

    A missing pattern with enough rows is a group of its own. The other rows form one
    group over the columns of which they observe enough cells, the NaN among them to
    be filled; when they are too few for that they join the fullest group. Nearly
    constant columns are left out of their group.

    Returns
    -------
    groups : list of (columns, rows)
        Index arrays (o,) and (n,). Empty when nothing may leave.
    per_column : bool
        Whether the table has too few rows for moments of pairs, so that every column
        is a group of its own.
    """
    groups, per_column = _group_rows(X, n_anchors, min_count, withhold)
    open_groups = []
    for columns, rows in groups:
        cells = X[np.ix_(rows, columns)]
        told = [
            not nearly_constant(column[~np.isnan(column)], min_count)
            for column in cells.T
        ]
        if any(told):
            open_groups.append((columns[told], rows))
    return open_groups, per_column


def _group_rows(X, n_anchors, min_count, withhold):
    """Group rows by missing pattern, rare patterns together; see split_rows."""
    observed = ~np.isnan(X)
    patterns, member, counts = missing_patterns(X)

    def needed(width):
        """Return how many rows fix no row: second moments of n <= width rows do."""
        return max(min_count, width + n_anchors + 1) if withhold else min_count

    widths = patterns.sum(axis=1)
    alone = (widths > 0) & (counts >= [needed(width) for width in widths])
    groups = [
        (np.flatnonzero(patterns[p]), np.flatnonzero(member == p))
        for p in np.flatnonzero(alone)
    ]
    rest = np.flatnonzero(~alone[member] & observed.any(axis=1))
    if rest.size == 0:
        return groups, False
    common = np.flatnonzero(observed[rest].sum(axis=0) >= min_count)
    if common.size and rest.size >= needed(common.size):
        return [*groups, (common, rest)], False
    if groups:
        place = max(range(len(groups)), key=lambda g: [len(part) for part in groups[g]])
        columns, rows = groups[place]
        groups[place] = (columns, np.sort(np.concatenate([rows, rest])))
        return groups, False
    single = np.flatnonzero(observed.sum(axis=0) >= min_count)
    return [(np.array([j]), np.flatnonzero(observed[:, j])) for j in single], True


def withheld_labels(X, y, anchored, min_count, withhold):
    """Return the labels that do not anchor at this client, in one group or more."""
    target = read_target(y, anchored)
    groups, per_column = split_rows(X, target.n_columns, min_count, withhold)
    if per_column or not groups:
        return list(target.labels)
    known = [_class_counts(target, rows, min_count)[1] for _, rows in groups]
    open_everywhere = np.all(known, axis=0) if target.labels else []
    return [
        label
        for label, is_open in zip(target.labels, open_everywhere, strict=True)
        if not is_open
    ]


def client_message(X, names, y, anchored, min_count, withhold):
    """Return the sums of a client's table; see FactorAligner for shapes and rules.

    Entries of blocks are concatenated: block b owns ``block_sizes[b]`` columns.
    """
    target = read_target(y, anchored)
    groups, per_column = split_rows(X, target.n_columns, min_count, withhold)
    n_targets, told = len(target.numbers), []
    for j, numbers in enumerate(target.numbers):
        if not any(nearly_constant(numbers[rows], min_count) for _, rows in groups):
            told.append(j)
    told = [] if per_column else told
    codes = None if per_column else target.codes
    target = Target(target.labels, codes, [target.numbers[j] for j in told])
    parts = [_summary(X, columns, rows, target, min_count) for columns, rows in groups]
    message = {
        "names": names,
        "n_rows": X.shape[0],
        "per_column": per_column,
        "labels": target.labels,
        "n_targets": n_targets,
        "targets": np.array(told, dtype=np.int64),
        "block_sizes": np.array([columns.size for columns, _ in groups], np.int64),
    }
    for key, (dtype, shape) in _entries(len(target.labels)).items():
        arrays = [np.empty(shape, dtype), *(part[key] for part in parts)]
        message[key] = np.concatenate(arrays).astype(dtype)
    return message


def _entries(n_labels):
    """Return the dtype and the shape for no block of every concatenated entry."""
    return {
        "counts": (np.int64, (0,)),
        "columns": (np.int64, (0,)),
        "means": (np.float64, (0,)),
        "scatters": (np.float64, (0,)),
        "class_counts": (np.int64, (0, n_labels)),
        "class_known": (np.bool_, (0, n_labels)),
        "class_means": (np.float64, (0, n_labels)),
        "target_means": (np.float64, (0,)),
        "target_scatters": (np.float64, (0,)),
        "target_crosses": (np.float64, (0,)),
    }


def _class_counts(target, rows, min_count):
    """Return the rows of every class in a group, and which of them may leave."""
    if target.codes is None:
        none = np.zeros(len(target.labels), dtype=np.int64)
        return none, none.astype(bool)
    counts = np.bincount(target.codes[rows], minlength=len(target.labels))
    return counts, ~withheld_classes(counts, min_count)


def _summary(X, columns, rows, target, min_count):
    """Return the entries of one block.

    Second moments are taken about the block's means, which loses no digits on columns
    that lie far from zero.
    """
    values, extra = fill_rows(X, rows, columns)
    mean = values.mean(axis=0)
    centred = values - mean
    class_counts, known = _class_counts(target, rows, min_count)
    class_counts = np.where(known, class_counts, 0)
    class_means = np.zeros((columns.size, class_counts.size))
    for c in np.flatnonzero(class_counts):
        class_means[:, c] = values[target.codes[rows] == c].mean(axis=0)
    entries = {
        "counts": [rows.size],
        "columns": columns,
        "means": mean,
        "scatters": (centred.T @ centred + extra).ravel(),
        "class_counts": class_counts[None],
        "class_known": known[None],
        "class_means": class_means,
        "target_means": [],
        "target_scatters": [],
        "target_crosses": [],
    }
    told = [numbers[rows] for numbers in target.numbers]
    if told:
        means = [numbers.mean() for numbers in told]
        deviations = [v - mean for v, mean in zip(told, means, strict=True)]
        crosses = [centred.T @ deviation for deviation in deviations]
        entries["target_means"] = means
        entries["target_scatters"] = [a @ b for a in deviations for b in deviations]
        entries["target_crosses"] = np.concatenate(crosses)
    return entries
