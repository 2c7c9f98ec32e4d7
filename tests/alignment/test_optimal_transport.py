import builtins

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.covariance import LedoitWolf
from sklearn.pipeline import make_pipeline

from skfed import FederatedClassifier
from skfed.alignment import (
    Aligner,
    IntersectionAligner,
    OptimalTransportAligner,
    UnionAligner,
)
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, send

COLUMNS = ["u", "v", "w"]
METHODS = ["bures", "coral"]
each_method = pytest.mark.parametrize("method", METHODS)


def drifted(n_clients=3, n=60, seed=0, labels=True, shares=None):
    """Clients that see the same distribution through affine maps of their own."""
    rng = np.random.default_rng(seed)
    clients = {}
    for k in range(n_clients):
        size = n + 10 * k
        share = 0.5 if shares is None else shares[k]
        y = (np.arange(size) < share * size).astype(int)
        X = rng.normal(size=(size, 3)) + 2.0 * y[:, None] * [1.0, 0.0, -1.0]
        mix = np.eye(3) + 0.3 * rng.normal(size=(3, 3))
        X = X @ mix * (k + 1) + rng.normal(size=3)
        clients[f"c{k}"] = (pd.DataFrame(X, columns=COLUMNS), y if labels else None)
    return clients


def plain(method, **options):
    return OptimalTransportAligner(method, balanced=False, shrinkage=0.0, **options)


@each_method
@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(0, 50))
def test_every_client_gets_the_target_mean_and_covariance(method, n_clients, seed):
    clients = drifted(n_clients, seed=seed)
    for name, one in federate(plain(method), clients).items():
        Z = one.transform(clients[name][0])
        np.testing.assert_allclose(Z.mean(axis=0), one.target_mean_, atol=1e-9)
        np.testing.assert_allclose(
            np.cov(Z, rowvar=False), one.target_covariance_, rtol=1e-7, atol=1e-9
        )


def test_bures_target_is_the_fixed_point_and_the_map_is_symmetric():
    clients = drifted()
    fitted = federate(plain("bures"), clients)
    n = np.array([len(X) for X, _ in clients.values()])
    w = n / n.sum()
    S = fitted["c0"].target_covariance_
    root = sqrtm(S)
    covariances = [np.cov(X, rowvar=False) for X, _ in clients.values()]
    again = sum(
        w_k * sqrtm(root @ S_k @ root) for w_k, S_k in zip(w, covariances, strict=True)
    )
    np.testing.assert_allclose(again, S, rtol=1e-8, atol=1e-9)
    for one in fitted.values():
        np.testing.assert_allclose(one.projection_, one.projection_.T, atol=1e-12)
        assert np.linalg.eigvalsh(one.projection_)[0] > 0


