"""scikit-learn's callbacks: one communication round is one subtask of the fit."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from torch.nn.utils import parameters_to_vector

from skfed import ClientData, InProcessFederation, pool
from skfed.alignment import SharedPrivateAligner
from tests.sklearn_oracle import (
    make_frame,
    make_named,
    small_classifier,
    small_regressor,
)

CLIENTS = make_named()
X, Y = pool(CLIENTS)


class Recorder:
    """Keeps what each hook was told."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.calls.append(("end", context.task_name))
        n_ended = sum(call[0] == "end" for call in self.calls)
        return self.stop_after is not None and n_ended >= self.stop_after


class Keeper:
    """Keeps every round's fitted estimator and the data it was shown."""

    def setup(self, estimator, context):
        self.fitted, self.seen, self.proba, self.weights = [], [], [], []

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ):
        if fitted_estimator is not None:
            self.fitted.append(fitted_estimator)
            self.seen.append((X, y))
            self.proba.append(fitted_estimator.predict_proba(X))
            self.weights.append(flat_weights(fitted_estimator))


def flat_weights(model):
    return parameters_to_vector(model.net_.module_.parameters()).detach().clone()


class StopWhenFlat:
    """Stops when the training score has not risen for some rounds."""

    def __init__(self, patience=2):
        self.patience = patience

    def setup(self, estimator, context):
        self.best, self.bad = -np.inf, 0

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ):
        if fitted_estimator is not None:
            score = fitted_estimator.score(X, y)
            self.bad = 0 if score > self.best else self.bad + 1
            self.best = max(score, self.best)
            return self.bad >= self.patience


def test_rounds_are_subtasks_in_order():
    recorder = Recorder()
    small_classifier(n_rounds=2).set_callbacks(recorder).fit(X, Y)
    begun = [call[1] for call in recorder.calls if call[0] == "begin"]
    assert recorder.calls[0] == "setup" and recorder.calls[-1] == "teardown"
    assert begun == ["fit", "round 1", "round 2"]
    assert [call[1] for call in recorder.calls if call[0] == "end"] == [
        "round 1",
        "round 2",
        "fit",
    ]


def test_teardown_follows_an_error_in_a_round():
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("the disk is full")

    failing = Failing()
    with pytest.raises(RuntimeError, match="disk is full"):
        small_classifier().set_callbacks(failing).fit(X, Y)
    assert failing.calls[-1] == "teardown"


def test_an_error_before_the_first_round_leaves_nothing_behind():
    recorder = Recorder()
    model = small_classifier(aligner="passthrough").set_callbacks(recorder)
    with pytest.raises(ValueError, match="after alignment"):
        model.fit(X, Y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown")
    model.set_params(aligner="auto").fit(X, Y)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown")
    assert ("end", "round 2") in recorder.calls


def test_a_callback_stops_the_fit():
    model = small_classifier(n_rounds=50).set_callbacks(Recorder(stop_after=3))
    model.fit(X, Y)
    assert model.n_rounds_ == 3
    assert model.history_["round"].max() == 3
    same = small_classifier(n_rounds=3).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), same.predict_proba(X))


@pytest.mark.parametrize("form", ["container", "dict", "frame", "plain"])
def test_stopping_by_the_score_works_in_every_form(form):
    data, params = {
        "container": ((X, Y), {}),
        "dict": ((CLIENTS,), {}),
        "frame": (make_frame(), {"client_column": "site"}),
        "plain": (CLIENTS["site0"], {}),
    }[form]
    model = small_classifier(n_rounds=60, **params).set_callbacks(StopWhenFlat())
    model.fit(*data)
    assert 2 < model.n_rounds_ < 60
    model.fit(*data)  # setup makes the callback fresh
    assert 2 < model.n_rounds_ < 60


