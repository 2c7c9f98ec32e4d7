"""What a client of the FlicAligner does with its rows: pretraining, local epochs."""

from typing import NamedTuple

import numpy as np

from ..exceptions import ClientError
from ._flic_net import (
    Adam,
    backward,
    cross_entropy,
    forward,
    indicator,
    network,
    uniform,
    wasserstein,
)
from ._hashing import _digest
from ._prototype_client import read_classes


class Rows(NamedTuple):
    """A client's rows, in an order that no other order of the same rows changes.

    ``x`` (n, d_k) has the columns ``names``, sorted; ``codes`` are positions in the C
    common labels. ``moves`` (C,) says whose anchors this client may move;
    ``withheld`` are its labels of too few rows, ``unknown`` those that nobody has
    told, whose rows are not among ``x``.
    """

    x: np.ndarray
    codes: np.ndarray
    names: list
    moves: np.ndarray
    withheld: list
    unknown: list


def read_rows(X, names, y, shared, min_count):
    """Return the client's :class:`Rows` under the labels that were agreed."""
    classes = read_classes(y, shared, min_count)
    at = {label: c for c, label in enumerate(shared["labels"])}
    place = np.array([at.get(label, -1) for label in classes.labels])
    codes = place[classes.codes]
    known = codes >= 0
    if not known.any():
        error = ClientError(
            "no client may tell any of this client's labels: none has min_count="
            f"{min_count} rows anywhere; lower min_count, merge classes or leave this "
            "client out"
        )
        error.add_note(
            f"This client's labels {classes.labels} have min_count={min_count} rows "
            "nowhere."
        )
        raise error
    order = np.argsort(names, kind="stable")
    x, codes = X[known][:, order], codes[known]
    rows = np.lexsort((*x.T, codes))
    moves = np.zeros(len(at), dtype=bool)
    moves[[at[label] for label in classes.kept if label in at]] = True
    return Rows(
        x[rows],
        codes[rows],
        [names[j] for j in order],
        moves,
        classes.withheld,
        [c for c, p in zip(classes.labels, place, strict=True) if p < 0],
    )


def generator(seed, *purpose):
    """Return a generator that follows from seed and purpose on every machine."""
    text = "\n".join(["flic", *map(str, purpose)])
    return np.random.default_rng(int.from_bytes(_digest(seed, text), "little"))


def drawn_anchors(seed, labels, width, scale):
    """Return one anchor a label (C, q), whatever other labels there are."""
    draws = [
        generator(seed, "anchor", type(label).__name__, label).standard_normal(width)
        for label in labels
    ]
    return scale * np.array(draws)


def start_map(rows, seed, hidden, width):
    """Return phi before training; a column's weights follow from its name."""
    d = len(rows.names)
    phi = network(generator(seed, "map"), d, hidden, width)
    by_name = [
        uniform(generator(seed, "column", name), d, hidden) for name in rows.names
    ]
    return phi | {"W1": np.array(by_name)}


def start_head(seed, width, hidden, n_labels):
    """Return the classifier of the joint phase before training."""
    return network(generator(seed, "head"), width, hidden, n_labels)


def pretrained(phi, rows, anchors, rng, epochs, batch_size, learning_rate):
    """Return phi, fitted to send each class to its anchor."""
    adam = Adam({("phi", name): p for name, p in phi.items()}, learning_rate)
    phi = {name: adam.parameters["phi", name] for name in phi}
    for batch in _batches(len(rows.x), epochs, batch_size, rng):
        x, codes = rows.x[batch], rows.codes[batch]
        hidden, z = forward(phi, x)
        _, slope, _ = wasserstein(z, codes, anchors)
        gradients, _ = backward(phi, x, hidden, slope)
        adam.step({("phi", name): g for name, g in gradients.items()})
    return adam.copies("phi")


def joint_epochs(phi, head, rows, anchors, rng, settings):
    """Return phi, head and anchors after a client's epochs on the joint loss.

    ``settings`` holds the aligner's parameters by name.
    """
    parts = {"phi": phi, "head": head, "anchors": {"means": anchors}}
    start = {(part, name): p for part, net in parts.items() for name, p in net.items()}
    adam = Adam(start, settings["learning_rate"])
    n, size = len(rows.x), settings["batch_size"]
    for batch in _batches(n, settings["local_epochs"], size, rng):
        noise = rng.standard_normal((len(batch), anchors.shape[1]))
        x, codes = rows.x[batch], rows.codes[batch]
        adam.step(joint_loss(adam.parameters, x, codes, noise, rows.moves, settings)[1])
    moved = adam.copies("anchors")["means"]
    return adam.copies("phi"), adam.copies("head"), moved


def joint_loss(parameters, x, codes, noise, moves, settings):
    """Return a batch's joint loss and its gradients, by (part, name).

    The gradient is 0 for the anchors that may not move.
    """
    phi, head = _net(parameters, "phi"), _net(parameters, "head")
    means = parameters["anchors", "means"]
    to_map, to_anchor = settings["alignment_weight"], settings["anchor_loss_weight"]

    hidden, z = forward(phi, x)
    head_hidden, logits = forward(head, z)
    loss, slope = cross_entropy(logits, codes)
    head_slopes, z_slope = backward(head, z, head_hidden, slope)

    distances, pull, anchor_pull = wasserstein(z, codes, means)
    loss += to_map * distances.sum()
    phi_slopes, _ = backward(phi, x, hidden, z_slope + to_map * pull)

    samples = means[codes] + noise
    sample_hidden, logits = forward(head, samples)
    sample_loss, slope = cross_entropy(logits, codes)
    loss += to_anchor * sample_loss
    more, sample_slope = backward(head, samples, sample_hidden, slope)

    member = indicator(codes, len(means))
    mean_slope = to_map * anchor_pull + to_anchor * member.T @ sample_slope
    gradients = {("phi", name): g for name, g in phi_slopes.items()}
    for name, g in head_slopes.items():
        gradients["head", name] = g + to_anchor * more[name]
    gradients["anchors", "means"] = np.where(moves[:, None], mean_slope, 0.0)
    return loss, gradients


def _net(parameters, part):
    return {name: p for (own, name), p in parameters.items() if own == part}


def _batches(n, epochs, size, rng):
    """Yield the rows of every batch; each epoch is a new permutation of all."""
    for _ in range(epochs):
        order = rng.permutation(n)
        for start in range(0, n, size):
            yield order[start : start + size]
