import pickle

import numpy as np
import pandas as pd
import polars
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skfed.exceptions import AlignmentWarning, ClientError
from skfed.preprocessing import (
    FederatedOneHotEncoder,
    FederatedSimpleImputer,
    FederatedStandardScaler,
    TableEncoder,
)


def mixed(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.normal(50, 10, n),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "smoker": rng.random(n) < 0.5,
            "site": pd.Categorical(rng.choice(["lung", "skin"], n)),
            "colour": rng.choice(["red", "green", "blue"], n),
            "visit": pd.Timestamp("2020-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 9999, n), unit="h"),
        }
    )
    X.loc[::7, "age"] = np.nan
    X.loc[::9, ["count", "colour", "visit"]] = None
    return X, rng.integers(0, 2, n)


NAMES = [
    "age",
    "count",
    *(f"visit={part}" for part in ("year", "month", "day", "weekday", "hour")),
    "smoker=True",
    "site=lung",
    "site=skin",
    "colour=blue",
    "colour=green",
    "colour=red",
]


def test_every_kind_of_column_becomes_named_numbers():
    X, y = mixed()
    encoder = TableEncoder().set_output(transform="pandas").fit(X, y)
    Z = encoder.transform(X)
    assert list(Z.columns) == NAMES
    assert Z.index.equals(X.index)
    assert (Z.dtypes == np.float64).all() and np.isfinite(Z.to_numpy()).all()
    assert (Z["smoker=True"] == X["smoker"]).all()
    assert (Z["colour=red"] == (X["colour"] == "red")).all()
    assert (Z.loc[X["age"].isna(), "age"] == 0).all()
    hours = X["visit"].dt.hour
    assert np.corrcoef(Z["visit=hour"][hours.notna()], hours.dropna())[0, 1] > 0.999
    kinds = ["number", "number", "boolean", "text", "text", "datetime"]
    assert encoder.kinds_ == dict(zip(X.columns, kinds, strict=True))


@pytest.mark.parametrize("scaling", ["balanced", "client", "pooled", None])
@pytest.mark.parametrize("impute", ["mean", None])
@pytest.mark.parametrize("indicator", [False, True])
def test_equals_its_parts_over_three_clients(federate, scaling, impute, indicator):
    tables, targets = {}, {}
    for k, client in enumerate("abc"):
        tables[client], targets[client] = mixed(40 + 9 * k, seed=k)
    step = TableEncoder(scaling, impute, indicator=indicator)
    numbers = {c: X[["age", "count"]].astype(float) for c, X in tables.items()}
    words = {c: X[["site", "colour"]] for c, X in tables.items()}
    if scaling is None:
        scaled = numbers
    else:
        scaler = FederatedStandardScaler(scaling, clip=6)
        parts = federate(scaler, numbers, targets)
        scaled = {c: parts[c].transform(X) for c, X in numbers.items()}
    if impute:
        strategy = "mean" if scaling is None else "constant"
        parts = federate(FederatedSimpleImputer(strategy), scaled)
        scaled = {c: parts[c].transform(X) for c, X in scaled.items()}
    encoders = federate(FederatedOneHotEncoder(), words)
    flags = [f"{v}=missing" for v in ("age", "count", "colour", "visit")] * indicator
    for client, fitted in federate(step, tables, targets).items():
        X = tables[client]
        assert sorted(fitted.get_feature_names_out()) == sorted(NAMES + flags)
        Z = pd.DataFrame(fitted.transform(X), columns=fitted.get_feature_names_out())
        np.testing.assert_allclose(Z[["age", "count"]], scaled[client])
        encoder = encoders[client]
        expected = encoder.transform(words[client])
        np.testing.assert_array_equal(Z[encoder.get_feature_names_out()], expected)
        for flag in flags:
            missing = X[flag.removesuffix("=missing")].isna()
            np.testing.assert_array_equal(Z[flag], missing)


