"""What the target means at a client, and how well its training rows know it."""

from typing import NamedTuple

import numpy as np

from ..exceptions import ClientError
from ._checks import check_each, check_number, client_name
from ._dials import flip_labels, other_concept, stream


class ClassTarget(NamedTuple):
    """Labels of one client: exchanged by its concept, blurred in training."""

    classes: np.ndarray
    shares: np.ndarray
    concept: np.ndarray | None
    noise: float
    seed: int
    client: int

    def train(self, codes):
        """Return training labels."""
        codes = self._exchange(codes)
        if self.noise > 0:
            seen = np.flatnonzero(self._shares() > 0)
            rng = stream(self.seed, "label_noise", self.client)
            codes = flip_labels(codes, seen, self.noise, rng)
        return self.classes[codes]

    def test(self, codes):
        """Return test labels."""
        return self.classes[self._exchange(codes)]

    def truth(self):
        """Return what the user may know about the target."""
        labels = self.classes.tolist()
        new = self.concept
        return {
            "label_shares": dict(zip(labels, self._shares().tolist(), strict=True)),
            "concept": None
            if new is None
            else dict(zip(labels, self.classes[new].tolist(), strict=True)),
            "label_noise": self.noise,
        }

    def _exchange(self, codes):
        return codes if self.concept is None else self.concept[codes]

    def _shares(self):
        """Return the shares of the labels as the client bears them."""
        if self.concept is None:
            return self.shares
        shares = np.empty_like(self.shares)
        shares[self.concept] = self.shares
        return shares


class NumberTarget(NamedTuple):
    """Numbers of one client: mirrored by its concept, blurred in training."""

    classes: np.ndarray
    shares: np.ndarray
    centre: float
    spread: float
    mirrored: bool
    noise: float
    seed: int
    client: int

    def train(self, y):
        """Return training targets."""
        rng = stream(self.seed, "label_noise", self.client)
        return self.test(y) + self.noise * self.spread * rng.standard_normal(len(y))

    def test(self, y):
        """Return test targets."""
        return 2 * self.centre - y if self.mirrored else y

    def truth(self):
        """Return what the user may know about the target."""
        bins = self.classes.tolist()
        return {
            "label_shares": dict(zip(bins, self.shares.tolist(), strict=True)),
            "concept": "mirrored" if self.mirrored else None,
            "label_noise": self.noise,
        }


def plan_targets(source, shares, concept_shift, label_noise, seed):
    """Return what each client makes of the target."""
    n_clients, n_classes = shares.shape
    share = check_number("concept_shift", concept_shift, 0, 1)
    order = stream(seed, "concept_shift").permutation(n_clients)
    changed = set(order[: round(share * n_clients)].tolist())
    is_class = source.task == "classification"
    noise = check_each(
        "label_noise", label_noise, n_clients, 0, 1 if is_class else np.inf
    )
    if not is_class:
        return [
            NumberTarget(
                source.classes,
                shares[k],
                source.centre,
                source.target_sd,
                k in changed,
                noise[k],
                seed,
                k,
            )
            for k in range(n_clients)
        ]
    lonely = [
        client_name(k, n_clients)
        for k in np.flatnonzero((noise > 0) & ((shares > 0).sum(axis=1) < 2))
    ]
    if lonely:
        raise ClientError(
            f"label_noise: {lonely} see one class only, no other can take its "
            "place: raise n_labels_per_client or set their label_noise to 0"
        )
    new = other_concept(n_classes, stream(seed, "exchange"))
    return [
        ClassTarget(
            source.classes, shares[k], new if k in changed else None, noise[k], seed, k
        )
        for k in range(n_clients)
    ]
