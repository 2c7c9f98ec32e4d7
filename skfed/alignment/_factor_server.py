"""What the FactorAligner's server makes of the clients' sums."""

from typing import NamedTuple

import numpy as np

from ..exceptions import ClientError


class Summary(NamedTuple):
    """One block of one client, read from its message.

    ``columns`` index the union of names; ``labels`` are the union's label columns with
    ``label_counts`` and ``label_means`` (o, C); labels with ``label_known`` False are
    not observed by this block. ``targets`` are the numeric targets it tells, as
    ``{number of the target: (mean, scatters with all, cross)}``.
    """

    client: str
    columns: np.ndarray
    n: float
    mean: np.ndarray
    scatter: np.ndarray
    label_counts: np.ndarray
    label_means: np.ndarray
    label_known: np.ndarray
    targets: dict


def label_union(statistics):
    """Return the sorted labels of all clients, which must be of one type."""
    kinds: dict[str, list[str]] = {}
    union = set()
    for client, message in statistics.items():
        for kind in {type(label).__name__ for label in message["labels"]}:
            kinds.setdefault(kind, []).append(client)
        union.update(message["labels"])
    if len(kinds) > 1:
        raise ClientError(
            f"labels are of different types between clients: {kinds}; convert them to "
            "one type"
        )
    return sorted(union)


def read_blocks(statistics, schema, labels):
    """Return every client's blocks, client by client."""
    place = {name: j for j, name in enumerate(schema)}
    label_place = {label: c for c, label in enumerate(labels)}
    blocks = []
    for client, message in statistics.items():
        _check_shapes(message)
        own = np.array([place[name] for name in message["names"]], dtype=np.intp)
        mine = np.array([label_place[label] for label in message["labels"]], np.intp)
        sizes = message["block_sizes"]
        stops, square_stops = np.cumsum(sizes), np.cumsum(sizes**2)
        for b, size in enumerate(sizes):
            span = slice(stops[b] - size, stops[b])
            square = slice(square_stops[b] - size**2, square_stops[b])
            # A label that no row of the client has is known to be nowhere; a client
            # without any labels knows nothing of them.
            known = np.full(len(labels), mine.size > 0 and not message["per_column"])
            counts, means = np.zeros(len(labels)), np.zeros((size, len(labels)))
            known[mine] = message["class_known"][b]
            counts[mine] = message["class_counts"][b]
            means[:, mine] = message["class_means"][span]
            blocks.append(
                Summary(
                    client,
                    own[message["columns"][span]],
                    float(message["counts"][b]),
                    message["means"][span],
                    message["scatters"][square].reshape(size, size),
                    counts,
                    means,
                    known,
                    _targets(message, b, span),
                )
            )
    return blocks


def _check_shapes(message):
    """Raise ValueError unless the arrays of a message belong together."""
    sizes, t = message["block_sizes"], len(message["targets"])
    n_blocks, total = len(sizes), int(sizes.sum())
    C = len(message["labels"])
    wanted = {
        "columns": (total,),
        "counts": (n_blocks,),
        "means": (total,),
        "scatters": (int((sizes**2).sum()),),
        "class_known": (n_blocks, C),
        "class_counts": (n_blocks, C),
        "class_means": (total, C),
        "target_means": (n_blocks * t,),
        "target_scatters": (n_blocks * t**2,),
        "target_crosses": (total * t,),
    }
    for name, shape in wanted.items():
        if message[name].shape != shape:
            raise ValueError(
                f"{name!r} has shape {message[name].shape}; expected {shape}"
            )


def _targets(message, b, span):
    """Return what block b of a message, with the columns at ``span``, tells of them."""
    told = message["targets"].tolist()
    t, o = len(told), span.stop - span.start
    first = span.start * t
    found = {}
    for i, target in enumerate(told):
        scatters = message["target_scatters"][(b * t + i) * t : (b * t + i + 1) * t]
        cross = message["target_crosses"][first + i * o : first + (i + 1) * o]
        mean = message["target_means"][b * t + i]
        found[target] = mean, dict(zip(told, scatters, strict=True)), cross
    return found


def target_scales(blocks, statistics):
    """Return mean and deviation of the numeric targets, up to the last that is told."""
    widths = {m["n_targets"]: c for c, m in statistics.items() if m["n_targets"]}
    if len(widths) > 1:
        (m, a), (other, b) = list(widths.items())[:2]
        raise ClientError(
            f"client {a!r} has targets in {m} columns and client {b!r} in {other}; "
            "give the same targets to all clients"
        )
    told = [target for block in blocks for target in block.targets]
    return [target_scale(blocks, j) for j in range(max(told, default=-1) + 1)]


