"""Clients as in FLIC's experiments: noisy features, linear maps, kinds of image.

A. Rakotomamonjy, M. Vono, H. J. Medina Ruiz, L. Ralaivola, "Personalised Federated
Learning on Heterogeneous Feature Spaces", 2024. The toys follow their recipe, with
three differences: fewer clients with as many rows each (theirs have 2000 training rows
per label, so that 100 clients have 155 rows each and 200 have 78), informative columns
that do not stand first, and no client with a single label. The digits stand in for
their images of two sizes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

N_LABELS, N_SIGNAL = 20, 5


class Draw(NamedTuple):
    """One draw of a setting; ``{client: (table, y)}`` twice.

    Columns of equal name are the same quantity. ``named`` says whether any are shared.
    ``bayes`` has the accuracy per client of the best possible rule, if that is known.
    """

    train: dict
    test: dict
    named: bool
    bayes: dict | None


def noisy_features(seed, n_clients, n_train=2000):
    """Five informative columns at every client, and up to ten of noise, shuffled."""
    rng = np.random.default_rng(seed)
    centres = 0.8 * rng.normal(size=(N_LABELS, N_SIGNAL))
    train, test, bayes = {}, {}, {}
    for client, hand, pairs in _deal(rng, centres, n_clients, n_train, 1000):
        bayes[client] = _bayes(*pairs[1], hand, centres)
        n_noise = rng.integers(1, 11)
        names = [f"signal{j}" for j in range(N_SIGNAL)]
        names += [f"{client} noise{j}" for j in range(n_noise)]
        order = rng.permutation(len(names))
        for part, (X, y) in zip((train, test), pairs, strict=True):
            X = np.hstack([X, rng.normal(size=(len(X), n_noise))])
            part[client] = pd.DataFrame(X, columns=names).iloc[:, order], y
    return Draw(train, test, True, bayes)


def linear_maps(seed, n_clients, n_train=2000):
    """Rows in five dimensions, seen by every client through a matrix of its own."""
    rng = np.random.default_rng(seed)
    centres = 0.5 * rng.normal(size=(N_LABELS, N_SIGNAL))
    train, test, bayes = {}, {}, {}
    for client, hand, pairs in _deal(rng, centres, n_clients, n_train, 2000):
        bayes[client] = _bayes(*pairs[1], hand, centres)  # the maps lose nothing
        mixing = rng.normal(size=(N_SIGNAL, rng.integers(5, 31)))
        for part, (X, y) in zip((train, test), pairs, strict=True):
            part[client] = pd.DataFrame(X @ mixing).add_prefix(f"{client} x"), y
    return Draw(train, test, False, bayes)


def kinds_of_image(seed, n_clients=14, n_rows=12, n_labels=5):
    """Digits as 64 pixels, as 16 means of four, or as a random 30 % of the pixels."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    pixels = [f"pixel {r} {c}" for r in range(8) for c in range(8)]
    means = [f"mean {r} {c}" for r in range(4) for c in range(4)]
    blocks = X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    full, coarse = pd.DataFrame(X, columns=pixels), pd.DataFrame(blocks, columns=means)
    left = {
        label: list(rng.permutation(np.flatnonzero(y == label))) for label in set(y)
    }
    hands = _hands(rng, np.repeat(np.arange(10), n_clients * n_labels // 10), n_labels)
    views, rows = {}, {}
    for k, hand in enumerate(hands):
        client = f"client {k:02}"
        kept = np.sort(rng.choice(64, 19, replace=False))
        views[client] = (full, coarse, full.iloc[:, kept])[k % 3]
        rows[client] = [left[label].pop() for label in hand for _ in range(n_rows)]
    unused = np.sort(np.concatenate(list(left.values())))
    train, test = {}, {}
    for client, view in views.items():
        own = unused[np.isin(y[unused], y[rows[client]])]
        train[client] = view.iloc[rows[client]].reset_index(drop=True), y[rows[client]]
        test[client] = view.iloc[own].reset_index(drop=True), y[own]
    return Draw(train, test, True, None)


def unnamed(draw):
    """Return the draw with columns whose names no other client has."""

    def own(part):
        found = {}
        for client, (X, y) in part.items():
            names = [f"{client} x{j}" for j in range(X.shape[1])]
            found[client] = X.set_axis(names, axis=1), y
        return found

    return Draw(own(draw.train), own(draw.test), False, draw.bayes)


def _deal(rng, centres, n_clients, n_train, n_test, hand_size=3):
    """Yield client, its hand of labels, and its training and test rows.

    Rows of a label are in equal shares among the cards of that label; training rows
    are then drawn with replacement, so that clients differ in size.
    """
    n_cards = hand_size * n_clients // N_LABELS
    cards = np.repeat(np.arange(N_LABELS), n_cards)
    for k, hand in enumerate(_hands(rng, cards, hand_size)[:n_clients]):
        pairs = []
        for n in (n_train // n_cards, n_test // n_cards):
            y = np.repeat(hand, n)
            pairs.append((centres[y] + rng.normal(size=(len(y), N_SIGNAL)), y))
        X, y = pairs[0]
        low, high = (0.05, 1.0) if rng.random() < 0.5 else (0.15, 0.35)
        n = int(rng.uniform(low, high) * len(y))
        keep = rng.integers(len(y), size=n)
        while len(set(y[keep])) < 2:
            keep = rng.integers(len(y), size=n)
        yield f"client {k:03}", hand, [(X[keep], y[keep]), pairs[1]]


def _hands(rng, cards, size):
    """Shuffle and cut until every hand has two labels or more."""
    while True:
        hands = rng.permutation(cards).reshape(-1, size)
        if all(len(set(hand)) > 1 for hand in hands):
            return hands


def _bayes(X, y, hand, centres):
    """Return the accuracy of the posterior under the true centres and label shares."""
    labels, counts = np.unique(hand, return_counts=True)
    squares = ((X[:, None] - centres[labels]) ** 2).sum(axis=2)
    best = labels[(np.log(counts) - squares / 2).argmax(axis=1)]
    return float(np.mean(best == y))
