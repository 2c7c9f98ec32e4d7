"""scikit-learn's own displays, drawn from the container."""

import numpy as np
import pytest
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
)
from sklearn.model_selection import (
    LearningCurveDisplay,
    ValidationCurveDisplay,
    cross_validate,
)

from skfed import pool
from tests.sklearn_oracle import (
    Oracle,
    make_named,
    pooled,
    small_classifier,
    small_regressor,
)

X, Y = pooled()


@pytest.fixture(autouse=True)
def agg():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


@pytest.fixture(params=["oracle", "federated"], scope="module")
def model(request):
    made = Oracle() if request.param == "oracle" else small_classifier(n_rounds=3)
    return made.fit(X, Y)


@pytest.mark.parametrize(
    "display", [RocCurveDisplay, PrecisionRecallDisplay, DetCurveDisplay]
)
def test_curves(display, model):
    found = display.from_estimator(model, X, Y)
    assert found.ax_.figure is found.figure_
    assert len(found.ax_.lines) >= 1


def test_roc_curve_has_the_area_of_the_scores(model):
    found = RocCurveDisplay.from_estimator(model, X, Y)
    auc = np.atleast_1d(found.roc_auc)[0]
    assert auc == 1.0 if isinstance(model, Oracle) else 0.5 < auc <= 1.0


def test_roc_curves_of_folds(model):
    results = cross_validate(
        model,
        X,
        Y,
        cv=3,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    found = RocCurveDisplay.from_cv_results(results, X, Y)
    assert len(found.fpr) == 3


def test_confusion_matrix(model):
    found = ConfusionMatrixDisplay.from_estimator(model, X, Y)
    assert found.confusion_matrix.sum() == 300
    assert np.trace(found.confusion_matrix) == (model.predict(X) == Y).sum()


def test_calibration(model):
    found = CalibrationDisplay.from_estimator(model, X, Y, n_bins=5)
    assert np.isfinite(found.prob_true).all()


def test_learning_curve(model):
    found = LearningCurveDisplay.from_estimator(
        model, X, Y, cv=3, shuffle=True, random_state=0, train_sizes=[0.5, 1.0]
    )
    assert found.test_scores.shape == (2, 3)
    assert np.isfinite(found.test_scores).all()


def test_validation_curve(model):
    name = "flip" if isinstance(model, Oracle) else "local_epochs"
    found = ValidationCurveDisplay.from_estimator(
        model, X, Y, param_name=name, param_range=[0, 1] if name == "flip" else [1, 2],
        cv=3,
    )  # fmt: skip
    assert np.isfinite(found.test_scores).all()


def test_prediction_error_of_a_regressor():
    data, target = pool(make_named(regression=True))
    model = small_regressor().fit(data, target)
    found = PredictionErrorDisplay.from_estimator(model, data, target)
    assert found.y_pred.shape == target.shape
