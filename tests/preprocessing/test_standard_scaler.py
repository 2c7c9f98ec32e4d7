import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler
from three_acts import run

from skfed.exceptions import AlignmentWarning, ClientError
from skfed.preprocessing import FederatedStandardScaler


def tables(seed=0, sizes=(30, 12, 7), gaps=True):
    rng = np.random.default_rng(seed)
    out = {}
    for k, n in enumerate(sizes):
        X = rng.normal(1e3 * k, 1 + k, size=(n, 3)) * [1, 1e-3, 1e4]
        if gaps:
            X[rng.random(X.shape) < 0.2] = np.nan
        out[f"c{k}"] = pd.DataFrame(X, columns=["u", "v", "w"])
    return out


def test_pooled_equals_scikit_learn_on_all_rows(federate):
    X = tables()
    fitted = federate(FederatedStandardScaler(min_count=1), X)
    pooled = StandardScaler().fit(pd.concat(X.values()))
    for client, step in fitted.items():
        np.testing.assert_allclose(step.mean_, pooled.mean_, rtol=1e-12)
        np.testing.assert_allclose(step.var_, pooled.var_, rtol=1e-10)
        np.testing.assert_allclose(step.scale_, pooled.scale_, rtol=1e-10)
        np.testing.assert_array_equal(step.n_samples_seen_, pooled.n_samples_seen_)
        Z = step.transform(X[client])
        np.testing.assert_allclose(Z, pooled.transform(X[client]), atol=1e-9)
        np.testing.assert_allclose(step.inverse_transform(Z), X[client], rtol=1e-9)


def test_columns_match_by_name_and_absent_ones_do_not_contribute(federate):
    X = tables(gaps=False)
    whole = federate(FederatedStandardScaler(), X)
    X["c1"] = X["c1"][["w", "u"]]
    parts = federate(FederatedStandardScaler(), X)
    np.testing.assert_allclose(parts["c1"].mean_[1], whole["c0"].mean_[0])
    without = pd.concat([X["c0"], X["c2"]])["v"]
    np.testing.assert_allclose(parts["c0"].mean_[1], without.mean())
    assert list(parts["c1"].get_feature_names_out()) == ["w", "u"]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(49)), st.permutations(["a", "b", "c"]))
def test_row_order_and_client_names_do_not_matter(rows, names):
    X = tables()
    stacked = pd.concat(X.values(), ignore_index=True).iloc[list(rows)]
    cuts = np.split(np.arange(49), [30, 42])
    mixed = {n: stacked.iloc[c] for n, c in zip(names, cuts, strict=True)}
    step = FederatedStandardScaler(min_count=1)
    one, other = run(step, X)["c0"], run(step, mixed)["a"]
    np.testing.assert_allclose(one.mean_, other.mean_, rtol=1e-12)
    np.testing.assert_allclose(one.scale_, other.scale_, rtol=1e-9)


def test_constant_column_has_scale_one_as_in_scikit_learn(federate):
    X = {c: np.full((9, 2), [0.1, 3e7]) for c in "abc"}
    step = federate(FederatedStandardScaler(), X)["b"]
    np.testing.assert_array_equal(step.scale_, [1, 1])
    np.testing.assert_allclose(step.transform(X["b"]), 0, atol=1e-15)


def test_few_observed_rows_are_not_sent_and_take_the_others_statistics(federate):
    X = tables(gaps=False)
    X["c2"].loc[3:, "u"] = np.nan
    message = FederatedStandardScaler(min_count=5).client_statistics(X["c2"])
    assert message["columns"] == ["v", "w"]
    step = federate(FederatedStandardScaler(min_count=5), X)["c2"]
    others = pd.concat([X["c0"], X["c1"]])["u"]
    np.testing.assert_allclose(step.mean_[0], others.mean())


def test_column_nobody_may_report_is_named_and_scaled_alone(federate):
    X = tables(gaps=False, sizes=(3, 4))
    with pytest.warns(AlignmentWarning, match=r"\['u', 'v', 'w'\].*min_count=5"):
        fitted = federate(FederatedStandardScaler(min_count=5), X)
    np.testing.assert_allclose(fitted["c0"].mean_, X["c0"].mean())


def test_client_scaling_sends_nothing(federate):
    X = tables()
    step = FederatedStandardScaler("client")
    assert step.client_statistics(X["c0"]) == {}
    for client, fitted in federate(step, X).items():
        own = StandardScaler().fit(X[client])
        np.testing.assert_allclose(fitted.mean_, own.mean_)
        np.testing.assert_allclose(fitted.scale_, own.scale_)


def balanced_by_hand(x, y, prior, a):
    """The formula of the docstring, for one column without gaps."""
    classes = sorted(set(y))
    p = np.array([prior[c] for c in classes])
    p /= p.sum()
    own = [x[y == c] for c in classes]
    m = np.array([(v.sum() + a * x.mean()) / (len(v) + a) for v in own])
    mu = p @ m
    within = sum(((v - v.mean()) ** 2).sum() for v in own) / (len(x) - len(classes))
    return mu, within + p @ (m - mu) ** 2