def test_numeric_arrays_and_frames_agree_and_show_their_parts():
    rng = np.random.default_rng(0)
    X, y = rng.normal(3, 2, size=(50, 4)), rng.integers(0, 2, 50)
    X[rng.random(X.shape) < 0.1] = np.nan
    names = [f"v{j}" for j in range(4)]
    frame = pd.DataFrame(X, columns=names)
    Z = TableEncoder().fit(X, y).transform(X)
    assert list(TableEncoder().fit(X).get_feature_names_out(names)) == names
    for other in (
        frame,
        frame.astype(object),
        frame.convert_dtypes(),
        polars.DataFrame(X, schema=names),
        frame.assign(v0=frame["v0"].astype("Float64")),
    ):
        encoder = TableEncoder().fit(other, y)
        np.testing.assert_allclose(encoder.transform(other), Z)
        assert list(encoder.get_feature_names_out()) == names
    fitted = TableEncoder().fit(frame, y)
    np.testing.assert_array_equal(fitted.transformer_.transform(frame), Z)
    assert "FederatedStandardScaler" in repr(fitted.transformer_)
    for numbers in (X.astype(object), X.tolist()):
        np.testing.assert_allclose(TableEncoder().fit(numbers, y).transform(numbers), Z)


def test_fitted_transformer_does_the_transform():
    X, y = mixed()
    encoder = TableEncoder(indicator=True).fit(X, y)
    Z = encoder.transform(X)
    np.testing.assert_array_equal(encoder.transformer_.transform(X), Z)
    names = encoder.transformer_.get_feature_names_out()
    assert list(names) == list(encoder.get_feature_names_out())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(X), Z)
    np.testing.assert_array_equal(encoder.transform(X.iloc[5:7]), Z[5:7])
    parts = clone(encoder).set_params(scaling="pooled").fit(X, y)
    assert not np.allclose(parts.transform(X)[:, 0], Z[:, 0])


def test_sparse_and_object_arrays():
    S = sparse.random_array((30, 4), density=0.4, rng=np.random.default_rng(0))
    dense = TableEncoder().fit_transform(S.toarray())
    np.testing.assert_allclose(TableEncoder().fit_transform(S.tocsr()), dense)
    X = np.array([[1, "a", True], [2, "b", None], [None, None, False]], dtype=object)
    encoder = TableEncoder(min_count=1).fit(X)
    expected = ["x0", "x2=True", "x1=a", "x1=b"]
    assert list(encoder.get_feature_names_out()) == expected
    np.testing.assert_array_equal(
        encoder.transform(X), [[-1, 1, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0]]
    )


def test_booleans_at_one_client_and_numbers_at_another_are_numbers(federate):
    rng = np.random.default_rng(0)
    tables = {
        "a": pd.DataFrame({"u": rng.random(30) < 0.5}),
        "b": pd.DataFrame({"u": rng.integers(0, 2, 20)}),
    }
    rows = np.concatenate([X["u"].to_numpy(float) for X in tables.values()])
    pooled = StandardScaler().fit(rows[:, None])
    for client, step in federate(TableEncoder("pooled"), tables).items():
        assert list(step.get_feature_names_out()) == ["u"]
        values = tables[client].to_numpy(float)
        np.testing.assert_allclose(
            step.transform(tables[client]), pooled.transform(values)
        )


def test_rare_booleans_are_not_counted_in_a_message():
    X = pd.DataFrame({"u": [True] * 2 + [False] * 30})
    message = TableEncoder("pooled").client_statistics(X)
    assert message["kinds"] == ["boolean"]
    assert not [key for key in message if key.startswith(("scale", "text"))]


def test_default_message_has_moments_of_columns_and_of_classes():
    X, y = mixed()
    message = TableEncoder().client_statistics(X, y)
    arrays = {key for key, value in message.items() if isinstance(value, np.ndarray)}
    counts = {"text:counts:site", "text:counts:colour", "text:missing"}
    moments = {f"scale:{key}" for key in ("counts", "n", "mean", "m2", "profile")}
    assert arrays == {*moments, *counts}


def test_column_without_a_value_is_left_out_by_name(federate):
    X, y = mixed()
    other = X.assign(age=np.nan, colour=None)
    with pytest.warns(AlignmentWarning, match=r"\['age', 'colour'\] have no value"):
        fitted = federate(TableEncoder(), {"a": X, "b": other}, {"a": y, "b": y})
    assert list(fitted["a"].get_feature_names_out()) == NAMES
    rest = [v for v in NAMES if not v.startswith(("age", "colour"))]
    assert list(fitted["b"].get_feature_names_out()) == rest
    assert fitted["b"].transform(other).shape == (60, len(rest))
    assert fitted["b"].kinds_["age"] == "empty"


