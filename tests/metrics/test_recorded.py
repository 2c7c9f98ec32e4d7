import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score

from skfed.metrics._recorded import (
    RecordedClassifier,
    bootstrap_scores,
    mean_scores,
    record,
    standard_error,
)


def recorded(predicted, classes=(0, 1)):
    predicted = np.asarray(predicted)
    proba = np.eye(len(classes))[np.searchsorted(classes, predicted)]
    return RecordedClassifier(predicted, proba, np.asarray(classes))


def accuracy(model, X, y):
    return accuracy_score(y, model.predict(X))


def test_bootstrap_has_the_standard_error_of_paired_rows():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    a, b = (np.where(rng.random(200) < p, truth, 1 - truth) for p in (0.9, 0.7))
    repeats = [(np.arange(200), truth, {"a": recorded(a), "b": recorded(b)})]
    found = bootstrap_scores(accuracy, repeats, ["a", "b"], 1000, rng)
    gains = (a == truth).astype(float) - (b == truth)
    expected = gains.std() / np.sqrt(200)
    assert standard_error(found["a"] - found["b"]) == pytest.approx(expected, rel=0.08)
    scores = mean_scores(accuracy, repeats, ["a", "b"])
    assert found["a"].mean() == pytest.approx(scores["a"], abs=0.005)


def test_bootstrap_takes_a_row_with_all_its_predictions():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=50)
    model = {"a": recorded(np.where(rng.random(50) < 0.7, truth, 1 - truth))}
    once = [(np.arange(50), truth, model)]
    twice = {"a": recorded(np.tile(model["a"].predicted, 2))}
    doubled = [(np.tile(np.arange(50), 2), np.tile(truth, 2), twice)]
    expected, *others = (
        bootstrap_scores(accuracy, r, ["a"], 50, np.random.default_rng(1))["a"]
        for r in (once, once * 3, doubled)
    )
    for found in others:
        np.testing.assert_allclose(found, expected)


def test_standard_error_of_what_is_unknown():
    assert np.isnan(standard_error(np.array([np.nan, np.nan])))
    assert np.isnan(standard_error(np.array([1.0, np.nan])))
    assert standard_error(np.array([1.0, 3.0, np.nan])) == np.sqrt(2)


def test_folds_with_other_classes_are_joined_by_label():
    first = DummyClassifier(strategy="prior").fit([[0]] * 4, ["u", "v", "v", "v"])
    second = DummyClassifier(strategy="prior").fit([[0]] * 2, ["v", "w"])
    parts = [
        (m.predict([[0]]), m.predict_proba([[0]]), m.classes_) for m in (first, second)
    ]
    joined = record(parts, np.array(["u", "v", "w"]))
    np.testing.assert_array_equal(
        joined.predict_proba(np.arange(2)), [[0.25, 0.75, 0], [0, 0.5, 0.5]]
    )
    assert joined.predict(np.array([1, 0])).tolist() == ["v", "v"]
