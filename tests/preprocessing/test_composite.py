import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)

from skfed.exceptions import ClientError
from skfed.preprocessing import (
    FederatedComposite,
    FederatedOneHotEncoder,
    FederatedQuantileTransformer,
    FederatedSimpleImputer,
    FederatedStandardScaler,
    FederatedTransformer,
    as_federated,
    federated_leaves,
)

NUMBERS = make_column_selector(dtype_include=np.number)
WORDS = make_column_selector(dtype_exclude=np.number)

CUBE_ROOT = FunctionTransformer(np.cbrt, feature_names_out="one-to-one")


class Recentred(FederatedTransformer):
    """Two exchanges: the mean, then the mean absolute deviation from it."""

    n_exchanges = 2

    def _client_statistics(self, X, names, y, shared):
        if shared is None:
            return {"n": len(X), "sum": X.sum(axis=0)}
        return {
            "n": len(X),
            "mean": shared["mean"],
            "sum": abs(X - shared["mean"]).sum(0),
        }

    def _merge(self, statistics, shared):
        total = sum(m["sum"] for m in statistics.values())
        mean = total / sum(m["n"] for m in statistics.values())
        return {"mean": mean} if shared is None else {**shared, "width": mean}

    def _fit_shared(self, X, names, y, shared):
        self.mean_, self.width_ = shared["mean"], shared["width"]

    def _transform(self, X):
        return (X - self.mean_) / self.width_

    def get_feature_names_out(self, input_features=None):
        return np.asarray(self._column_names(), dtype=object)


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    out = {}
    for k, n in enumerate((20, 15, 12)):
        out[f"c{k}"] = pd.DataFrame(
            {
                "u": rng.normal(k, 1, n),
                "colour": rng.choice(["red", "green", "blue"], n),
                "v": np.where(rng.random(n) < 0.2, np.nan, rng.exponential(size=n)),
            }
        )
    return out


def assert_pooled(federate, federated, plain, tables):
    pooled = plain.fit(pd.concat(tables.values()))
    names = list(pooled.get_feature_names_out())
    for client, step in federate(FederatedComposite(federated), tables).items():
        Z = step.transform(tables[client])
        assert isinstance(Z, np.ndarray)
        np.testing.assert_allclose(Z, pooled.transform(tables[client]), atol=1e-12)
        assert len(step.get_feature_names_out()) == len(names)
        frame = step.set_output(transform="pandas").transform(tables[client])
        assert list(frame.columns) == list(step.get_feature_names_out())


def test_column_transformer_equals_the_pooled_one(federate, tables):
    assert_pooled(
        federate,
        ColumnTransformer(
            [
                ("number", FederatedStandardScaler(min_count=1), ["u", "v"]),
                ("word", FederatedOneHotEncoder(min_count=1), ["colour"]),
            ]
        ),
        ColumnTransformer(
            [
                ("number", StandardScaler(), ["u", "v"]),
                ("word", OneHotEncoder(sparse_output=False), ["colour"]),
            ]
        ),
        tables,
    )


def test_nested_pipelines_fit_each_step_on_what_reaches_it(federate, tables):
    def chain(imputer, scaler, last, encoder):
        numbers = make_pipeline(imputer, CUBE_ROOT, scaler)
        columns = ColumnTransformer([("n", numbers, NUMBERS), ("w", encoder, WORDS)])
        return Pipeline([("columns", columns), ("last", last)])

    assert_pooled(
        federate,
        chain(
            FederatedSimpleImputer(min_count=1),
            FederatedStandardScaler(min_count=1),
            FederatedStandardScaler(min_count=1),
            FederatedOneHotEncoder(min_count=1),
        ),
        chain(
            SimpleImputer(),
            StandardScaler(),
            StandardScaler(),
            OneHotEncoder(sparse_output=False),
        ),
        tables,
    )


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_feature_union_equals_the_pooled_one(federate, tables, n_jobs):
    tables = {c: X[["u"]] for c, X in tables.items()}
    federated = FeatureUnion(
        [
            ("scale", FederatedStandardScaler(min_count=1)),
            ("power", make_pipeline(PolynomialFeatures(2), FederatedStandardScaler())),
        ],
        n_jobs=n_jobs,
    )
    plain = FeatureUnion(
        [
            ("scale", StandardScaler()),
            ("power", make_pipeline(PolynomialFeatures(2), StandardScaler())),
        ]
    )
    assert_pooled(federate, federated, plain, tables)