@pytest.mark.parametrize("strength", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("labels", [[0, 1, 2], ["x", "y", "z"]])
def test_balanced_follows_the_formula(federate, strength, labels):
    rng = np.random.default_rng(1)
    y = {
        "a": rng.choice(labels, 60, p=[0.6, 0.3, 0.1]),
        "b": rng.choice(labels, 40, p=[0.2, 0.5, 0.3]),
    }
    X = {c: rng.normal(size=(len(v), 2)) for c, v in y.items()}
    shares = [{c: (v == c).mean() for c in labels} for v in y.values()]
    prior = {c: np.mean([s[c] for s in shares]) for c in labels}
    step = FederatedStandardScaler("balanced", prior_strength=strength, min_count=1)
    for client, fitted in federate(step, X, y).items():
        for j in range(2):
            mu, var = balanced_by_hand(X[client][:, j], y[client], prior, strength)
            np.testing.assert_allclose([fitted.mean_[j], fitted.var_[j]], [mu, var])


def test_balanced_removes_label_shift_that_client_scaling_keeps(federate):
    rng = np.random.default_rng(2)
    y = {"a": rng.permutation([0] * 180 + [1] * 20)}
    y["b"] = rng.permutation([0] * 20 + [1] * 180)
    X = {c: rng.normal(3.0 * v, 1)[:, None] for c, v in y.items()}

    def distance(scaling):
        fitted = federate(FederatedStandardScaler(scaling), X, y)
        centre = [fitted[c].transform(X[c])[y[c] == 0].mean() for c in "ab"]
        return abs(centre[0] - centre[1])

    assert distance("balanced") < 0.2
    assert distance("client") > 1.0


def test_balanced_ignores_missing_cells(federate):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 1)), np.tile([0, 1], 20)
    longer = {"a": np.vstack([X, np.full((8, 1), np.nan)])}
    with_gaps = federate(
        FederatedStandardScaler("balanced"), longer, {"a": [0, 1] * 24}
    )
    whole = federate(FederatedStandardScaler("balanced"), {"a": X}, {"a": y})
    np.testing.assert_allclose(with_gaps["a"].mean_, whole["a"].mean_)
    np.testing.assert_allclose(with_gaps["a"].var_, whole["a"].var_)


def test_balanced_on_a_numeric_target_uses_common_bins(federate):
    rng = np.random.default_rng(4)
    y = {"a": rng.normal(0, 1, 400), "b": rng.normal(1, 1, 400)}
    X = {c: (v + 0.1 * rng.normal(size=400))[:, None] for c, v in y.items()}
    step = FederatedStandardScaler("balanced")
    sent = set(step.client_statistics(X["a"], y["a"]))
    assert sent == {"y_n", "y_mean", "y_m2", "columns", "n", "mean", "m2"}
    shift = {
        scaling: np.subtract(
            *[
                s.mean_[0]
                for s in federate(step.set_params(scaling=scaling), X, y).values()
            ]
        )
        for scaling in ("balanced", "client")
    }
    assert abs(shift["balanced"]) < 0.5 * abs(shift["client"])


def lacking(units=(1.0, 1.0, 1.0), levels=(0.0, 0.0, 0.0), seed=5):
    """Three clients in their own units, of which each lacks another class."""
    rng = np.random.default_rng(seed)
    X, y = {}, {}
    for k, name in enumerate("abc"):
        y[name] = rng.choice([c for c in range(3) if c != k], 4000, p=[0.3, 0.7])
        x = np.array([0.0, 5.0, -3.0])[y[name]] + rng.normal(size=4000)
        X[name] = (levels[k] + units[k] * x)[:, None]
    return X, y


def test_a_class_that_a_client_lacks_is_inferred_from_the_others(federate):
    X, y = lacking(units=(1.0, 100.0, 0.01), levels=(0.0, 1e4, -7.0))
    fitted = federate(FederatedStandardScaler("balanced"), X, y)
    centres = {
        (name, c): fitted[name].transform(X[name])[y[name] == c].mean()
        for name in X
        for c in np.unique(y[name])
    }
    for c in range(3):  # the same class is at the same place at both that have it
        first, second = (v for (_, label), v in centres.items() if label == c)
        assert abs(first - second) < 0.05


def test_balanced_does_not_depend_on_a_clients_unit(federate):
    X, y = lacking()
    scaler = FederatedStandardScaler("balanced")
    first = federate(scaler, X, y)
    moved = 3.0 + 50.0 * X["b"]
    second = federate(scaler, {**X, "b": moved}, y)
    for name in "ac":
        np.testing.assert_allclose(first[name].mean_, second[name].mean_)
    np.testing.assert_allclose(
        second["b"].transform(moved), first["b"].transform(X["b"])
    )


