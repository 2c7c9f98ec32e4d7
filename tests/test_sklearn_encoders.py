"""Other people's transformers as encoder: skrub, ColumnTransformer, Pipelines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skfed import ClientKFold, pool
from skfed.alignment import UnionAligner
from skfed.preprocessing import (
    FederatedOneHotEncoder,
    FederatedSimpleImputer,
    FederatedStandardScaler,
)
from tests.sklearn_oracle import small_classifier

CATEGORIES = ("red", "green", "blue")


def mixed_clients(n=60, seed=0):
    """Return clients with numbers, gaps, text and columns of their own."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k, name in enumerate(["east", "north", "west"]):
        number = rng.normal(loc=(k - 1) / 2, size=n)
        y = (number > 0).astype(int)
        table = pd.DataFrame(
            {
                "size": number,
                "colour": rng.choice(CATEGORIES[: 2 + k % 2], size=n),
                f"own{k}": rng.normal(size=n) + y,
            }
        )
        table.loc[::7, f"own{k}"] = np.nan
        clients[name] = (table, y)
    return clients


CLIENTS = mixed_clients()
X, Y = pool(CLIENTS)


def by_kind(numbers, text):
    """Return a ColumnTransformer over the columns that a client happens to have."""
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("text", text, make_column_selector(dtype_exclude="number")),
        ],
        verbose_feature_names_out=False,
    )


ENCODERS = {
    "ColumnTransformer": by_kind(
        make_pipeline(FederatedSimpleImputer(), FederatedStandardScaler()),
        FederatedOneHotEncoder(min_count=1),
    ),
    "ColumnTransformer, mixed": by_kind(
        make_pipeline(SimpleImputer(), FederatedStandardScaler()),
        OneHotEncoder(sparse_output=False),
    ),
    "ColumnTransformer, local": by_kind(
        make_pipeline(SimpleImputer(), StandardScaler()),
        OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
    ),
    "Pipeline": Pipeline(
        [
            (
                "columns",
                by_kind(FederatedSimpleImputer(), FederatedOneHotEncoder(min_count=1)),
            ),
            ("scale", FederatedStandardScaler()),
        ]
    ),
    "FeatureUnion": make_pipeline(
        by_kind(FederatedSimpleImputer(), "drop"),
        FeatureUnion(
            [
                ("scaled", FederatedStandardScaler()),
                ("rank", FunctionTransformer(np.tanh, feature_names_out="one-to-one")),
            ]
        ),
    ),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_composites_with_federated_steps(name):
    model = small_classifier(
        encoder=ENCODERS[name], aligner=UnionAligner(), n_rounds=10
    )
    scores = cross_val_score(
        model, X, Y, cv=ClientKFold(3, random_state=0), error_score="raise"
    )
    assert scores.min() > 0.7


def test_federated_leaf_is_fitted_by_all_clients():
    model = small_classifier(
        encoder=ENCODERS["ColumnTransformer"], aligner=UnionAligner()
    ).fit(X, Y)
    assert {f"colour={value}" for value in CATEGORIES} <= set(model.aligned_names_)


def test_federated_scaling_keeps_the_difference_between_clients():
    means = {}
    for name in ("ColumnTransformer", "ColumnTransformer, local"):
        model = small_classifier(encoder=ENCODERS[name], aligner=UnionAligner())
        pipelines = model.fit(X, Y).pipelines_
        column = model.aligned_names_.index("size")
        means[name] = [
            np.asarray(pipelines[client][:-1].transform(table))[:, column].mean()
            for client, (table, _) in CLIENTS.items()
        ]
    np.testing.assert_allclose(means["ColumnTransformer, local"], 0, atol=1e-9)
    assert np.ptp(means["ColumnTransformer"]) > 0.5
    np.testing.assert_allclose(np.mean(means["ColumnTransformer"]), 0, atol=1e-9)


def test_grid_search_reaches_into_the_composite():
    search = GridSearchCV(
        small_classifier(encoder=ENCODERS["ColumnTransformer"]),
        {
            "encoder__text__min_count": [1, 2],
            "encoder__numbers__federatedstandardscaler__scaling": ["client"],
        },
        cv=3,
        error_score="raise",
    ).fit(X, Y)
    assert len(search.cv_results_["params"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("form", ["alone", "with FederatedStandardScaler"])
def test_table_vectorizer_of_skrub(form):
    skrub = pytest.importorskip("skrub")
    encoder = skrub.TableVectorizer()
    if form != "alone":
        encoder = make_pipeline(
            encoder, FederatedSimpleImputer(), FederatedStandardScaler()
        )
    else:
        encoder = make_pipeline(encoder, SimpleImputer(), StandardScaler())
    model = small_classifier(encoder=encoder, n_rounds=10)
    scores = cross_val_score(model, X, Y, cv=3, error_score="raise")
    assert scores.min() > 0.7
    assert "size" in model.fit(X, Y).aligned_names_


def test_table_vectorizer_alone():
    skrub = pytest.importorskip("skrub")
    complete = {name: (table.fillna(0.0), y) for name, (table, y) in CLIENTS.items()}
    model = small_classifier(
        encoder=skrub.TableVectorizer(), aligner=UnionAligner(), n_rounds=10
    ).fit(complete)
    assert {"size", "own0", "own1", "own2"} <= set(model.aligned_names_)
    assert any(name.startswith("colour_") for name in model.aligned_names_)
    assert model.score(complete) > 0.7