def test_id_column_vanishes_by_name():
    X = pd.DataFrame({"id": [f"p{i}" for i in range(40)], "age": np.arange(40.0)})
    with pytest.warns(AlignmentWarning, match="'id'.*the column vanishes"):
        encoder = TableEncoder().fit(X)
    assert list(encoder.get_feature_names_out()) == ["age"]


def test_max_categories_guards_against_many_values():
    X = pd.DataFrame({"u": np.repeat([f"v{i:02}" for i in range(40)], 5)})
    with pytest.warns(AlignmentWarning, match="max_categories=30"):
        assert TableEncoder().fit_transform(X).shape == (200, 30)


def test_dates_of_every_type_give_the_same_parts():
    days = pd.Series(pd.to_datetime(["2020-02-29", None, "2021-12-31"]))
    parts = ("year", "quarter", "month", "week", "day", "dayofyear", "weekday")
    reference = None
    for column in (
        days,
        days.astype(object),
        days.dt.date,
        days.dt.tz_localize("Asia/Tokyo"),
        days.dt.to_period("D"),
    ):
        encoder = TableEncoder(None, None, datetime_parts=parts)
        Z = encoder.fit_transform(pd.DataFrame({"t": column}))
        reference = Z if reference is None else reference
        np.testing.assert_array_equal(Z, reference)
    np.testing.assert_array_equal(reference[0], [2020, 1, 2, 9, 29, 60, 5])
    assert np.isnan(reference[1]).all()


def test_errors_name_column_clients_and_remedy(federate):
    text = pd.DataFrame({"u": list("aaaaabbbbb")})
    number = pd.DataFrame({"u": np.arange(10.0)})
    dates = pd.DataFrame({"u": pd.date_range("2020", periods=10)})
    with pytest.raises(
        ClientError, match="'u' holds number at client 'b' and text at cl"
    ):
        federate(TableEncoder(), {"a": text, "b": number})
    with pytest.raises(ClientError, match="'u' holds datetime at client 'b'"):
        federate(TableEncoder(), {"a": number, "b": dates})
    for fitted, other in ((text, number), (number, text), (dates, text), (text, dates)):
        encoder = TableEncoder().fit(fitted)
        with pytest.raises(ClientError, match="column 'u'"):
            encoder.transform(other)
    with pytest.raises(TypeError, match="'u' cannot be encoded.*list"):
        TableEncoder().fit(pd.DataFrame({"u": [[1], [2]]}))
    with pytest.raises(ClientError, match="'u' contains infinity"):
        TableEncoder().fit(pd.DataFrame({"u": [np.inf, 1.0]}))
    with pytest.raises(ClientError, match="'u' occurs twice"):
        TableEncoder().fit(pd.concat([text, text], axis=1))
    with (
        pytest.raises(ClientError, match=r"no column of \['u'\].*min_count=5"),
        pytest.warns(AlignmentWarning),
    ):
        TableEncoder().fit(pd.DataFrame({"u": list("abcdefgh")}))
    for parts in (("month", "century"), (), ("day", "day"), "day"):
        with pytest.raises(ValueError, match="datetime_parts"):
            TableEncoder(datetime_parts=parts).fit(number)
    clash = dates.assign(**{"u=year": 1.0})
    with pytest.raises(ClientError, match="'u=year' occurs twice in the output"):
        TableEncoder().fit(clash)
    with pytest.raises(ValueError, match="scaling of TableEncoder"):
        TableEncoder(scaling="robust").fit(number)
    with pytest.raises(ValueError, match="0 sample"):
        TableEncoder().fit(number[:0])


def test_mixed_table_follows_the_global_configuration():
    X, y = mixed()
    expected = TableEncoder(indicator=True).fit(X, y).transform(X)
    with config_context(transform_output="pandas"):
        Z = TableEncoder(indicator=True).fit(X, y).transform(X)
    np.testing.assert_array_equal(Z, expected)
    assert list(Z.columns[: len(NAMES)]) == NAMES


def test_input_is_left_as_it_was():
    X, y = mixed()
    before = X.copy(deep=True)
    TableEncoder().fit(X, y).transform(X)
    pd.testing.assert_frame_equal(X, before)
    A = np.arange(20.0).reshape(10, 2)
    Z = TableEncoder(None, None).fit_transform(A)
    Z[:] = -1
    np.testing.assert_array_equal(A, np.arange(20.0).reshape(10, 2))