def pooled_scale(blocks, n_columns):
    """Return mean and standard deviation of every column over its owners' rows.

    Columns without rows get mean 0, and those that do not vary deviation 1.
    """
    count, mean, squares, size = np.zeros((4, n_columns))
    for block in blocks:
        count[block.columns] += block.n
        mean[block.columns] += block.n * block.mean
        size[block.columns] = np.maximum(size[block.columns], np.abs(block.mean))
    count = np.maximum(count, 1.0)
    mean /= count
    for block in blocks:
        shift = block.mean - mean[block.columns]
        squares[block.columns] += np.diag(block.scatter) + block.n * shift**2
    scale = np.sqrt(squares / count)
    # Equal cells leave rounding errors of the order of their size, not zero.
    constant = scale <= 100 * np.finfo(float).eps * size
    return mean, np.where(constant, 1.0, scale)


def label_shares(blocks, n_labels):
    """Return each label's share of rows, averaged over the clients that tell it.

    The plain mean over clients keeps one large client from deciding it.
    """
    rows: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    for block in blocks:
        told = rows.setdefault(block.client, np.zeros(n_labels))
        told += block.n * block.label_known
        counts.setdefault(block.client, np.zeros(n_labels))[:] += block.label_counts
    total, tellers = np.zeros((2, n_labels))
    for client, told in rows.items():
        total += counts[client] / np.maximum(told, 1.0)
        tellers += told > 0
    return total / np.maximum(tellers, 1.0)


def target_scale(blocks, target):
    """Return mean and deviation of a numeric target over all rows that have one."""
    known = [
        (block.n, block.targets[target][0], block.targets[target][1][target])
        for block in blocks
        if target in block.targets
    ]
    if not known:
        return 0.0, 1.0
    n, means, scatters = np.array(known).T
    mean = n @ means / n.sum()
    variance = (scatters.sum() + n @ (means - mean) ** 2) / n.sum()
    return mean, np.sqrt(variance) if variance > 0 else 1.0


def standardised(blocks, mean, scale, shares, targets, strength):
    """Return ``(columns, n, A)`` of every block in the units of the factor model.

    Columns are the D features, then the C labels, then the numeric targets, of which
    ``targets`` holds mean and deviation. A label
    column is ``strength (1[y = c] - p) / sqrt(p (1 - p) + 1e-6)``: an affine map of
    the one-hot column, so its moments follow from counts and class means.
    """
    slope = strength / np.sqrt(shares * (1 - shares) + 1e-6)
    level = -slope * shares
    ready = []
    for block in blocks:
        d = block.columns
        centre = (block.mean - mean[d]) / scale[d]
        features = block.scatter / np.outer(scale[d], scale[d])
        features = features + block.n * np.outer(centre, centre)
        known = np.flatnonzero(block.label_known)
        counts, a, b = block.label_counts[known], slope[known], level[known]
        sums = (block.label_means[:, known] - mean[d, None]) / scale[d, None] * counts
        cross = a * sums + b * block.n * centre[:, None]
        own, other = np.outer(counts * a, b), np.diag(counts * a**2)
        among = own + own.T + other + block.n * np.outer(b, b)
        columns = [d, len(mean) + known]
        moments = np.block([[features, cross], [cross.T, among]])
        for j in block.targets:
            moments = _with_target(
                j, moments, block, centre, scale[d], targets, strength
            )
            columns.append([len(mean) + len(shares) + j])
        joined = np.concatenate(columns)
        order = np.argsort(joined)
        ready.append((joined[order], block.n, moments[np.ix_(order, order)]))
    return ready


def _with_target(j, moments, block, centre, scale, targets, strength):
    """Return the moments with the standardised target j as last column."""
    y_mean, y_scale = targets[j]
    own_mean, scatters, cross = block.targets[j]
    y_centre = (own_mean - y_mean) / y_scale
    with_features = strength * (cross / scale / y_scale + block.n * centre * y_centre)
    with_itself = strength**2 * (scatters[j] / y_scale**2 + block.n * y_centre**2)
    with_earlier = []
    for i in block.targets:
        if i == j:
            break
        x_mean, x_scale = targets[i]
        x_centre = (block.targets[i][0] - x_mean) / x_scale
        shared = scatters[i] / x_scale / y_scale + block.n * x_centre * y_centre
        with_earlier.append(strength**2 * shared)
    column = np.concatenate([with_features, with_earlier, [with_itself]])[:, None]
    return np.block([[moments, column[:-1]], [column.T]])
