import pytest

from skfed import FederatedRegressor
from skfed.inspection import CommunicationDisplay


@pytest.mark.parametrize("per_client", [False, True])
def test_all_bytes_are_drawn_in_both_panels(classifier, per_client):
    found = CommunicationDisplay.from_estimator(classifier, per_client=per_client)
    total = classifier.ledger_["bytes"].sum() / (3 if per_client else 1)
    assert found.by_task_.to_numpy().sum() == pytest.approx(total)
    assert found.by_round_.to_numpy().sum() == pytest.approx(total)
    assert found.by_round_.index.tolist() == [0, 1, 2, 3]
    assert len(found.areas_) == len(found.by_task_)
    widths = sum(bar.get_width() for bars in found.bars_ for bar in bars)
    assert widths * 1000 == pytest.approx(total)  # drawn in kB


def test_many_tasks_are_summed_up(houses):
    model = FederatedRegressor(n_rounds=2, random_state=0).fit(houses)
    found = CommunicationDisplay.from_estimator(model)
    assert len(found.by_task_) > 7
    texts = [t.get_text() for t in found.axes_[0, 1].get_legend().get_texts()]
    assert texts[0] == "other" and len(texts) == 7


def test_an_empty_ledger_is_refused(classifier):
    with pytest.raises(ValueError, match="no message"):
        CommunicationDisplay(classifier.ledger_[:0]).plot()