def test_classes_that_nobody_links_are_scaled_by_pooled_statistics(federate):
    rng = np.random.default_rng(6)
    y = {"a": np.zeros(50, dtype=int), "b": np.ones(70, dtype=int)}
    X = {name: rng.normal(size=(len(v), 2)) + 5 * v[:, None] for name, v in y.items()}
    with pytest.warns(
        AlignmentWarning, match=r"classes \[[01]\].*no client links them"
    ):
        fitted = federate(FederatedStandardScaler("balanced"), X, y)
    pooled = StandardScaler().fit(np.vstack(list(X.values())))
    for step in fitted.values():
        np.testing.assert_allclose(step.mean_, pooled.mean_)
        np.testing.assert_allclose(step.scale_, pooled.scale_)


def test_a_client_with_few_rows_is_scaled_by_the_others(federate):
    rng = np.random.default_rng(7)
    X = {"a": rng.normal(size=(60, 2)), "b": rng.normal(size=(3, 2))}
    y = {"a": np.arange(60) % 2, "b": np.array([0, 0, 1])}
    fitted = federate(FederatedStandardScaler("balanced"), X, y)
    np.testing.assert_allclose(fitted["b"].mean_, X["a"].mean(axis=0))
    np.testing.assert_allclose(fitted["b"].scale_, X["a"].std(axis=0))


def test_a_small_class_is_in_no_message(federate):
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(60, 2)), np.repeat([0, 1, 2], [30, 27, 3])
    message = FederatedStandardScaler("balanced").client_statistics(X, y)
    assert message["classes"] == [0] and message["profile"].shape == (1, 2)
    X[::2, 1] = np.nan  # fewer values behind the second column's means
    y = np.repeat([0, 1], [52, 8])
    message = FederatedStandardScaler("balanced").client_statistics(X, y)
    assert np.isnan(message["profile"]).tolist() == [[False, True], [False, True]]


def test_balanced_without_y_is_client_scaling(federate):
    X = tables()
    balanced = federate(FederatedStandardScaler("balanced"), X)
    client = federate(FederatedStandardScaler("client"), X)
    for c in X:
        np.testing.assert_array_equal(balanced[c].mean_, client[c].mean_)


def test_small_classes_are_withheld_and_keep_their_own_share():
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1, 2], [30, 12, 3])
    X = rng.normal(size=(45, 2)) + y[:, None]
    message = FederatedStandardScaler("balanced").client_statistics(X, y)
    assert message["classes"] == [0]  # 3 rows alone would be total minus the rest
    few = FederatedStandardScaler("balanced", min_count=5).fit(X, y)
    all_ = FederatedStandardScaler("balanced", min_count=1).fit(X, y)
    np.testing.assert_allclose(few.mean_, all_.mean_)
    np.testing.assert_allclose(few.var_, all_.var_)


def test_clients_may_have_other_tasks(federate):
    rng = np.random.default_rng(6)
    X = {c: rng.normal(size=(30, 1)) for c in "abc"}
    y = {"a": rng.integers(0, 2, 30), "b": rng.normal(size=30), "c": None}
    fitted = federate(FederatedStandardScaler("balanced"), X, y)
    assert all(np.isfinite(step.scale_).all() for step in fitted.values())


def test_clip_limits_outliers_and_keeps_nan():
    X = np.r_[np.zeros(99), 1e6, np.nan][:, None]
    Z = FederatedStandardScaler(clip=6).fit_transform(X)
    assert np.nanmax(Z) == 6.0
    assert np.isnan(Z[-1, 0])


def test_errors_name_the_remedy(federate):
    X = {c: np.random.default_rng(0).normal(size=(12, 1)) for c in "ab"}
    step = FederatedStandardScaler("balanced")
    with pytest.raises(ClientError, match="'b' are text.*'a' are numbers"):
        federate(step, X, {"a": [0, 1] * 6, "b": ["u", "v"] * 6})
    with pytest.raises(ClientError, match="1 missing labels"):
        step.fit(X["a"], np.array([None] + ["u"] * 11, dtype=object))
    with pytest.raises(ClientError, match="y contains NaN"):
        step.fit(X["a"], [np.nan] + [1.0] * 11)
    with pytest.raises(ValueError, match="'u' 2 times"):
        step.fit(pd.DataFrame(np.zeros((9, 2)), columns=["u", "u"]))
    with pytest.raises(ValueError, match="scaling of FederatedStandardScaler"):
        FederatedStandardScaler("robust").fit(X["a"])
    with pytest.raises(ValueError, match="clip"):
        FederatedStandardScaler(clip=0.0).fit(X["a"])
    with pytest.raises(ValueError, match="needs 1 columns"):
        step.fit(X["a"]).inverse_transform(np.zeros((2, 3)))
