import numpy as np
import pandas as pd
import pytest

from skfed import FederatedClassifier
from skfed.inspection import ConvergenceDisplay
from skfed.inspection._style import MANY


def history(n_clients, n_rounds=4):
    return pd.DataFrame(
        [
            {"round": r, "client": f"c{k}", "n_rows": 10 + k, "loss": k + 1 / r}
            for r in range(1, n_rounds + 1)
            for k in range(n_clients)
        ]
    )


def test_lines_hold_the_history(classifier):
    found = ConvergenceDisplay.from_estimator(classifier)
    told = classifier.history_
    assert sorted(found.lines_) == ["a", "b", "c"]
    for name, line in found.lines_.items():
        own = told[told["client"] == name]
        assert line.get_xdata().tolist() == own["round"].tolist()
        assert line.get_ydata().tolist() == own["loss"].tolist()


def test_mean_is_over_rows(classifier):
    found = ConvergenceDisplay.from_estimator(classifier)
    for r, part in classifier.history_.groupby("round"):
        mean = np.average(part["loss"], weights=part["n_rows"])
        assert found.means_[""][r] == pytest.approx(mean)
    assert found.mean_lines_[""].get_ydata() == pytest.approx(found.means_[""])


def test_clients_that_rest_have_no_point_in_that_round():
    told = history(2).drop(index=[2])  # client 0 in round 2
    found = ConvergenceDisplay(told).plot()
    assert found.lines_["c0"].get_xdata().tolist() == [1, 3, 4]
    assert found.means_[""][2] == pytest.approx(1.5)


def test_each_quantity_has_a_panel_of_its_own(multi_task):
    found = ConvergenceDisplay.from_estimator(multi_task)
    assert [ax.get_title() for ax in found.axes_[0]] == ["regression", "classification"]
    assert sorted(found.mean_lines_) == ["regression"]  # one client is no mean
    assert found.lines_["c"].axes is found.axes_[0, 1]


@pytest.mark.parametrize("n", [3, MANY, MANY + 1, 200])
def test_a_crowd_is_grey_and_has_one_entry(n):
    found = ConvergenceDisplay(history(n)).plot()
    texts = [t.get_text() for t in found.ax_.get_legend().get_texts()]
    assert texts[0] == "mean over rows"
    assert len(texts) == (n + 1 if n <= MANY else 2)
    assert len({line.get_color() for line in found.lines_.values()}) == (
        1 if n > MANY else min(n, 6)
    )


def test_held_out_loss_and_the_round_that_was_kept(clients):
    model = FederatedClassifier(
        personalizer=None, early_stopping=True, n_rounds=3, random_state=0
    ).fit(clients)
    model.best_round_ = 2
    found = ConvergenceDisplay.from_estimator(model, metric="valid_loss")
    told = model.history_.query("client == 'c'")["valid_loss"].tolist()
    assert found.lines_["c"].get_ydata().tolist() == told
    label = found.ax_.get_legend().get_texts()[-1].get_text()
    assert label == "round 2 was kept"


def test_errors_say_what_to_do(classifier):
    with pytest.raises(ValueError, match="early_stopping=True"):
        ConvergenceDisplay.from_estimator(classifier, metric="valid_loss")
    with pytest.raises(ValueError, match="no column 'accuracy'; it has"):
        ConvergenceDisplay.from_estimator(classifier, metric="accuracy")


def test_styles_can_be_overridden():
    found = ConvergenceDisplay(history(2)).plot(
        client_kwargs={"color": "C3"}, mean_kwargs={"linestyle": "--"}
    )
    assert found.lines_["c0"].get_color() == "C3"
    assert found.mean_lines_[""].get_linestyle() == "--"