def test_steps_with_several_exchanges(federate, tables):
    tables = {c: X[["u"]] for c, X in tables.items()}
    step = make_pipeline(Recentred(), FederatedStandardScaler(), Recentred())
    assert FederatedComposite(step).n_exchanges == 5
    fitted = federate(FederatedComposite(step), tables)
    rows = pd.concat(tables.values())
    expected = clone(step).fit(rows)
    np.testing.assert_allclose(fitted["c1"].transform(rows), expected.transform(rows))


def test_names_survive_plain_steps(federate, tables):
    renamed = {
        "a": tables["c0"][["u", "v"]],
        "b": tables["c1"][["v", "u"]],
    }
    step = make_pipeline(SimpleImputer(), FederatedStandardScaler(min_count=1))
    fitted = federate(FederatedComposite(step), renamed)
    means = [fitted[c].estimator_[-1].mean_ for c in "ab"]
    np.testing.assert_allclose(means[0], means[1][::-1])


def test_step_without_columns_at_one_client(federate, tables):
    tables["c1"] = tables["c1"][["u", "v"]]
    step = ColumnTransformer(
        [
            ("word", FederatedOneHotEncoder(min_count=1), WORDS),
            ("number", FederatedStandardScaler(), NUMBERS),
        ],
        verbose_feature_names_out=False,
    )
    fitted = federate(FederatedComposite(step), tables)
    assert list(fitted["c1"].get_feature_names_out()) == ["u", "v"]
    words = [f"colour={c}" for c in ("blue", "green", "red")]
    assert list(fitted["c0"].get_feature_names_out()) == [*words, "u", "v"]


def test_arrays_and_standing_alone():
    X = np.random.default_rng(0).normal(size=(30, 3))
    step = make_pipeline(FederatedQuantileTransformer(min_count=1, n_quantiles=30))
    expected = QuantileTransformer(n_quantiles=30).fit_transform(X)
    np.testing.assert_allclose(FederatedComposite(step).fit_transform(X), expected)


def test_prototype_is_never_fitted(federate, tables):
    step = make_pipeline(FederatedStandardScaler())
    federate(FederatedComposite(step), {c: X[["u"]] for c, X in tables.items()})
    assert not hasattr(step[0], "mean_")


def test_leaves_come_in_the_order_of_the_data():
    inner = ColumnTransformer([("n", FederatedStandardScaler(), [0])])
    step = Pipeline([("columns", inner), ("last", FederatedQuantileTransformer())])
    assert [path for path, _ in federated_leaves(step)] == ["columns__n", "last"]
    frozen = FrozenEstimator(FederatedStandardScaler().fit(np.eye(3)))
    assert federated_leaves(make_pipeline(frozen, StandardScaler())) == []
    nested = make_pipeline(FederatedComposite(make_pipeline(FederatedStandardScaler())))
    assert [path for path, _ in federated_leaves(nested)] == ["federatedcomposite"]


def test_as_federated():
    step = FederatedStandardScaler()
    assert as_federated(step) is step
    assert as_federated("passthrough") is as_federated(StandardScaler()) is None
    union = FeatureUnion([("a", step)])
    assert isinstance(as_federated(union), FederatedComposite)
    searched = as_federated(union).set_params(estimator__a__scaling="client")
    assert searched.estimator.transformer_list[0][1].scaling == "client"


def test_nested_composites(federate, tables):
    tables = {c: X[["u"]] for c, X in tables.items()}
    inner = FederatedComposite(make_pipeline(Recentred(), FederatedStandardScaler()))
    outer = FederatedComposite(make_pipeline(inner, FederatedStandardScaler()))
    assert outer.n_exchanges == 4
    rows = pd.concat(tables.values())
    expected = clone(outer).fit(rows).transform(rows)
    fitted = federate(outer, tables)["c2"]
    np.testing.assert_allclose(fitted.transform(rows), expected, atol=1e-12)


