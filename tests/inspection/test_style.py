import builtins
import subprocess
import sys

import numpy as np
import pytest

from skfed import ClientError, FederatedClassifier
from skfed.inspection import (
    AlignmentDisplay,
    ClientGainDisplay,
    CommunicationDisplay,
    ConvergenceDisplay,
    HeterogeneityDisplay,
    SchemaDisplay,
)
from skfed.inspection._display import panels
from skfed.inspection._style import MANY, PALETTE, looks, text_of, texts_of
from skfed.testing import LoopbackFederation
from tests.real_sites import make_sites

FROM_ESTIMATOR = [
    ConvergenceDisplay,
    CommunicationDisplay,
    HeterogeneityDisplay,
    SchemaDisplay,
]


def luminance(colour):
    parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_named_clients_differ_in_colour_and_marker():
    found = looks(range(MANY))
    assert len(set(found.values())) == MANY
    assert all(found[k][0] != found[k + 1][0] for k in range(MANY - 1))
    assert all(found[k][1] != found[k + 1][1] for k in range(MANY - 1))


def test_no_colour_vanishes_on_white():
    assert min(1.05 / (luminance(colour) + 0.05) for colour in PALETTE) > 2


@pytest.mark.parametrize("name", [3, ("a", 1), "_x", "a$b$", "x" * 100, "two\nlines"])
def test_any_name_is_one_short_line_that_legends_show(name):
    text = text_of(name)
    assert len(text) < 30
    assert "\n" not in text and not text.startswith("_")


def test_long_names_keep_their_ends():
    assert text_of("hospital of the university, ward 1") != text_of(
        "hospital of the university, ward 2"
    )


def test_names_that_differ_in_the_middle_are_told_apart():
    names = [f"hospital number {k} of the county" for k in range(3)]
    assert text_of(names[0]) == text_of(names[1])
    assert len(set(texts_of(names).values())) == 3


@pytest.mark.parametrize("display", FROM_ESTIMATOR)
@pytest.mark.parametrize("which", ["classifier", "regressor", "multi_task"])
def test_every_estimator_and_any_names(display, which, request):
    found = display.from_estimator(request.getfixturevalue(which))
    assert found.ax_.figure is found.figure_
    assert found.axes_.flat[0] is found.ax_


def test_a_fit_of_sites_that_keep_their_tables(clients, tmp_path):
    configs, _ = make_sites(tmp_path, clients)
    federation = LoopbackFederation(configs)
    model = FederatedClassifier(
        federation=federation, personalizer=None, n_rounds=2, random_state=0
    ).fit()
    assert not hasattr(model, "pipelines_")
    for display in FROM_ESTIMATOR:
        found = display.from_estimator(model)
        assert found.ax_.figure is found.figure_
    with pytest.raises(ClientError, match="stayed at their sites"):
        AlignmentDisplay.from_estimator(model, clients)


@pytest.mark.parametrize("display", FROM_ESTIMATOR)
def test_unfitted_estimators_are_refused(display, classifier):
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        display.from_estimator(clone(classifier))


@pytest.mark.parametrize(
    "make",
    [
        lambda e, X: ConvergenceDisplay(e.history_),
        lambda e, X: CommunicationDisplay(e.ledger_),
        lambda e, X: SchemaDisplay({"a": {"x": "number"}}),
        lambda e, X: ClientGainDisplay({"a": 1.0}, {"a": 0.5}),
        lambda e, X: AlignmentDisplay(np.eye(2), np.eye(2), ["a", "b"]),
    ],
)
def test_without_matplotlib_the_error_names_the_extra(
    make, classifier, clients, monkeypatch
):
    display = make(classifier, clients)
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"Display draws .* 'skfed\[plot\]'"):
        display.plot()


def test_import_does_not_load_matplotlib():
    code = "import sys, skfed.inspection; print('matplotlib' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_panels_go_where_they_are_told(classifier):
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(1, 2)
    found = CommunicationDisplay.from_estimator(classifier, ax=ax)
    assert found.axes_.ravel().tolist() == ax.tolist()

    figure, ax = plt.subplots()
    found = CommunicationDisplay.from_estimator(classifier, ax=ax)
    assert found.figure_ is figure
    assert found.axes_.shape == (1, 2)
    assert not ax.axison

    with pytest.raises(ValueError, match="draws 2 panels here and got 3 axes"):
        CommunicationDisplay.from_estimator(classifier, ax=plt.subplots(1, 3)[1])
    with pytest.raises(ValueError, match="got 1 axes"):
        panels("x", plt.figure().add_axes([0, 0, 1, 1]), 1, 2)