def test_callbacks_see_container_and_flat_target_whatever_the_form():
    keeper = Keeper()
    small_classifier().set_callbacks(keeper).fit(CLIENTS)
    for seen, y in keeper.seen:
        assert type(seen) is ClientData
        assert seen.client.tolist() == X.client.tolist()
        np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"aligner": SharedPrivateAligner()},
        {
            "aligner": SharedPrivateAligner(),
            "federation": InProcessFederation(isolate=True),
        },
        {"client_fraction": 0.5, "aligner": SharedPrivateAligner()},
    ],
    ids=["default", "private columns", "isolated", "some clients a round"],
)
def test_later_rounds_do_not_change_an_earlier_fitted_estimator(params):
    keeper = Keeper()
    model = small_classifier(n_rounds=4, **params).set_callbacks(keeper)
    model.fit(X, Y)
    assert len(keeper.fitted) == 4
    for n, fitted in enumerate(keeper.fitted):
        np.testing.assert_array_equal(fitted.predict_proba(X), keeper.proba[n])
        assert torch.equal(flat_weights(fitted), keeper.weights[n])
    assert not np.array_equal(keeper.proba[0], keeper.proba[-1])
    np.testing.assert_array_equal(keeper.proba[-1], model.predict_proba(X))
    assert torch.equal(keeper.weights[-1], flat_weights(model))
    for n, fitted in enumerate(keeper.fitted, start=1):
        alone = clone(model).set_callbacks().set_params(n_rounds=n).fit(X, Y)
        np.testing.assert_array_equal(fitted.predict_proba(X), alone.predict_proba(X))


def test_callbacks_do_not_change_the_model():
    plain = small_classifier().fit(X, Y)
    watched = small_classifier().set_callbacks(Keeper()).fit(X, Y)
    np.testing.assert_array_equal(plain.predict_proba(X), watched.predict_proba(X))


def test_clone_keeps_callbacks_and_params_do_not_show_them():
    keeper = Keeper()
    model = small_classifier().set_callbacks(keeper)
    clone(model).fit(X, Y)
    assert len(keeper.fitted) == 2
    assert not [name for name in model.get_params() if "callback" in name]
    clone(model).set_callbacks().fit(X, Y)
    assert len(keeper.fitted) == 2


def test_a_class_instead_of_an_instance_is_refused():
    with pytest.raises(TypeError):
        small_classifier().set_callbacks(Keeper)


@pytest.mark.parametrize(
    "model, y, scoring",
    [
        (small_classifier(n_rounds=3), Y, ["accuracy", "neg_log_loss"]),
        (small_regressor(n_rounds=3), (Y == "yes") * 1.0, ["r2"]),
    ],
    ids=["classifier", "regressor"],
)
def test_scoring_monitor_logs_every_round(model, y, scoring):
    monitor = ScoringMonitor(scoring=scoring)
    model.set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs().data
    assert [entry["task_name"] for entry in log] == ["round 1", "round 2", "round 3"]
    for name in scoring:
        assert np.isfinite([entry[name] for entry in log]).all()
    frame = monitor.get_logs().data_as_pandas
    assert len(frame) == 3
    if "accuracy" in scoring:
        assert log[-1]["accuracy"] == model.score(X, y)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_scoring_monitor_logs_every_candidate_and_fold(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(
        small_classifier().set_callbacks(monitor),
        {"local_epochs": [1, 2]},
        cv=3,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, Y)
    log = monitor.get_logs().data
    n_rounds = 2
    assert len(log) == (2 * 3 + 1) * n_rounds
    assert np.isfinite([entry["accuracy"] for entry in log]).all()
    last = [entry["accuracy"] for entry in log if entry["task_name"] == "round 2"]
    assert search.score(X, Y) in last


def test_stopping_inside_cross_validation():
    model = small_classifier(n_rounds=40).set_callbacks(StopWhenFlat())
    scores = cross_val_score(model, X, Y, cv=3, error_score="raise")
    assert scores.min() > 0.6


@pytest.mark.parametrize("outer", ["estimator", "pipeline", "search"])
def test_progress_bar_on_the_outermost(outer, capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    model = {
        "estimator": lambda: small_classifier(),
        "pipeline": lambda: make_pipeline("passthrough", small_classifier()),
        "search": lambda: GridSearchCV(
            small_classifier(), {"local_epochs": [1]}, cv=3, error_score="raise"
        ),
    }[outer]()
    model.set_callbacks(ProgressBar()).fit(X, Y)
    assert "100%" in capsys.readouterr().out
    assert model.score(X, Y) > 0.5


def test_progress_bar_on_an_inner_estimator_is_refused():
    pytest.importorskip("rich")
    inner = small_classifier().set_callbacks(ProgressBar())
    with pytest.raises(TypeError, match="ProgressBar"):
        GridSearchCV(inner, {}, cv=3, error_score="raise").fit(X, Y)
