import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skfed import FederatedClassifier
from skfed.alignment import FlicAligner
from skfed.alignment._flic_client import joint_loss
from skfed.alignment._flic_net import Adam, cross_entropy, network, wasserstein
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, send, statistics_of

SMALL = {"n_components": 8, "n_rounds": 2, "local_epochs": 3, "random_state": 0}


def planted(n=90, seed=0):
    """Two clients without a common column; three classes that are far apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    clients = {}
    for name, d in (("a", 4), ("b", 6)):
        X = 3 * rng.normal(size=(3, d))[y] + rng.normal(size=(n, d))
        clients[name] = (pd.DataFrame(X).add_prefix(name), y)
    return clients


def slopes(function, x, step=1e-6):
    """Central differences of a scalar function of an array."""
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            found[place] += sign * function(moved) / (2 * step)
    return found


def test_wasserstein_distance_is_that_of_diagonal_normal_distributions():
    rng = np.random.default_rng(0)
    z, codes = rng.normal(size=(20, 3)), np.arange(20) % 2
    anchors = rng.normal(size=(3, 3))
    distances, _, _ = wasserstein(z, codes, anchors)
    for c in range(2):
        S = np.diag(z[codes == c].var(axis=0))
        shift = z[codes == c].mean(axis=0) - anchors[c]
        # |m - v|^2 + tr(S + I - 2 S^1/2), the general form with S_c = I
        expected = shift @ shift + np.trace(S + np.eye(3) - 2 * np.sqrt(S))
        assert distances[c] == pytest.approx(expected)
    assert distances[2] == 0  # no rows
    there = anchors[[0, 0]] + [[1.0], [-1.0]]
    assert wasserstein(there, np.array([0, 0]), anchors)[0][0] == pytest.approx(0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_gradient_of_the_wasserstein_distance(seed):
    rng = np.random.default_rng(seed)
    z, anchors = rng.normal(size=(9, 2)), rng.normal(size=(4, 2))
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])[rng.permutation(9)]
    _, slope, anchor_slope = wasserstein(z, codes, anchors)

    def total(z, anchors):
        return wasserstein(z, codes, anchors)[0].sum()

    np.testing.assert_allclose(
        slope, slopes(lambda z: total(z, anchors), z), rtol=1e-4, atol=1e-6
    )
    found = slopes(lambda v: total(z, v), anchors)
    np.testing.assert_allclose(anchor_slope, found, rtol=1e-4, atol=1e-6)


def test_gradient_of_the_joint_loss():
    rng = np.random.default_rng(0)
    start = {("phi", name): p for name, p in network(rng, 3, 5, 2).items()}
    start |= {("head", name): p for name, p in network(rng, 2, 4, 3).items()}
    start["anchors", "means"] = rng.normal(size=(3, 2))
    x, codes = rng.normal(size=(12, 3)), np.arange(12) % 3
    noise = rng.normal(size=(12, 2))
    weights = {"alignment_weight": 0.3, "anchor_loss_weight": 0.7}
    moves = np.array([True, True, False])
    given = (x, codes, noise, moves, weights)
    _, gradients = joint_loss(start, *given)
    for key, value in start.items():
        found = slopes(
            lambda v, key=key: joint_loss(start | {key: v}, *given)[0], value
        )
        if key[0] == "anchors":
            assert np.abs(found[2]).max() > 1e-3
            found[2] = 0.0  # may not move
        np.testing.assert_allclose(gradients[key], found, rtol=1e-4, atol=1e-7)


def test_cross_entropy_and_adam_are_those_of_torch():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(10, 4)), np.arange(10) % 3
    W = rng.normal(size=(4, 3))
    theirs = torch.tensor(W, requires_grad=True)
    optimizer = torch.optim.Adam([theirs], lr=0.05)
    ours = Adam({"W": W}, 0.05)
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            torch.tensor(X) @ theirs, torch.tensor(codes)
        )
        loss.backward()
        optimizer.step()
        value, slope = cross_entropy(X @ ours.parameters["W"], codes)
        assert value == pytest.approx(loss.item())
        ours.step({"W": X.T @ slope})
    found = ours.parameters["W"]
    np.testing.assert_allclose(found, theirs.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("mode", ["pretrain", "joint"])
def test_classes_meet_at_their_anchors(mode):
    clients = planted()
    aligner = FlicAligner(
        mode, n_components=8, pretrain_epochs=300, n_rounds=3, random_state=0
    )
    fitted = federate(aligner, clients)
    anchors = (fitted["a"].anchors_ - fitted["a"].centre_) / fitted["a"].scale_
    for name, one in fitted.items():
        X, y = clients[name]
        Z = one.transform(X)
        means = np.stack([Z[y == c].mean(axis=0) for c in range(3)])
        np.testing.assert_allclose(means, anchors, atol=0.15)
    Za, Zb = (fitted[name].transform(clients[name][0]) for name in "ab")
    model = LogisticRegression().fit(Za, clients["a"][1])  # of one client
    assert model.score(Zb, clients["b"][1]) > 0.9  # for the other one's rows


def test_output_has_deviation_one_where_it_is_largest():
    one = FlicAligner(n_components=5, random_state=0).fit(*planted()["a"])
    anchors = (one.anchors_ - one.centre_) / one.scale_
    spread = np.linalg.eigvalsh(anchors.T @ anchors / 3 + np.eye(5) / one.scale_**2)
    assert spread[-1] == pytest.approx(1)


def test_an_anchor_follows_from_seed_and_label_alone():
    X, y = planted()["a"]
    few, more = np.array(["p", "q"])[y % 2], np.array(["p", "r", "q"])[y]
    first = FlicAligner(**SMALL).fit(X, few)
    second = FlicAligner(**SMALL).fit(X, more)
    assert second.labels_ == ["p", "q", "r"]
    np.testing.assert_array_equal(second.anchors_[:2], first.anchors_)
    other = FlicAligner(**SMALL | {"random_state": 1}).fit(X, few)
    assert np.abs(other.anchors_ - first.anchors_).max() > 1


@pytest.mark.parametrize("mode", ["pretrain", "joint"])
@pytest.mark.parametrize("target", ["labels", "numbers"])
def test_order_of_rows_changes_no_bit(mode, target):
    X, y = planted()["a"]
    if target == "numbers":
        y = y + 0.1 * np.arange(len(y))
    order = np.random.default_rng(0).permutation(len(X))
    aligner = FlicAligner(mode, **SMALL, batch_size=7)
    one = clone(aligner).fit(X, y)
    two = clone(aligner).fit(X.iloc[order, ::-1], y[order])
    for first, second in zip(one.intercepts_, two.intercepts_, strict=True):
        if target == "labels":
            np.testing.assert_array_equal(first, second)
        else:  # the bins' edges are sums
            np.testing.assert_allclose(first, second)
    np.testing.assert_allclose(one.coefs_[0], two.coefs_[0][::-1])


def test_pretraining_sends_labels_and_counts_alone():
    aligner = FlicAligner(**SMALL)
    assert aligner.n_exchanges == 1
    sent = statistics_of(aligner, planted())["a"]
    assert set(sent) == {"is_numeric", "classes", "counts"}


@pytest.mark.parametrize("share_hidden", [False, True])
def test_joint_mode_averages_the_anchors(share_hidden):
    aligner = FlicAligner("joint", share_hidden=share_hidden, **SMALL)
    assert aligner.n_exchanges == 3
    clients = planted()
    X, y = clients["b"]
    keep = y < 2
    clients["b"] = (X[keep], y[keep])
    steps = {name: clone(aligner) for name in clients}
    first = {n: s.client_statistics(*clients[n]) for n, s in steps.items()}
    drawn = aligner.merge(first)
    sent = {
        n: send(s.client_statistics(*clients[n], drawn), n) for n, s in steps.items()
    }
    hidden = {"hidden_W1", "hidden_b1"} if share_hidden else set()
    for message, n_labels in zip(sent.values(), (3, 2), strict=True):
        assert set(message) == {"labels", "anchors"} | hidden
        assert message["labels"] == list(range(n_labels))
        assert message["anchors"].shape == (n_labels, 8)
    answer = aligner.merge(sent, drawn)
    a, b = (sent[name]["anchors"] for name in "ab")
    np.testing.assert_allclose(answer["anchors"][:2], (a[:2] + b) / 2)
    np.testing.assert_array_equal(answer["anchors"][2], a[2])
    assert 0 < np.abs(answer["anchors"] - drawn["anchors"]).max() < 0.1
    for name in hidden:
        assert np.abs(answer[name] - drawn[name]).max() > 0
        both = (sent["a"][name] + sent["b"][name]) / 2
        np.testing.assert_allclose(answer[name], both)


def test_the_map_is_trained_on_through_all_exchanges():
    clients = planted()
    short = federate(FlicAligner("joint", **SMALL), clients)
    longer = federate(FlicAligner("joint", **SMALL | {"n_rounds": 6}), clients)
    plain = federate(FlicAligner(**SMALL), clients)
    moves = [
        np.abs(fitted["a"].coefs_[1] - plain["a"].coefs_[1]).max()
        for fitted in (short, longer)
    ]
    assert 0 < moves[0] < moves[1]


def test_exchanges_of_the_joint_phase_cannot_be_skipped():
    X, y = planted()["a"]
    aligner = FlicAligner("joint", **SMALL)
    shared = aligner.merge({"a": aligner.client_statistics(X, y)})
    message = aligner.client_statistics(X, y, shared)
    shared = aligner.merge({"a": message}, shared)
    with pytest.raises(ClientError, match="exchange 1 .* same object"):
        clone(aligner).client_statistics(X, y, shared)
    with pytest.raises(ClientError, match="exchange 2"):
        aligner.fit_shared(X, y, shared | {"exchange": 3})


def test_small_classes_move_no_anchor_and_are_named():
    clients = planted()
    X, y = clients["b"]
    few = np.r_[np.flatnonzero(y < 2), np.flatnonzero(y == 2)[:6]]
    clients["b"] = (X.iloc[few], y[few])
    aligner = FlicAligner("joint", min_count=7, **SMALL)
    drawn = aligner.merge(statistics_of(aligner, clients))
    # class 0 hides the 6 rows of class 2, which 66 - 60 would tell
    one = clone(aligner)
    assert one.client_statistics(*clients["b"])["classes"] == [1]
    message = one.client_statistics(*clients["b"], drawn)
    assert message["labels"] == [1]
    assert message["anchors"].shape == (1, 8)
    with pytest.warns(AlignmentWarning, match=r"labels \[0, 2\] do not move"):
        fitted = federate(aligner, clients)
    assert fitted["b"].withheld_labels_ == [0, 2]
    assert set(fitted["b"].distances_) == {0, 1, 2}  # the map knows their anchors


def test_labels_that_nobody_may_tell_are_named():
    X, y = planted()["a"]
    y = y.copy()
    y[:2] = 9
    with pytest.warns(AlignmentWarning, match=r"no client may tell labels \[.*9\]"):
        one = FlicAligner(**SMALL).fit(X, y)
    assert 9 not in one.labels_
    assert np.isfinite(one.transform(X)).all()
    with pytest.raises(ClientError, match="no client, not even 'client'.*min_count=5"):
        FlicAligner().fit(X[:4], y[:4])
    clients = {"a": (X, y % 3), "b": (X[:4], np.full(4, 7))}
    with pytest.raises(ClientError, match=r"client's labels \[7\].*min_count=5"):
        federate(FlicAligner(**SMALL), clients)


@pytest.mark.parametrize(
    "name, value", [("mode", "both"), ("n_rounds", 0), ("anchor_scale", 0.0)]
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        FlicAligner(**{"mode": "joint", name: value}).fit(*planted()["a"])


def test_a_target_is_required():
    with pytest.raises(ValueError, match="requires y"):
        FlicAligner().fit(planted()["a"][0])


@pytest.mark.parametrize("mode", ["pretrain", "joint"])
def test_a_net_is_shared_over_tables_without_a_common_column(mode):
    clients = planted(300)
    train = {name: (X[:90], y[:90]) for name, (X, y) in clients.items()}
    model = FederatedClassifier(
        personalizer=None,
        aligner=FlicAligner(mode, **SMALL),
        n_rounds=20,
        random_state=0,
    ).fit(train)
    tests = {name: (X[90:], y[90:]) for name, (X, y) in clients.items()}
    assert model.score(tests) > 0.9