def test_bures_map_is_that_of_pot():
    from ot.gaussian import bures_wasserstein_mapping

    for one in federate(plain("bures"), drifted()).values():
        A, b = bures_wasserstein_mapping(
            one.mean_, one.target_mean_, one.covariance_, one.target_covariance_
        )
        np.testing.assert_allclose(one.projection_, A, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(one.offset_, b.ravel(), rtol=1e-8, atol=1e-9)


def test_bures_moves_rows_less_than_coral():
    clients = drifted()
    one = federate(plain("bures"), clients)["c2"]
    whiten = np.linalg.inv(sqrtm(one.covariance_))
    coral = whiten @ sqrtm(one.target_covariance_)  # onto the same target
    X = clients["c2"][0].to_numpy()
    X = X - X.mean(axis=0)
    moved = [((X @ A - X) ** 2).sum() for A in (one.projection_, coral)]
    assert moved[0] < 0.99 * moved[1]


def test_coral_closed_form():
    clients = drifted()
    fitted = federate(plain("coral"), clients)
    n = np.array([len(X) for X, _ in clients.values()])
    w = n / n.sum()
    S = np.average([np.cov(X, rowvar=False) for X, _ in clients.values()], 0, w)
    mu = np.average([X.mean() for X, _ in clients.values()], 0, w)
    for name, one in fitted.items():
        X = clients[name][0]
        own = np.cov(X, rowvar=False)
        Z = mu + (X.to_numpy() - X.mean().to_numpy()) @ np.linalg.inv(sqrtm(own)) @ (
            sqrtm(S)
        )
        np.testing.assert_allclose(one.transform(X), Z, rtol=1e-8, atol=1e-8)


@each_method
def test_one_dimension_is_standardising(method):
    """Both maps are (x - mu_k) s / s_k, s a mean of s_k or of squares."""
    clients = {name: (X[["u"]], None) for name, (X, _) in drifted(labels=False).items()}
    n = np.array([len(X) for X, _ in clients.values()])
    sd = np.array([X["u"].std() for X, _ in clients.values()])
    power = {"bures": 1, "coral": 2}[method]
    expected = np.average(sd**power, weights=n) ** (1 / power)
    fitted = federate(plain(method), clients)
    for (name, one), s_k in zip(fitted.items(), sd, strict=True):
        X = clients[name][0].to_numpy()
        Z = one.target_mean_ + (X - X.mean()) * expected / s_k
        np.testing.assert_allclose(one.transform(clients[name][0]), Z, rtol=1e-7)


@each_method
@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_strength_is_the_share_of_the_way(method, strength):
    clients = drifted()
    full = federate(OptimalTransportAligner(method), clients)
    part = federate(OptimalTransportAligner(method, strength=strength), clients)
    for name, (X, _) in clients.items():
        X, Z = X.to_numpy(), full[name].transform(X)
        found = part[name].transform(clients[name][0])
        np.testing.assert_allclose(found, X + strength * (Z - X), atol=1e-10)


@each_method
@pytest.mark.parametrize("balanced", [True, False])
def test_equal_clients_are_left_alone(method, balanced):
    X, y = drifted()["c1"]
    clients = {name: (X, y) for name in "abc"}
    for one in federate(OptimalTransportAligner(method, balanced), clients).values():
        np.testing.assert_allclose(one.transform(X), X, atol=1e-7)


@each_method
def test_balance_undoes_class_shares(method):
    """The same classes in other shares, without drift, are left nearly alone."""
    rng = np.random.default_rng(3)
    clients = {}
    for name, share in {"few": 0.2, "many": 0.8}.items():
        y = (np.arange(4000) < share * 4000).astype(int)
        X = rng.normal(size=(4000, 2)) + 3.0 * y[:, None]
        clients[name] = (pd.DataFrame(X, columns=["u", "v"]), y)

    def moved(balanced):
        fitted = federate(OptimalTransportAligner(method, balanced), clients)
        return max(
            np.abs(one.transform(clients[c][0]) - clients[c][0].to_numpy()).max()
            for c, one in fitted.items()
        )

    assert moved(True) < 0.2
    assert moved(False) > 0.8


def test_balanced_moments_closed_form():
    clients = drifted(2, shares=[0.3, 0.6])
    one = federate(OptimalTransportAligner("coral", shrinkage=0.0), clients)["c0"]
    X, y = clients["c0"][0].to_numpy(), clients["c0"][1]
    shares = [np.bincount(y) / len(y) for _, y in clients.values()]
    p = np.mean(shares, axis=0)
    m = np.stack([X[y == c].mean(axis=0) for c in (0, 1)])
    W = (X - m[y]).T @ (X - m[y]) / (len(X) - 2)
    mu = p @ m
    np.testing.assert_allclose(one.mean_, mu)
    np.testing.assert_allclose(one.covariance_, W + ((m - mu).T * p) @ (m - mu))


def test_shrinkage_is_that_of_ledoit_and_wolf():
    X = drifted(1)["c0"][0]
    one = OptimalTransportAligner("coral", balanced=False).fit(X)
    expected = LedoitWolf().fit(X).covariance_ * len(X) / (len(X) - 1)
    np.testing.assert_allclose(one.covariance_, expected)
    fixed = OptimalTransportAligner("coral", balanced=False, shrinkage=1.0).fit(X)
    assert np.ptp(np.diag(fixed.covariance_)) < 1e-12
    np.testing.assert_allclose(np.trace(fixed.covariance_), np.trace(np.cov(X.T)))


def test_numeric_target_counts_as_if_equally_distributed():
    """A column that is a line in y takes the common mean and variance of y."""
    rng = np.random.default_rng(0)
    clients = {}
    for name, shift in {"low": 0.0, "high": 2.0}.items():
        y = rng.normal(size=200) + shift
        X = np.c_[3 * y + 0.1 * rng.normal(size=200), rng.normal(size=200)]
        clients[name] = (pd.DataFrame(X, columns=["u", "v"]), y)
    balanced = federate(OptimalTransportAligner("coral"), clients)
    unbalanced = federate(OptimalTransportAligner("coral", balanced=False), clients)
    pooled = np.concatenate([y for _, y in clients.values()])
    for name, one in balanced.items():
        np.testing.assert_allclose(one.mean_[0], 3 * pooled.mean(), atol=0.05)
        np.testing.assert_allclose(one.covariance_[0, 0], 9 * pooled.var(), rtol=0.05)
        X = clients[name][0]
        assert np.abs(one.transform(X)[:, 0] - X["u"]).max() < 0.5
        assert np.abs(unbalanced[name].transform(X)[:, 0] - X["u"]).max() > 2


@each_method
def test_singular_tables_give_finite_rows(method):
    clients = drifted()
    for X, _ in clients.values():
        X["copy"] = X["u"]
        X["sum"] = X["u"] - 2 * X["w"]
    for name, one in federate(plain(method), clients).items():
        Z = one.transform(clients[name][0])
        assert np.isfinite(Z).all()
        np.testing.assert_allclose(Z[:, 0], Z[:, 2], atol=0.05)  # copy, u


def test_other_columns_are_refused_by_name():
    clients = drifted()
    clients["c1"] = (clients["c1"][0].drop(columns="v"), clients["c1"][1])
    text = r"client 'c1' lacks \['v'\]\. Put UnionAligner, IntersectionAligner or"
    with pytest.raises(ClientError, match=text):
        federate(OptimalTransportAligner(), clients)


def test_order_of_columns_is_free_and_output_is_sorted():
    X, y = drifted()["c0"]
    one = OptimalTransportAligner().fit(X, y)
    turned = OptimalTransportAligner().fit(X[["w", "u", "v"]], y)
    assert list(turned.get_feature_names_out()) == COLUMNS
    np.testing.assert_allclose(
        turned.transform(X[["w", "u", "v"]]), one.transform(X), atol=1e-9
    )


@pytest.mark.parametrize("before", [UnionAligner(), IntersectionAligner()], ids=repr)
@pytest.mark.filterwarnings("ignore:.*IntersectionAligner drops")
def test_pipeline_behind_another_aligner(before):
    clients = drifted()
    clients["c1"] = (clients["c1"][0].assign(x=0.5), clients["c1"][1])
    clients["c1"][0].iloc[::2, -1] = -1.0
    model = FederatedClassifier(
        personalizer=None,
        encoder="passthrough",
        aligner=make_pipeline(before, OptimalTransportAligner("coral")),
        n_rounds=2,
        random_state=0,
    )
    if isinstance(before, UnionAligner):  # x is 0 at the clients that lack it
        text = r"columns \['x'\] stay as they are"
        with pytest.warns(AlignmentWarning, match=text):
            model.fit(clients)
        assert model.aligned_names_ == [*COLUMNS, "x"]
    else:
        model.fit(clients)
        assert model.aligned_names_ == COLUMNS
    step = model.pipelines_["c0"]["align"]
    assert "OptimalTransportAligner" in repr(step)


def test_nearly_constant_columns_stay_at_all_clients():
    clients = drifted()
    for X, _ in clients.values():
        X["flag"] = (np.arange(len(X)) % 3 == 0).astype(float)
    clients["c1"][0]["flag"] = (np.arange(len(clients["c1"][0])) < 4).astype(float)
    text = r"columns \['flag'\] stay .* at clients \['c1'\].* min_count=5 rows"
    with pytest.warns(AlignmentWarning, match=text):
        fitted = federate(OptimalTransportAligner("coral"), clients)
    for name, one in fitted.items():
        assert one.columns_ == COLUMNS
        X = clients[name][0]
        np.testing.assert_array_equal(one.transform(X)[:, 0], X["flag"])


@pytest.mark.parametrize("n", [1, 4])
def test_small_client_tells_nothing_and_stays(n):
    clients = drifted()
    X, y = clients["c1"]
    clients["c1"] = (X.iloc[-n:], y[-n:])
    aligner = OptimalTransportAligner("coral")
    with pytest.warns(AlignmentWarning, match=r"clients \['c1'\] take no part"):
        one = federate(aligner, clients)["c1"]
    assert one.mean_ is None and one.covariance_ is None
    np.testing.assert_allclose(one.transform(clients["c1"][0]), clients["c1"][0])
    others = {name: clients[name] for name in ("c0", "c2")}
    expected = federate(aligner, others)["c0"].transform(clients["c0"][0])
    with pytest.warns(AlignmentWarning):
        found = federate(aligner, clients)["c0"].transform(clients["c0"][0])
    np.testing.assert_allclose(found, expected)


def test_second_moments_need_more_rows_than_columns_and_classes():
    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    for d, told in [(17, True), (18, False)]:
        X = pd.DataFrame(rng.normal(size=(20, d)), columns=[f"x{j}" for j in range(d)])
        aligner = OptimalTransportAligner()
        shared = aligner.merge({"a": aligner.client_statistics(X, y)})
        message = aligner.client_statistics(X, y, shared)
        assert ("covariance" in message) is told
        assert bool(message["columns"]) is told
    with pytest.raises(ClientError, match="more rows than columns and classes"):
        OptimalTransportAligner().fit(X, y)


def test_only_labels_that_all_clients_have_count():
    """Rows of a class that only one client has are mapped, and tell nothing."""
    clients = drifted()
    X, y = clients["c2"]
    extra = pd.DataFrame(np.full((10, 3), 1e3), columns=COLUMNS)
    both = pd.concat([X, extra], ignore_index=True)
    plus = clients | {"c2": (both, np.r_[y, np.full(10, 2)])}
    aligner = OptimalTransportAligner("coral")
    shared = aligner.merge(
        {c: send(aligner.client_statistics(*pair), c) for c, pair in plus.items()}
    )
    assert shared["classes"] == [0, 1]
    one, without = (federate(aligner, tables)["c2"] for tables in (plus, clients))
    np.testing.assert_allclose(one.transform(X), without.transform(X), atol=1.0)
    assert one.transform(both).shape == both.shape


def test_no_common_label_is_refused():
    clients = drifted(2)
    for name, (X, y) in clients.items():
        clients[name] = (X, np.array([f"{name} {label}" for label in y]))
    text = r"client 'c0' has \['c0 0', 'c0 1'\].* balanced=False"
    with pytest.raises(ClientError, match=text):
        federate(OptimalTransportAligner(), clients)
    federate(OptimalTransportAligner("coral", balanced=False), clients)
    clients["c1"] = (clients["c1"][0], np.arange(70.0))
    with pytest.raises(ClientError, match="numeric and that of client 'c0'"):
        federate(OptimalTransportAligner(), clients)


def test_unbalanced_sends_nothing_of_the_target():
    X, y = drifted()["c0"]
    aligner = OptimalTransportAligner(balanced=False)
    assert set(aligner.client_statistics(X, y)) == {"names", "n_rows"}
    shared = aligner.merge({"a": aligner.client_statistics(X, y)})
    sent = aligner.client_statistics(X, y, shared)
    for key, value in aligner.client_statistics(X, None, shared).items():
        np.testing.assert_array_equal(sent[key], value)


def test_without_pot_the_error_names_the_extra(monkeypatch):
    original = builtins.__import__

    def without_ot(name, *args, **kwargs):
        if name.split(".")[0] == "ot":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_ot)
    X, y = drifted()["c0"]
    with pytest.raises(ImportError, match=r"pip install 'skfed\[ot\]'.*coral"):
        OptimalTransportAligner().fit(X, y)
    OptimalTransportAligner("coral").fit(X, y)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "gromov"},
        {"strength": 1.5},
        {"shrinkage": "ledoit"},
        {"shrinkage": -0.1},
        {"min_count": 0},
        {"balanced": "yes"},
    ],
    ids=str,
)
def test_parameters_are_checked(options):
    with pytest.raises((ValueError, TypeError), match=next(iter(options))):
        OptimalTransportAligner(**options).fit(*drifted()["c0"])


def test_late_client_is_told_to_send_its_statistics():
    fitted = federate(plain("coral"), drifted(2))
    aligner, clients = plain("coral"), drifted(2)
    shared = None
    for _ in range(2):
        sent = {c: aligner.client_statistics(*p, shared) for c, p in clients.items()}
        shared = aligner.merge(sent, shared)
    late = drifted(3)["c2"][0].rename(columns={"u": "x"})
    with pytest.raises(ClientError, match=r"\['u', 'x'\].* same merge"):
        plain("coral").fit_shared(late, None, shared)
    late = drifted(3)["c2"][0].assign(u=1.0)
    with pytest.raises(ClientError, match="are constant here"):
        plain("coral").fit_shared(late, None, shared)
    assert fitted["c0"].columns_ == COLUMNS


def test_declaration_is_off_unless_set():
    assert not Aligner.needs_same_columns
    assert OptimalTransportAligner.needs_same_columns
