import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

from skfed import FederatedClassifier, compare
from skfed.exceptions import ClientError
from skfed.inspection import ClientGainDisplay
from skfed.inspection._paired_scores import accuracy, r2

FEDERATED = {"a": 0.9, "b": 0.7, ("c", 1): 0.75, 4: np.nan}
LOCAL = {"a": 0.8, "b": 0.8, ("c", 1): 0.74, 4: 0.5}
ERRORS = {"a": 0.01, "b": 0.01, ("c", 1): 0.05, 4: np.nan}


def test_verdicts_follow_the_intervals():
    found = ClientGainDisplay(FEDERATED, LOCAL, errors=ERRORS).plot()
    assert found.verdicts_ == {
        4: None,
        "b": "worse",
        ("c", 1): "unclear",
        "a": "better",
    }
    low, high = found.intervals_["a"]
    assert (low + high) / 2 == pytest.approx(0.1)
    assert high - low == pytest.approx(2 * 1.959964 * 0.01)
    texts = [t.get_text() for t in found.ax_.get_legend().get_texts()]
    assert texts == ["better (1)", "unclear (1)", "worse (1)"]


def test_points_stand_at_the_gains():
    found = ClientGainDisplay(FEDERATED, LOCAL, errors=ERRORS).plot()
    (x,), (y,) = found.points_["better"].get_data()
    assert x == pytest.approx(0.1)
    assert found.ax_.get_yticklabels()[y].get_text() == "a"


def test_without_errors_the_sign_decides():
    found = ClientGainDisplay(FEDERATED, LOCAL).plot()
    assert found.verdicts_[("c", 1)] == "better"
    assert np.isnan(found.intervals_["a"]).all()


def test_scores_are_drawn_with_the_baseline():
    found = ClientGainDisplay(FEDERATED, LOCAL, errors=ERRORS, baseline_name="alone")
    found.plot(kind="scores")
    assert found.points_["better"].get_xdata() == pytest.approx([0.9])
    assert sorted(found.ax_.lines[-1].get_xdata()) == sorted(LOCAL.values())
    assert found.ax_.get_legend().get_texts()[-1].get_text() == "alone"


def test_orders():
    display = ClientGainDisplay(
        FEDERATED, LOCAL, n_rows={"a": 3, "b": 9, ("c", 1): 5, 4: 1}
    )
    assert list(display.plot(order="n_rows").gains_) == [4, "a", ("c", 1), "b"]
    assert list(display.plot(order="name").gains_) == ["b", "a", ("c", 1), 4]


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"kind": "bars"}, "kind must be"),
        ({"order": "size"}, "order must be"),
        ({"order": "n_rows"}, "needs the n_rows"),
        ({"confidence": 95.0}, "confidence"),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        ClientGainDisplay(FEDERATED, LOCAL).plot(**arguments)


def test_other_clients_are_refused():
    with pytest.raises(ValueError, match=r"only in one of them are \['b'\]"):
        ClientGainDisplay({"a": 1.0, "b": 1.0}, {"a": 1.0}).plot()


def test_comparison_is_drawn_as_it_is(clients):
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0)
    table = compare(model, clients, cv=2, baselines=["local_linear"], n_bootstrap=20)
    found = ClientGainDisplay.from_comparison(table)
    assert found.gains_ == pytest.approx(table["vs_local_linear"].to_dict())
    for name, interval in found.intervals_.items():
        half = 1.959964 * table.loc[name, "vs_local_linear_se"]
        assert interval[1] - found.gains_[name] == pytest.approx(half)
    assert found.ax_.get_xlabel().startswith(
        "gain in score over the client's own linear model\nwith 95% interval"
    )
    with pytest.raises(ValueError, match="no columns 'federated' and 'local'"):
        ClientGainDisplay.from_comparison(table, baseline="local")


def test_estimators_are_compared(clients):
    model = FederatedClassifier(personalizer=None, n_rounds=2, random_state=0)
    found = ClientGainDisplay.from_estimator(
        model, clients, cv=2, n_bootstrap=0, baseline="local"
    )
    assert sorted(found.verdicts_) == ["a", "b", "c"]
    assert found.score_name == "accuracy"
    assert found.baseline_name == "the same model alone"


def test_clients_of_a_comparison_may_be_tuples():
    index = pd.Index([("a", 1), ("a", 2)], tupleize_cols=False)
    table = pd.DataFrame({"federated": [1.0, 2.0], "local": [0.0, 0.0]}, index=index)
    found = ClientGainDisplay.from_comparison(table, baseline="local")
    assert found.gains_ == {("a", 1): 1.0, ("a", 2): 2.0}


def test_vectorised_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, predicted = rng.normal(size=(2, 5, 30))
    expected = [r2_score(t, p) for t, p in zip(truth, predicted, strict=True)]
    assert r2(truth, predicted) == pytest.approx(expected)
    labels = rng.integers(3, size=(2, 30))
    assert accuracy(*labels) == accuracy_score(*labels)


def test_predictions_of_mixed_tasks():
    rng = np.random.default_rng(0)
    number, label = rng.normal(size=50), rng.choice(["yes", "no"], 50)
    found = ClientGainDisplay.from_predictions(
        {"n": number, "l": label},
        {"n": number + 0.1, "l": label},
        {"n": np.zeros(50), "l": np.full(50, "no")},
    )
    assert found.score_name == "R2 or accuracy"
    assert found.federated["l"] == 1.0
    assert found.federated["n"] == pytest.approx(r2_score(number, number + 0.1))
    assert set(found.verdicts_.values()) == {"better"}


def test_metric_of_ones_own_and_equal_predictions():
    truth, predicted = [np.arange(8.0)], [np.arange(8.0) + 1]
    found = ClientGainDisplay.from_predictions(
        truth, predicted, predicted, metric=lambda t, p: -mean_absolute_error(t, p)
    )
    assert found.federated == {0: -1.0}
    assert found.intervals_ == {0: (0.0, 0.0)}
    assert found.verdicts_ == {0: "unclear"}


def test_predictions_that_do_not_fit():
    with pytest.raises(ClientError, match="not of the same clients"):
        ClientGainDisplay.from_predictions({"a": [1]}, {"b": [1]}, {"a": [1]})
    with pytest.raises(ClientError, match="client 'a' has 2 rows"):
        ClientGainDisplay.from_predictions({"a": [1, 2]}, {"a": [1]}, {"a": [1, 2]})
    two = {"a": np.eye(3)}
    with pytest.raises(ClientError, match="client 'a' has 3 targets a row"):
        ClientGainDisplay.from_predictions(two, two, two)


def test_two_hundred_clients_have_no_names():
    rng = np.random.default_rng(0)
    names = [f"c{k}" for k in range(200)]
    found = ClientGainDisplay(
        dict(zip(names, rng.normal(size=200), strict=True)),
        dict.fromkeys(names, 0.0),
        errors=dict.fromkeys(names, 0.5),
    ).plot()
    assert found.ax_.get_ylabel() == "200 clients"
    assert not found.ax_.get_yticklabels()
