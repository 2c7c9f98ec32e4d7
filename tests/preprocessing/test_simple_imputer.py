import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from three_acts import run

from skfed.exceptions import AlignmentWarning, ClientError
from skfed.preprocessing import FederatedSimpleImputer

NAMES = ["u", "v", "w"]


def numbers(seed=0, sizes=(30, 12, 7), values=4):
    rng = np.random.default_rng(seed)
    out = {}
    for k, n in enumerate(sizes):
        X = rng.integers(0, values, size=(n, 3)) + k / 4
        X[rng.random(X.shape) < 0.3] = np.nan
        out[f"c{k}"] = pd.DataFrame(X, columns=NAMES)
    return out


def texts(seed=0):
    rng = np.random.default_rng(seed)
    draw = {c: rng.choice(["a", "b", "c"], (n, 2)) for c, n in (("k", 20), ("l", 9))}
    out = {
        c: pd.DataFrame(v, columns=["s", "t"]).astype(object) for c, v in draw.items()
    }
    for X in out.values():
        X[rng.random(X.shape) < 0.3] = np.nan
    return out


@pytest.mark.parametrize("strategy", ["mean", "most_frequent", "constant"])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_equals_scikit_learn_on_all_rows(federate, strategy, add_indicator):
    X = numbers()
    how = {"strategy": strategy, "add_indicator": add_indicator}
    pooled = SimpleImputer(**how).fit(pd.concat(X.values()))
    for client, step in federate(FederatedSimpleImputer(**how, min_count=1), X).items():
        expected = pooled.statistics_.astype(float)
        np.testing.assert_allclose(step.statistics_, expected)
        np.testing.assert_allclose(
            step.transform(X[client]), pooled.transform(X[client])
        )


def test_text_equals_scikit_learn_on_all_rows(federate):
    X = texts()
    pooled = SimpleImputer(strategy="most_frequent").fit(pd.concat(X.values()))
    step = FederatedSimpleImputer("most_frequent", min_count=1)
    for client, fitted in federate(step, X).items():
        expected = pooled.transform(X[client])
        np.testing.assert_array_equal(fitted.transform(X[client]), expected)


@pytest.mark.parametrize(
    "values", [["b", "a", None], [2.0, 1.0, np.nan], [True, False, None]]
)
def test_ties_go_to_the_smallest_value(values):
    X = pd.DataFrame({"u": pd.Series(values, dtype=object)})
    step = FederatedSimpleImputer("most_frequent", min_count=1).fit(X)
    assert step.statistics_[0] == values[1]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=30),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 6),
)
def test_chosen_value_is_rarer_by_a_bounded_number_of_rows(rows, min_count):
    X = {f"c{k}": pd.DataFrame({"u": v}) for k, v in enumerate(rows)}
    step = FederatedSimpleImputer("most_frequent", min_count=min_count)
    counts = pd.concat(X.values())["u"].value_counts()
    kept = [X[c]["u"].value_counts().max() >= min_count for c in X]
    if not any(kept):
        return  # nobody reports a value: each client's own
    chosen = run(step, X)["c0"].statistics_[0]
    assert counts.max() - counts[chosen] <= len(X) * (min_count - 1)


def test_column_missing_at_one_client_takes_the_others_value(federate):
    X = numbers()
    X["c1"]["v"] = np.nan
    fitted = federate(FederatedSimpleImputer(min_count=1), X)
    expected = pd.concat(X.values())["v"].mean()
    np.testing.assert_allclose(fitted["c1"].transform(X["c1"])[:, 1], expected)


def test_column_missing_everywhere_stays_and_is_named(federate):
    X = {c: frame.assign(v=np.nan) for c, frame in numbers().items()}
    with pytest.warns(AlignmentWarning, match=r"\['v'\] have no value at any client"):
        fitted = federate(FederatedSimpleImputer(min_count=1), X)
    for client, step in fitted.items():
        np.testing.assert_array_equal(step.transform(X[client])[:, 1], 0)


def test_small_counts_stay_at_home():
    X = pd.DataFrame({"u": [1.0] * 3 + [np.nan] * 6, "v": np.arange(9.0)})
    mean = FederatedSimpleImputer(add_indicator=True).client_statistics(X)
    assert mean["columns"] == ["v"]
    assert mean["missing"] == ["u"]
    frequent = FederatedSimpleImputer("most_frequent").client_statistics(X)
    assert frequent["values:u"] == frequent["values:v"] == []
    assert FederatedSimpleImputer(scope="client").client_statistics(X) == {}
    assert FederatedSimpleImputer("constant").client_statistics(X) == {}


def test_value_nobody_may_report_is_the_clients_own(federate):
    X = {c: pd.DataFrame({"u": [1.0 + k, np.nan]}) for k, c in enumerate("ab")}
    with pytest.warns(AlignmentWarning, match=r"\['u'\].*min_count=5"):
        fitted = federate(FederatedSimpleImputer(), X)
    assert [fitted[c].statistics_[0] for c in "ab"] == [1.0, 2.0]


def test_client_scope_is_scikit_learn_at_each_client(federate):
    X = numbers()
    for c, step in federate(FederatedSimpleImputer(scope="client"), X).items():
        own = SimpleImputer().fit_transform(X[c])
        np.testing.assert_allclose(step.transform(X[c]), own)


def test_indicators_agree_between_clients(federate):
    X = numbers(sizes=(30, 12))
    X["c1"] = X["c1"].fillna(0.0)
    fitted = federate(FederatedSimpleImputer(add_indicator=True), X)
    names = [list(step.get_feature_names_out()) for step in fitted.values()]
    assert names[0] == names[1] == NAMES + [f"{v}=missing" for v in NAMES]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean"])
def test_nullable_dtypes(dtype):
    X = pd.DataFrame({"u": pd.array([1, None, 0, 1], dtype=dtype)})
    Z = FederatedSimpleImputer("most_frequent", min_count=1).fit_transform(X)
    assert Z[1, 0] == 1


def test_errors_name_column_and_remedy(federate):
    step = FederatedSimpleImputer("most_frequent", min_count=1)
    X = {"a": pd.DataFrame({"u": ["x", "y"]}), "b": pd.DataFrame({"u": [1, 2]})}
    with pytest.raises(ClientError, match="'u' holds text at client 'a'.*client 'b'"):
        federate(step, X)
    with pytest.raises(ClientError, match="'u' must hold numbers"):
        FederatedSimpleImputer().fit(X["a"])
    with pytest.raises(ClientError, match="'u' contains infinity"):
        FederatedSimpleImputer().fit(pd.DataFrame({"u": [np.inf, 1.0]}))
    with pytest.raises(ClientError, match="'u' holds numbers.*'none'"):
        FederatedSimpleImputer("constant", fill_value="none").fit(X["b"])
    dates = pd.DataFrame({"u": pd.to_datetime(["2020-01-01", None])})
    for strategy in ("most_frequent", "constant"):
        with pytest.raises(TypeError, match="'u' holds dates"):
            FederatedSimpleImputer(strategy).fit(dates)
    with pytest.raises(ValueError, match="strategy of FederatedSimpleImputer"):
        FederatedSimpleImputer("median").fit(X["b"])
