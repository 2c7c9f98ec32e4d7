"""The residual columns beside the shared ones."""

import numpy as np
import pytest

from benchmarks.heterogeneity import simulated
from benchmarks.residual import ResidualAnchorAligner
from skfed.alignment import AnchorAligner
from skfed.testing import check_aligner

ANCHORS = simulated.anchor_names(10)


def fit(aligner, clients):
    """Return the aligned training rows of each client."""
    shared = None
    for _ in range(aligner.n_exchanges):
        sent = {
            name: aligner.client_statistics(X, y, shared)
            for name, (X, y) in clients.items()
        }
        shared = aligner.merge(sent, shared)
    return {
        name: aligner.fit_shared_transform(X, y, shared)
        for name, (X, y) in clients.items()
    }


def test_it_is_an_aligner():
    check_aligner(ResidualAnchorAligner(list(range(10))))


@pytest.mark.parametrize("data", ["cancer", "diabetes"])
def test_residual_columns_stand_beside_the_shared_ones(data):
    (split,) = simulated.deal(0, data, 60, 3, maps=True, anchors=10).splits
    shared = fit(AnchorAligner(ANCHORS), split.train)
    both = fit(ResidualAnchorAligner(ANCHORS, n_private=8, scale=0.5), split.train)
    for name, Z in shared.items():
        q = Z.shape[1]
        np.testing.assert_array_equal(both[name][:, :q], Z)
        R = both[name][:, q:]
        assert R.shape[1] == 8
        np.testing.assert_allclose(R.mean(axis=0), 0, atol=1e-9)
        assert R.std(axis=0).max() == pytest.approx(0.5)
        rank = np.linalg.matrix_rank(R)
        gram = R.T @ R  # principal directions of one matrix do not correlate
        np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-8)
        assert not R[:, rank:].any()
        assert np.linalg.matrix_rank(np.hstack([Z, R])) == q + rank


def test_nothing_is_left_where_the_shared_columns_span_all():
    (split,) = simulated.deal(0, "diabetes", 60, 3, maps=True, anchors=10).splits
    aligner = ResidualAnchorAligner(ANCHORS)
    aligner.n_components = 10  # as many as the clients have columns
    for Z in fit(aligner, split.train).values():
        assert not Z[:, 10:].any()
