"""FLIC's clients are drawn as the benchmark says."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.flic_draws import kinds_of_image, linear_maps, noisy_features, unnamed
from benchmarks.flic_toys import own_labels, summary

DRAWS = {
    "noisy": lambda seed: noisy_features(seed, 20, 200),
    "linear": lambda seed: linear_maps(seed, 20, 200),
    "images": kinds_of_image,
}


@pytest.mark.parametrize("build", DRAWS.values(), ids=DRAWS)
def test_a_draw_follows_from_its_seed(build):
    one, two, other = build(0), build(0), build(1)
    for client, (X, y) in one.train.items():
        pd.testing.assert_frame_equal(X, two.train[client][0])
        np.testing.assert_array_equal(y, two.train[client][1])
        assert len(set(y)) > 1
        assert list(X.columns) == list(one.test[client][0].columns)
        assert set(y) <= set(one.test[client][1])
    assert any(len(X) != len(other.train[c][0]) for c, (X, _) in one.train.items()) or (
        any((y != other.train[c][1]).any() for c, (_, y) in one.train.items())
    )


def test_the_best_rule_knows_the_centres():
    draw = noisy_features(0, 20, 2000)
    assert set(draw.bayes) == set(draw.train)
    assert 0.6 < np.mean(list(draw.bayes.values())) < 0.9
    for X, _ in draw.train.values():
        signal = [name for name in X if name.startswith("signal")]
        assert sorted(signal) == [f"signal{j}" for j in range(5)]
        assert 1 <= X.shape[1] - 5 <= 10


def test_unnamed_columns_are_shared_by_nobody():
    draw = unnamed(noisy_features(0, 20, 200))
    names = [name for X, _ in draw.train.values() for name in X]
    assert len(names) == len(set(names))


def test_images_come_in_three_kinds_and_no_row_twice():
    draw = kinds_of_image(0)
    widths = [X.shape[1] for X, _ in draw.train.values()]
    assert widths == ([64, 16, 19] * 5)[:14]
    full = pd.concat([X for X, _ in list(draw.train.values())[::3]])
    assert not full.duplicated().any()
    tested = pd.concat([X for X, _ in list(draw.test.values())[::3]]).drop_duplicates()
    assert not pd.concat([full, tested]).duplicated().any()


def test_answers_are_among_the_own_labels():
    P = np.array([[0.6, 0.3, 0.1], [0.0, 0.1, 0.9]])
    np.testing.assert_array_equal(
        own_labels(P, np.array([3, 5, 7]), np.array([5, 7, 7])), [5, 7]
    )


def test_differences_are_to_the_best_local_model():
    scores = {
        "local logistic regression": (0.5, 0.7),
        "local shrinkage LDA": (0.6, 0.8),
        "local MLP": (0.4, 0.4),
        "FLIC": (0.5, 0.9),
    }
    frame = pd.DataFrame(
        [
            {"method": m, "client": c, "accuracy": s, "seconds": 0.0, "seed": 0}
            for m, pair in scores.items()
            for c, s in zip("ab", pair, strict=True)
        ]
    )
    table, best = summary(frame)
    assert best == "local shrinkage LDA"
    row = table.loc["FLIC"]
    assert (row["win"], row["lose"]) == (0.5, 0.5)
    np.testing.assert_allclose(
        row[["gain", "worst"]].astype(float), [0, -0.1], atol=1e-9
    )
