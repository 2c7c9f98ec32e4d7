"""The default aligner chooses by what the clients have in common."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfed import FederatedClassifier
from skfed.alignment import AnchorAligner, AutoAligner, FactorAligner, ScoreAligner
from skfed.exceptions import ClientError
from skfed.preprocessing import FederatedStandardScaler

from ._federate import federate

RNG = np.random.default_rng(0)


def table(names, n=30, index=None):
    return pd.DataFrame(RNG.normal(size=(n, len(names))), index, list(names))


def labels(values, n=30):
    return np.resize(values, n)


def choices(fitted):
    return {step.choice_ for step in fitted.values()}


def assert_same_rows(found, wanted, clients):
    for name, (X, _) in clients.items():
        rows = found[name].transform(X)
        np.testing.assert_array_equal(rows, wanted[name].transform(X))


@pytest.mark.parametrize(
    ("columns", "target", "choice", "reason"),
    [
        (("ab", "ab", "ab"), ("xy", "xy", "xy"), "union", "same 2 columns"),
        (("ab", "bc", "ef"), ("xy", "xy", "xy"), "factor", "0 of 5 columns"),
        (("ab", "cd", "ef"), ("xy", "yz", "uv"), "union", "common labels"),
        (("ab", "cd", "ef"), ("wxyz", "wxyz", "xyzv"), "score", "4 labels are"),
        (("ab", "cd", "ef"), ("xy", "vw", "st"), "shared_private", "no label"),
    ],
)
def test_names_then_labels_then_nothing(columns, target, choice, reason):
    clients = {
        f"client {k}": (table(own), labels(list(y)))
        for k, (own, y) in enumerate(zip(columns, target, strict=True))
    }
    fitted = federate(AutoAligner(), clients)
    assert choices(fitted) == {choice}
    assert all(reason in step.reason_ for step in fitted.values())


def test_a_numeric_target_joins_tables_without_a_common_column():
    clients = {own: (table(own), RNG.normal(size=30)) for own in ("abc", "def")}
    assert choices(federate(AutoAligner(), clients)) == {"factor"}


def test_own_scores_need_rows_of_each_label():
    few = {
        own: (table(own, 11), labels(list("wxyz"), 11)) for own in ("ab", "cd", "ef")
    }
    assert choices(federate(AutoAligner(), few)) == {"union"}
    few["ab"] = table("ab", 5), labels(list("wxyz"), 5)
    few["ef"] = table("ef", 12), labels(list("wxyz"), 12)
    few["cd"] = table("cd", 12), labels(list("wxyz"), 12)
    assert choices(federate(AutoAligner(), few)) == {"score"}


def test_own_scores_are_those_of_the_score_aligner_in_fit_and_after():
    clients = {own: (table(own), labels(list("wxyz"), 30)) for own in ("abc", "def")}
    acts = {}
    for aligner in (AutoAligner(), ScoreAligner()):
        steps = {name: clone(aligner) for name in clients}
        shared = None
        for _ in range(aligner.n_exchanges):
            sent = {
                name: step.client_statistics(*clients[name], shared)
                for name, step in steps.items()
            }
            shared = aligner.merge(sent, shared)
        rows = [
            (step.fit_shared_transform(*clients[name], shared),
             step.transform(clients[name][0]))
            for name, step in steps.items()
        ]  # fmt: skip
        acts[type(aligner).__name__] = rows, steps
    for found, wanted in zip(
        acts["AutoAligner"][0], acts["ScoreAligner"][0], strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
        assert not np.allclose(found[0], found[1])
    step = acts["AutoAligner"][1]["abc"]
    assert step.differs_in_fit == ScoreAligner.differs_in_fit
    assert len(step.aligner_._local.out_of_fold) == 0
    holed = clients["abc"][0].copy()
    holed.iloc[3, 0] = np.nan
    with pytest.raises(ClientError, match=r"\['a'\] have missing values"):
        step.transform(holed)
    clients["abc"] = holed, clients["abc"][1]
    assert choices(federate(AutoAligner(), clients)) == {"union"}


def test_without_a_target_nothing_is_in_common():
    clients = {"one": (table("ab"), None), "two": (table("cd"), None)}
    fitted = federate(AutoAligner(), clients)
    assert choices(fitted) == {"shared_private"}
    assert fitted["one"].private_columns_.tolist() == [False] * 4 + [True] * 5


def test_a_refit_forgets_private_columns():
    apart = {"one": (table("ab"), None), "two": (table("cd"), None)}
    aligner = federate(AutoAligner(), apart)["one"]
    assert hasattr(aligner, "private_columns_")
    aligner.fit(*apart["one"])
    assert not hasattr(aligner, "private_columns_")


def test_density_is_the_share_of_pairs_that_meet():
    clients = {"one": (table("abc"), None), "two": (table("cd"), None)}
    fitted = federate(AutoAligner(), clients)
    # ab, ac, bc and cd of the six pairs
    assert "67% of their pairs" in fitted["one"].reason_


def test_anchors_join_tables_without_a_common_column_as_their_aligner_does():
    index = [f"row {i}" for i in range(30)]
    clients = {"one": (table("ab", index=index), None),
               "two": (table("cd", index=index), None)}  # fmt: skip
    auto = federate(AutoAligner(anchors=index[:12]), clients)
    assert choices(auto) == {"anchor"}
    assert_same_rows(auto, federate(AnchorAligner(index[:12]), clients), clients)


def test_anchors_are_not_needed_where_columns_are_in_common():
    index = [f"row {i}" for i in range(30)]
    clients = {"one": (table("ab", index=index), labels([0, 1])),
               "two": (table("bc", index=index), labels([0, 1]))}  # fmt: skip
    auto = federate(AutoAligner(anchors=index[:12]), clients)
    assert choices(auto) == {"factor"}
    assert_same_rows(auto, federate(FactorAligner(), clients), clients)


def test_too_few_rows_are_laid_side_by_side():
    clients = {"one": (table("ab", 3), labels([0, 1], 3)),
               "two": (table("bc", 3), labels([0, 1], 3))}  # fmt: skip
    fitted = federate(AutoAligner(), clients)
    assert choices(fitted) == {"union"}
    assert "min_count=5" in fitted["one"].reason_


def test_labels_of_several_types_do_not_stop_the_choice():
    y = np.array(["x", None, 3] * 10, dtype=object)
    clients = {"one": (table("ab"), y), "two": (table("ab"), y)}
    assert choices(federate(AutoAligner(), clients)) == {"union"}


def test_anchors_refuse_gaps_by_name():
    index = [f"row {i}" for i in range(30)]
    clients = {"one": (table("ab", index=index), None),
               "two": (table("cd", index=index), None)}  # fmt: skip
    fitted = federate(AutoAligner(anchors=index[:12]), clients)
    gappy = clients["one"][0].copy()
    gappy.iloc[20, 1] = np.nan
    with pytest.raises(ClientError, match=r"\['b'\] have missing values"):
        fitted["one"].transform(gappy)
    with pytest.raises(ClientError, match=r"\['b'\] have missing values"):
        federate(AutoAligner(anchors=index[:12]), clients | {"one": (gappy, None)})


def test_private_columns_before_another_step_are_refused():
    clients = {}
    for name, values in (("one", "xy"), ("two", "vw")):
        X = table([f"{name} {j}" for j in range(3)])
        clients[name] = (X, np.where(X.iloc[:, 0] > 0, *values))
    aligner = make_pipeline(AutoAligner(), FederatedStandardScaler())
    model = FederatedClassifier(aligner=aligner, n_rounds=2, random_state=0)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="put it last"):
        model.fit(clients)


def test_doubled_anchors_are_refused():
    with pytest.raises(ClientError, match="more than once"):
        AutoAligner(anchors=["a", "a"]).fit(table("ab"))


def test_clients_with_nothing_in_common_are_as_good_as_alone():
    clients = {}
    for name, values in (("one", "xy"), ("two", "vw")):
        X = table([f"{name} {j}" for j in range(3)], 80)
        clients[name] = (X, np.where(X.iloc[:, 0] > 0, *values))
    model = FederatedClassifier(n_rounds=20, random_state=0)
    with pytest.warns(UserWarning):
        model.fit(clients)
    step = model.pipelines_["one"]["align"]
    assert step.choice_ == "shared_private"
    for name, (X, y) in clients.items():
        assert model.predictors_[name].score(X, y) > 0.9


def test_blocks_of_the_same_columns_are_not_imputed_into_each_other():
    """Labels alone do not settle what the columns of another block mean."""
    rng = np.random.default_rng(0)
    clients = {}
    for name, columns in {"a": "uv", "b": "vu", "c": "xyz", "d": "xyz"}.items():
        X = pd.DataFrame(rng.normal(size=(20, len(columns))), columns=list(columns))
        clients[name] = X, np.arange(20) % 2
    assert choices(federate(AutoAligner(), clients)) == {"union"}
    numbers = {name: (X, y + 0.5) for name, (X, y) in clients.items()}
    assert choices(federate(AutoAligner(), numbers)) == {"factor"}
    X, y = clients["d"]
    clients["d"] = X[["x", "y"]], y
    assert choices(federate(AutoAligner(), clients)) == {"factor"}
