"""A fit at real sites is the fit in one process, bit for bit."""

import numpy as np
import pytest

from skfed import (
    ClientError,
    FederatedClassifier,
    FederatedMultiTask,
    FederatedRegressor,
)
from skfed.sites import load_pipeline
from skfed.testing import LoopbackFederation
from tests.clients import make_clients
from tests.real_sites import log_of, make_sites

MEASURED = ["seconds", "bytes_down", "bytes_up"]
QUICK = {"n_rounds": 3, "random_state": 0, "engine": "loop"}


def label_sets():
    clients = make_clients("regression")
    return {
        name: (table, np.column_stack([y > np.median(y), y > np.mean(y)]).astype(int))
        for name, (table, y) in clients.items()
    }


def several():
    clients = make_clients("regression")
    return {n: (t, np.column_stack([y, y**2])) for n, (t, y) in clients.items()}


def mixed():
    classes = make_clients("classification", text_labels=True)
    numbers = make_clients("regression")
    return {"a": classes["a"], "b": numbers["b"], "c": numbers["c"]}


def other_labels():
    clients = make_clients()
    table, y = clients["a"]
    return {**clients, "a": (table[y > 0], y[y > 0])}


CASES = {
    "classes": (FederatedClassifier, make_clients(text_labels=True), {}),
    "numbers": (FederatedRegressor, make_clients("regression"), {}),
    "absent labels, validation": (
        FederatedClassifier,
        other_labels(),
        {"absent": "zero", "early_stopping": True},
    ),
    "own heads": (FederatedClassifier, make_clients(), {"heads": "local"}),
    "label sets": (FederatedClassifier, label_sets(), {}),
    "several numbers, plain": (
        FederatedRegressor,
        several(),
        {"personalizer": None, "target_scaling": "pooled"},
    ),
    "other tasks": (FederatedMultiTask, mixed(), {}),
}


def weights_of(model):
    nets = model.nets_ if hasattr(model, "nets_") else {"": model.net_}
    return {
        (name, key): value.numpy()
        for name, net in nets.items()
        for key, value in net.module_.state_dict().items()
    }


def same(first, second):
    return list(first) == list(second) and all(
        np.array_equal(first[key], second[key]) for key in first
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_bits_are_those_of_one_process(case, tmp_path):
    kind, clients, parameters = CASES[case]
    configs, here = make_sites(tmp_path, clients)
    one = kind(**QUICK, **parameters).fit(here)
    federation = LoopbackFederation(configs)
    model = kind(**QUICK, **parameters, federation=federation).fit()
    assert same(weights_of(model), weights_of(one))
    assert model.client_names_ == one.client_names_
    assert model.client_features_ == one.client_features_
    assert model.aligned_names_ == one.aligned_names_
    first, second = one.history_, model.history_
    assert first.drop(columns=MEASURED).equals(second.drop(columns=MEASURED))
    for config in configs:
        site, table = load_pipeline(config), here[config.name][0]
        for own, known in (
            (site.predictor, one.predictors_[config.name]),
            (site.pipeline, one.pipelines_[config.name]),
        ):
            # the fitted steps are those of one process, and so is the net
            assert np.array_equal(own.predict(table), known.predict(table))
            if hasattr(known, "predict_proba"):
                proba = known.predict_proba(table)
                assert np.array_equal(own.predict_proba(table), proba)
        assert np.array_equal(site.predict(), one.predict(table, clients=config.name))
        if site.report is not None:
            own = one.personalization_.loc[[config.name]]
            assert site.report.equals(own)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["classes", "numbers"])
def test_bits_are_the_same_with_a_new_process_for_each_message(case, tmp_path):
    kind, clients, _ = CASES[case]
    configs, here = make_sites(tmp_path, clients)
    one = kind(**QUICK).fit(here)
    federation = LoopbackFederation(configs, fresh=True)
    model = kind(**QUICK, federation=federation).fit()
    assert same(weights_of(model), weights_of(one))
    for config in configs:
        known = one.predict(here[config.name][0], clients=config.name)
        assert np.array_equal(load_pipeline(config).predict(), known)


def small(tmp_path, **parameters):
    configs, here = make_sites(tmp_path, make_clients("regression"))
    federation = LoopbackFederation(configs)
    model = FederatedRegressor(
        federation=federation,
        **{"personalizer": None, **QUICK, "n_rounds": 2, **parameters},
    )
    return model, configs, here