def test_errors_name_the_remedy(tables):
    X = tables["c0"][["u"]]
    with pytest.raises(ClientError, match="no FederatedTransformer"):
        FederatedComposite(StandardScaler()).fit(X)
    step = FederatedComposite(make_pipeline(Recentred(), FederatedStandardScaler()))
    with pytest.raises(ClientError, match="came before client_statistics"):
        step.fit_shared(X, None, {"exchange": 0})
    sent = step.client_statistics(X)
    with pytest.raises(ClientError, match="different exchanges"):
        step.merge({"a": sent, "b": {**sent, "exchange": 1}})
    shared = step.merge({"a": sent})
    shared = step.merge({"a": step.client_statistics(X, None, shared)}, shared)
    with pytest.raises(ClientError, match="1 federated steps are not fitted yet"):
        step.fit_shared(X, None, shared)


class OthersMean(FederatedTransformer):
    """The mean target of the other rows for rows of fit, of all rows for new ones."""

    differs_in_fit = "a row of fit is no part of its own mean"

    def _client_statistics(self, X, names, y, shared):
        return {"n": len(X), "sum": float(np.sum(y))}

    def _merge(self, statistics, shared):
        return {
            "n": sum(m["n"] for m in statistics.values()),
            "sum": sum(m["sum"] for m in statistics.values()),
        }

    def _fit_shared(self, X, names, y, shared):
        self.mean_ = shared["sum"] / shared["n"]

    def fit_shared_transform(self, X, y, shared):
        self.fit_shared(X, y, shared)
        return (shared["sum"] - np.asarray(y, float)[:, None]) / (shared["n"] - 1)

    def _transform(self, X):
        return np.full((len(X), 1), self.mean_)

    def get_feature_names_out(self, input_features=None):
        return np.array(["mean"], dtype=object)


def in_columns(step):
    return ColumnTransformer([("step", step, ["u"]), ("rest", "passthrough", ["v"])])


@pytest.mark.parametrize(
    "composite",
    [
        lambda step: make_pipeline(in_columns(step), FederatedStandardScaler()),
        lambda step: make_pipeline(
            FeatureUnion([("step", step), ("u", "passthrough")]),
            FederatedStandardScaler(),
        ),
        lambda step: make_pipeline(
            FederatedComposite(in_columns(step)), FederatedStandardScaler()
        ),
        lambda step: FederatedComposite(
            make_pipeline(in_columns(step), FederatedStandardScaler())
        ),
    ],
    ids=["columns", "union", "nested", "composite of a composite"],
)
@pytest.mark.parametrize("pickled", [False, True])
def test_rows_of_fit_are_treated_apart_on_the_whole_way(tables, composite, pickled):
    tables = {c: X[["u", "v"]].fillna(0.0) for c, X in tables.items()}
    targets = {c: np.arange(len(X)) ** 2.0 for c, X in tables.items()}
    step = FederatedComposite(composite(OthersMean()))
    assert step.differs_in_fit == OthersMean.differs_in_fit
    steps, shared = {c: clone(step) for c in tables}, None
    for _ in range(step.n_exchanges):
        sent = {
            c: one.client_statistics(tables[c], targets[c], shared)
            for c, one in steps.items()
        }
        shared = step.merge(sent, shared)
        if pickled:
            steps = {c: pickle.loads(pickle.dumps(one)) for c, one in steps.items()}
    y = np.concatenate(list(targets.values()))
    others = (y.sum() - y) / (len(y) - 1)
    rows = {
        c: np.asarray(one.fit_shared_transform(tables[c], targets[c], shared))
        for c, one in steps.items()
    }
    expected = (others - others.mean()) / others.std()
    found = np.concatenate(list(rows.values()))[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    for c, one in steps.items():  # new rows get the mean of all
        np.testing.assert_allclose(one.transform(tables[c])[:, 0], 0, atol=1e-9)
        frame = one.set_output(transform="pandas").transform(tables[c])
        assert list(frame.columns) == list(one.get_feature_names_out())


def test_fit_transform_is_the_composites_own(tables):
    X = tables["c0"][["u", "v"]].fillna(0.0)
    y = np.arange(len(X)) % 3.0
    Z = FederatedComposite(in_columns(OthersMean())).fit_transform(X, y)
    assert isinstance(Z, np.ndarray)
    np.testing.assert_allclose(Z[:, 0], (y.sum() - y) / (len(y) - 1))
    encoder = TargetEncoder(cv=KFold(2), target_type="continuous")
    union = FeatureUnion([("target", encoder), ("scale", FederatedStandardScaler())])
    found = FederatedComposite(union).fit_transform(X, y)
    np.testing.assert_allclose(found[:, :2], clone(encoder).fit_transform(X, y))
