"""The side door of metadata routing: one table, and clients= beside it."""

import numpy as np
import pytest
import sklearn
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skfed import ClientKFold, pool
from tests.sklearn_oracle import make_frame, make_named, small_classifier

FRAME, Y = make_frame()
POOLED, POOLED_Y = pool(make_named())
SHUFFLED = StratifiedKFold(3, shuffle=True, random_state=0)
TABLE, CLIENTS = FRAME[["a", "b"]], FRAME["site"].to_numpy()


def requesting():
    model = small_classifier()
    model.set_fit_request(clients=True)
    model.set_predict_request(clients=True)
    return model.set_score_request(clients=True)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_clients_go_to_fit_predict_and_score_without_routing():
    model = small_classifier().fit(TABLE, Y, clients=CLIENTS)
    assert model.client_names_ == ["site0", "site1", "site2"]
    predicted = model.predict(TABLE, clients=CLIENTS)
    assert model.score(TABLE, Y, clients=CLIENTS) == (predicted == Y).mean()
    with pytest.raises(ValueError, match="one plain table.*clients="):
        model.predict(TABLE)


def test_requests_need_routing():
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        small_classifier().set_fit_request(clients=True)


def test_cross_validation_with_own_score(routing):
    found = cross_validate(
        requesting(),
        TABLE,
        Y,
        cv=SHUFFLED,
        params={"clients": CLIENTS},
        error_score="raise",
        return_estimator=True,
        return_indices=True,
    )
    parts = zip(
        found["estimator"], found["indices"]["test"], found["test_score"], strict=True
    )
    for model, test, score in parts:
        assert model.client_names_ == ["site0", "site1", "site2"]
        predicted = model.predict(TABLE.iloc[test], clients=CLIENTS[test])
        assert score == (predicted == Y[test]).mean()


def test_grid_search_with_own_score(routing):
    search = GridSearchCV(
        requesting(), {"local_epochs": [1, 2]}, cv=SHUFFLED, error_score="raise"
    ).fit(TABLE, Y, clients=CLIENTS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert 0 < search.score(TABLE, Y, clients=CLIENTS) <= 1


def test_pipeline_routes_clients(routing):
    model = make_pipeline(FunctionTransformer(), requesting())
    model.fit(TABLE, Y, clients=CLIENTS)
    predicted = model.predict(TABLE, clients=CLIENTS)
    assert model.score(TABLE, Y, clients=CLIENTS) == (predicted == Y).mean()


@pytest.mark.parametrize(
    "scorer",
    [get_scorer("accuracy"), lambda model, X, y: (model.predict(X) == y).mean()],
    ids=["string scorer", "callable"],
)
def test_scorers_do_not_get_clients_and_say_so(routing, scorer):
    with pytest.raises(ValueError, match="one plain table.*clients="):
        cross_val_score(
            requesting(),
            TABLE,
            Y,
            cv=SHUFFLED,
            scoring=scorer,
            params={"clients": CLIENTS},
            error_score="raise",
        )


@pytest.mark.parametrize("alias", ["groups", "clients"])
def test_splitters_get_clients_by_routing(routing, alias):
    splitter = ClientKFold(3, random_state=0).set_split_request(groups=alias)
    found = cross_validate(
        requesting(),
        TABLE,
        Y,
        cv=splitter,
        params={"clients": CLIENTS, alias: CLIENTS},
        error_score="raise",
        return_indices=True,
    )
    expected = ClientKFold(3, random_state=0).split(TABLE, Y, CLIENTS)
    for found_test, (_, test) in zip(found["indices"]["test"], expected, strict=True):
        np.testing.assert_array_equal(found_test, test)


def test_routing_leaves_the_container_as_it_is(routing):
    scores = cross_val_score(
        small_classifier(),
        POOLED,
        POOLED_Y,
        cv=3,
        scoring=make_scorer(sklearn.metrics.accuracy_score),
        error_score="raise",
    )
    assert np.isfinite(scores).all()