def test_what_stayed_at_the_sites_is_said(tmp_path):
    model, _, here = small(tmp_path)
    model.fit()
    for name in ("pipelines_", "predictors_", "personalization_"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match="load_pipeline"):
            getattr(model, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing_'"):
        _ = model.nothing_
    for method in (model.predict, model.score):
        with pytest.raises(ClientError, match="stayed at its site.*load_pipeline"):
            method(here)
    with pytest.raises(ClientError, match="stayed at its site"):
        model.add_client("d", *here["a"])
    model.federation = None
    assert set(model.fit(here).pipelines_) == {"a", "b", "c"}


def test_data_are_the_sites(tmp_path):
    model, _, here = small(tmp_path)
    with pytest.raises(ClientError, match=r"own their data: call fit\(\)"):
        model.fit(here)
    with pytest.raises(ClientError, match="needs the clients' tables"):
        FederatedRegressor().fit()


def test_the_ledger_is_what_the_sites_logged(tmp_path):
    model, configs, _ = small(tmp_path)
    model.fit()
    up = model.ledger_.query("direction == 'up'")
    for config in configs:
        own = up[up["client"] == config.name]
        logged = [
            (line["task"], entry[0], tuple(entry[1]), entry[2], entry[3])
            for line in log_of(config)
            for entry in line.get("entries", [])
            if line["task"] != "hello"
        ]
        columns = ["task", "name", "shape", "dtype", "bytes"]
        assert logged == list(own[columns].itertuples(index=False, name=None))
    n_rows = {len(table) for table, _ in make_clients("regression").values()}
    assert not any(n_rows & set(shape) for shape in up["shape"])


def test_a_second_fit_goes_on_from_the_first(tmp_path):
    model, configs, here = small(tmp_path, warm_start=True)
    one = FederatedRegressor(personalizer=None, warm_start=True, **QUICK)
    one.set_params(n_rounds=2).fit(here).fit(here)
    model.fit().fit()
    assert same(weights_of(model), weights_of(one))
    fits = {line["fit"] for line in log_of(configs[0]) if line["task"] == "train"}
    assert len(fits) == 2


def test_a_parameter_that_cannot_travel_is_named_before_the_fit(tmp_path):
    from sklearn.preprocessing import FunctionTransformer

    model, configs, _ = small(tmp_path, encoder=FunctionTransformer(lambda X: X))
    with pytest.raises(ValueError, match="encoder__func=.*cannot be sent"):
        model.fit()
    assert {line["task"] for line in log_of(configs[0])} == {"hello", "introduce"}


def test_unlike_targets_are_refused_by_name(tmp_path):
    clients = make_clients("regression")
    configs, _ = make_sites(tmp_path, clients)
    path = configs[0].data.csv
    path.write_text(path.read_text().replace("q", "q", 1).replace(",y", ",y0", 1))
    federation = LoopbackFederation(configs)
    with pytest.raises(ClientError, match="'a'.*target names.*'y'.*all sites"):
        FederatedRegressor(federation=federation).fit()


def test_sites_need_names_of_their_own(tmp_path):
    configs, _ = make_sites(tmp_path, make_clients("regression"))
    with pytest.raises(ClientError, match="two sites are named 'a'"):
        LoopbackFederation([configs[0], configs[0]]).open()


class Interrupted(LoopbackFederation):
    """A driver that is stopped after some messages, answered or not."""

    def open(self, handle=None, sites=None):
        session = super().open()
        plain = session.broadcast

        def broadcast(ask):
            self.left = getattr(self, "left", self.after) - 1
            if self.left == 0 and not self.heard:
                raise KeyboardInterrupt
            answers = plain(ask)
            if self.left == 0:
                raise KeyboardInterrupt
            return answers

        session.broadcast = broadcast
        return session


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("after", [2, 4, 7])
def test_a_driver_that_is_started_again_goes_on(tmp_path, after, heard):
    clients = make_clients("regression")
    configs, here = make_sites(tmp_path, clients)
    given = {"personalizer": None, **QUICK}
    one = FederatedRegressor(**given).fit(here)
    given["checkpoint"] = tmp_path / "journal"
    federation = Interrupted(configs)
    federation.after, federation.heard = after, heard
    with pytest.raises(KeyboardInterrupt):
        FederatedRegressor(**given, federation=federation).fit()
    before = len(log_of(configs[0]))
    model = FederatedRegressor(**given, federation=LoopbackFederation(configs)).fit()
    assert same(weights_of(model), weights_of(one))
    again = [line for line in log_of(configs[0])[before:] if line.get("again")]
    assert len(again) == heard  # done, but the answer had not arrived
    tasks = [line["task"] for line in log_of(configs[0]) if not line.get("again")]
    assert tasks.count("prepare") == 1
