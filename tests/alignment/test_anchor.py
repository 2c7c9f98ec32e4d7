import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.stats import ortho_group
from sklearn.base import BaseEstimator, clone
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skfed import FederatedClassifier
from skfed.alignment import AnchorAligner
from skfed.alignment._anchor_classes import place_classes
from skfed.exceptions import AlignmentWarning, ClientError

from ._federate import federate, send, statistics_of

IDS = [f"id{i}" for i in range(30)]
SIZES = {"a": (4, 40), "b": (6, 25), "c": (5, 35)}


def clients_of(latent, seed=0, method="gcca", ids=IDS):
    """Show anchors and further latent rows to three clients, by maps of their own."""
    rng = np.random.default_rng(seed)
    clients = {}
    for name, (d, n) in SIZES.items():
        rows = np.vstack([latent, rng.normal(size=(n, latent.shape[1]))])
        q = latent.shape[1]
        mixing = rng.normal(size=(q, d))
        if method == "procrustes":
            mixing = rng.uniform(0.2, 5) * ortho_group.rvs(d, random_state=rng)[:q]
        X = pd.DataFrame(rows @ mixing + rng.normal(size=d)).add_prefix(name)
        X.index = [*ids, *(f"{name}{i}" for i in range(n))]
        clients[name] = (X, None)
    return clients


def latent_rows(q=3, seed=1, n=30):
    return np.random.default_rng(seed).normal(size=(n, q))


def anchor_images(fitted, clients, ids=IDS):
    return {k: one.transform(clients[k][0].loc[ids]) for k, one in fitted.items()}


@pytest.mark.parametrize("q", [1, 4])
def test_gcca_equals_the_closed_form_on_pooled_anchor_rows(q):
    clients = clients_of(latent_rows(4))
    rng = np.random.default_rng(0)
    for X, _ in clients.values():
        X += rng.normal(size=X.shape)
    fitted = federate(AnchorAligner(IDS, n_components=q, ridge=3.0), clients)
    projections = []
    for X, _ in clients.values():
        B = X.loc[IDS].to_numpy()
        B = B - B.mean(axis=0)
        tau = 0.1 * np.trace(B.T @ B) / B.shape[1]
        inverse = np.linalg.inv(B.T @ B + tau * np.eye(B.shape[1]))
        projections.append(B @ inverse @ B.T)
    _, vectors = np.linalg.eigh(sum(projections))
    expected = np.sqrt(30) * vectors[:, ::-1][:, :q]
    for one in fitted.values():
        found = one.targets_
        signs = np.sign((found * expected).sum(axis=0))
        np.testing.assert_allclose(found, signs * expected, atol=1e-8)
        residual = sum((found - P @ found) ** 2 for P in projections).sum(axis=0)
        np.testing.assert_allclose(one.agreement_, 1 - residual / 90, atol=1e-10)
    X = clients["a"][0]
    B = X.loc[IDS].to_numpy()
    centred, G = B - B.mean(axis=0), fitted["a"].targets_
    tau = 0.1 * (centred**2).sum() / 4
    W = np.linalg.solve(centred.T @ centred + tau * np.eye(4), centred.T @ G)
    Z = (X.to_numpy() - B.mean(axis=0)) @ W
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    np.testing.assert_allclose(fitted["a"].transform(X), Z, atol=1e-8)


@settings(max_examples=10)
@given(st.sampled_from(["gcca", "procrustes"]), st.integers(0, 10**6))
def test_same_entities_come_to_the_same_place_whatever_the_columns(method, seed):
    clients = clients_of(latent_rows(3), seed, method)
    aligner = AnchorAligner(IDS, method, n_components=3, ridge=1e-9, standardize=False)
    fitted = federate(aligner, clients)
    images = anchor_images(fitted, clients)
    for image in images.values():
        np.testing.assert_allclose(image, images["a"], atol=1e-3)
        assert np.linalg.matrix_rank(image, tol=0.05) == 3
    np.testing.assert_allclose(fitted["a"].agreement_, 1, atol=1e-5)


@pytest.mark.parametrize("method", ["gcca", "procrustes"])
@pytest.mark.parametrize("standardize", [True, False])
def test_partly_held_anchors_join_clients_in_a_chain(method, standardize):
    """The clients a and c have no anchor in common; b joins them."""
    clients = clients_of(latent_rows(3), 3, method)
    parts = {"a": IDS[:14], "b": IDS[2:28], "c": IDS[16:]}
    held = {
        name: (X.drop(index=[i for i in IDS if i not in parts[name]]), None)
        for name, (X, _) in clients.items()
    }
    aligner = AnchorAligner(
        IDS, method, n_components=3, ridge=1e-9, standardize=standardize
    )
    with pytest.warns(AlignmentWarning, match=r"'id1', 'id14', .*take no part"):
        fitted = federate(aligner, held)
    images = anchor_images(fitted, clients)
    for image in images.values():
        for j in range(3):
            assert np.corrcoef(image[:, j], images["a"][:, j])[0, 1] > 0.999
        if not standardize:
            np.testing.assert_allclose(image, images["a"], atol=1e-2)
    one = fitted["a"]
    assert one.anchors_ == IDS[2:14] + IDS[16:28]
    assert one.held_.tolist() == [True] * 12 + [False] * 12
    assert one.targets_.shape == (24, 3)
    own = fitted["b"].transform(held["b"][0])
    if standardize:
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-10)
        np.testing.assert_allclose(own.std(axis=0), 1)


@pytest.mark.parametrize("method", ["gcca", "procrustes"])
def test_order_of_clients_rows_and_anchors_does_not_matter(method):
    clients = clients_of(latent_rows(4), 5)
    fitted = federate(AnchorAligner(IDS, method), clients)
    rng = np.random.default_rng(0)
    renamed = {
        new: (clients[old][0].sample(frac=1, random_state=0), None)
        for new, old in zip("xyz", "cba", strict=True)
    }
    again = federate(AnchorAligner(list(rng.permutation(IDS)), method), renamed)
    for new, old in zip("xyz", "cba", strict=True):
        X = clients[old][0]
        found, expected = again[new].transform(X), fitted[old].transform(X)
        signs = np.sign((found * expected).sum(axis=0))  # of the first large anchor
        np.testing.assert_allclose(signs * found, expected, atol=1e-6)


def test_only_anchor_rows_leave():
    latent = latent_rows(3)
    clients, others = clients_of(latent, 0), clients_of(latent, 0)
    aligner = AnchorAligner(IDS)
    for X, _ in others.values():
        X.iloc[30:] = 7.5 * X.iloc[30:] ** 2
    first = [statistics_of(aligner, given) for given in (clients, others)]
    shared = aligner.merge(first[0])
    second = []
    for tables in (clients, others):
        messages = {}
        for name, (X, y) in tables.items():
            one = AnchorAligner(IDS)
            one.client_statistics(X, y)
            messages[name] = send(one.client_statistics(X, y, shared), name)
        second.append(messages)
    assert second[0]["a"]["basis"].shape == (30, 3)
    for name in clients:
        np.testing.assert_array_equal(
            second[0][name]["basis"], second[1][name]["basis"]
        )
        assert set(second[0][name]) == {
            "held",
            "basis",
            "n_columns",
            "labels",
            "withheld",
            "is_numeric",
            "weights",
        }
        assert set(first[0][name]) == {
            "held",
            "named",
            "n_columns",
            "n_rows",
            "is_numeric",
        }
        L, B = second[0][name]["basis"], clients[name][0].loc[IDS].to_numpy()
        B = B - B.mean(axis=0)
        tau = 5 / 30 * (B**2).sum() / B.shape[1]
        P = B @ np.linalg.solve(B.T @ B + tau * np.eye(B.shape[1]), B.T)
        np.testing.assert_allclose(L @ L.T, P, atol=1e-10)


def test_number_of_components():
    clients = clients_of(latent_rows(3))
    rng = np.random.default_rng(0)
    for X, _ in clients.values():
        X += 0.1 * rng.normal(size=X.shape)
    found = {
        n: federate(AnchorAligner(IDS[:n]), clients)["a"].n_components_
        for n in (10, 20, 30)
    }
    assert found == {10: 3, 20: 6, 30: 6}  # no client has more than six columns
    for method in ("gcca", "procrustes"):
        many = federate(AnchorAligner(IDS, method, n_components=99), clients)["a"]
        assert 6 <= many.n_components_ <= 15  # the columns of all three
        assert many.get_feature_names_out()[-1] == f"anchor{many.n_components_ - 1}"
        assert (many.agreement_ < 1).all()
    clients["a"] = (clients["a"][0].drop(index=IDS[3:]), None)
    with pytest.warns(AlignmentWarning, match=r"3 components are more .*{'a': 3}"):
        federate(AnchorAligner(IDS, n_components=3), clients)


def test_a_client_alone_needs_no_names():
    X = np.random.default_rng(0).normal(size=(40, 3))
    one = AnchorAligner(range(20), n_components=3, ridge=0.0).fit(X)
    B = X[:20] - X[:20].mean(axis=0)
    np.testing.assert_allclose(one.targets_.T @ one.targets_, 20 * np.eye(3), atol=1e-9)
    whitened = B @ np.linalg.pinv(B) @ one.targets_
    np.testing.assert_allclose(whitened, one.targets_, atol=1e-9)


@pytest.mark.parametrize("kind", [np.asarray, lambda X: X.reset_index(drop=True)])
def test_rows_without_names_are_refused(kind):
    clients = clients_of(latent_rows())
    clients["b"] = (kind(clients["b"][0]), None)
    with pytest.raises(ClientError, match=r"\['b'\] have no names.*set_index"):
        federate(AnchorAligner([0, 1, 2, *IDS]), clients)


def test_bad_anchors_are_named():
    clients = clients_of(latent_rows())
    X = clients["a"][0]
    with pytest.raises(ClientError, match="anchors is None; give the labels"):
        AnchorAligner().fit(X)
    with pytest.raises(ClientError, match=r"holds \['id3'\] more than once"):
        AnchorAligner([*IDS, "id3"]).fit(X)
    with pytest.raises(ClientError, match="must be a list or array of row labels"):
        AnchorAligner("id3").fit(X)
    with pytest.raises(ClientError, match="'id2' labels more than one row"):
        AnchorAligner(IDS).fit(pd.concat([X, X.loc[["id2"]]]))
    with pytest.raises(ClientError, match=r"'a' .* has 0 of the 30 .* same type"):
        federate(AnchorAligner(range(30)), clients)
    with pytest.raises(ClientError, match="none of the 4 columns varies"):
        federate(AnchorAligner(IDS), clients | {"a": (0 * X, None)})
    split = {
        name: (Y.drop(index=IDS[6:] if name == "c" else IDS[:5]), None)
        for name, (Y, _) in clients.items()
    }
    split["d"] = split["c"]
    with pytest.raises(ClientError, match=r"\[\['a', 'b'\], \['c', 'd'\]\]"):
        federate(AnchorAligner(IDS), split)
    with pytest.raises(ValueError, match="method must be one of"):
        AnchorAligner(IDS, method="cca").fit(X)


def labels_of(latent):
    return (latent[:, 0] > 0).astype(int)


def test_a_model_of_one_client_predicts_at_another():
    rng = np.random.default_rng(0)
    latent = latent_rows(3, n=30)
    clients, targets = {}, {}
    for name, (d, _) in SIZES.items():
        rows = np.vstack([latent, rng.normal(size=(200, 3))])
        X = pd.DataFrame(rows @ rng.normal(size=(3, d))).add_prefix(name)
        X.index = [*IDS, *(f"{name}{i}" for i in range(200))]
        clients[name], targets[name] = (X, labels_of(rows)), labels_of(rows)
    fitted = federate(AnchorAligner(IDS, n_components=3, standardize=False), clients)
    Z = {name: one.transform(clients[name][0]) for name, one in fitted.items()}
    model = LogisticRegression().fit(Z["a"], targets["a"])
    for name in "bc":
        assert model.score(Z[name], targets[name]) > 0.95


class Bare(BaseEstimator):
    """A step of somebody's that has no set_output and returns arrays."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X)

    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X)


# with early stopping an anchor may be among the held-out rows
@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
# a step that loses the names of columns loses them at prediction as well
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "encoder", ["auto", "passthrough", make_pipeline(Bare())], ids=repr
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_labels_reach_the_aligner_through_the_estimator(encoder, early_stopping):
    clients = clients_of(latent_rows(3))
    clients = {k: (X, np.arange(len(X)) % 2) for k, (X, _) in clients.items()}
    ids = IDS[:10]
    model = FederatedClassifier(
        personalizer=None,
        encoder=encoder,
        aligner=AnchorAligner(ids, n_components=2),
        n_rounds=2,
        early_stopping=early_stopping,
        random_state=0,
    ).fit(clients)
    aligner = model.pipelines_["a"]["align"]
    if not early_stopping:
        assert aligner.anchors_ == ids
    assert aligner.held_.all() or early_stopping
    unlabelled = {k: X.reset_index(drop=True) for k, (X, _) in clients.items()}
    expected = model.predict({k: X for k, (X, _) in clients.items()})
    for name, found in model.predict(unlabelled).items():
        np.testing.assert_array_equal(found, expected[name])
    sent = model.ledger_.query("direction == 'up' and name == 's/basis'")
    assert set(sent["client"]) == set(clients)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_default_index_stays_no_name_in_the_estimator(early_stopping):
    clients = clients_of(latent_rows(3))
    clients = {
        k: (X.reset_index(drop=True), np.arange(len(X)) % 2)
        for k, (X, _) in clients.items()
    }
    model = FederatedClassifier(
        personalizer=None,
        aligner=AnchorAligner(range(10)),
        early_stopping=early_stopping,
        random_state=0,
    )
    with pytest.raises(ClientError, match="have no names"):
        model.fit(clients)


def labelled_clients(seed=0, n_anchors=30, numeric=False):
    """Add a target: classes of the first two latent quantities, or a number."""
    rng = np.random.default_rng(seed)
    latent = latent_rows(4, seed, n_anchors)
    clients = {}
    for name, (d, _) in SIZES.items():
        rows = np.vstack([latent, rng.normal(size=(60, 4))])
        X = pd.DataFrame(rows @ rng.normal(size=(4, d + 2)))
        X += 0.3 * rng.normal(size=X.shape)
        y = 2 * (rows[:, 0] > 0) + (rows[:, 1] > 0)
        X = X.add_prefix(name)
        X.index = [*IDS[:n_anchors], *(f"{name}{i}" for i in range(60))]
        clients[name] = X, rows[:, 0] + rows[:, 1] if numeric else y
    return clients


def test_classes_join_by_their_means_as_in_a_pooled_computation():
    """The targets are those of the stacked rows, weighted and whitened."""
    clients = labelled_clients()
    aligner = AnchorAligner(IDS, n_components=3, ridge=2.0, label_weight=0.5)
    fitted = federate(aligner, clients)
    M, N = 0, 0
    for X, y in clients.values():
        X = X.to_numpy()
        means = np.stack([X[y == c].mean(axis=0) for c in range(4)])
        residuals = X - means[y]
        S = LedoitWolf(assume_centered=True).fit(residuals).covariance_
        values, vectors = np.linalg.eigh(S * len(X) / (len(X) - 4))
        B = np.vstack([X[:30], means]) @ (vectors / np.sqrt(values))
        w = np.concatenate([np.ones(30), 0.5 * np.bincount(y)])
        J = np.diag(w) - np.outer(w, w) / w.sum()
        JB = J @ B
        M = M + JB @ np.linalg.solve(B.T @ JB + 2.0 * np.eye(B.shape[1]), JB.T)
        N = N + J
    for one in fitted.values():
        G = one.targets_
        assert one.labels_ == [0, 1, 2, 3]
        assert G.shape == (34, 3)
        share = np.diag(G.T @ M @ G) / np.diag(G.T @ N @ G)
        np.testing.assert_allclose(M @ G, N @ G * share, atol=1e-6)
        assert (share <= one.agreement_).all() and (one.agreement_ <= 1).all()
        best = eigh(M, N + np.ones_like(N), eigvals_only=True)[::-1][:3]
        np.testing.assert_allclose(share, best, atol=1e-8)


def test_a_class_of_one_client_is_as_if_it_sent_no_mean():
    clients = labelled_clients()
    X, y = clients["a"]
    rare = dict(clients, a=(X, np.where(y == 3, 9, y)))
    del clients["c"], rare["c"]
    aligner = AnchorAligner(IDS, n_components=3)
    messages, shared = statistics_of(aligner, rare), None
    shared = aligner.merge(messages, shared)
    second = {name: sent_second(aligner, X, y, shared) for name, (X, y) in rare.items()}
    assert second["a"]["labels"] == [0, 1, 2, 9]
    kinds, placed = place_classes(second, 30)
    assert kinds == {"labels": [0, 1, 2], "bins": []}
    one = AnchorAligner(IDS, n_components=3)
    one.client_statistics(*rare["a"])
    held, classes = one._own_rows(rare["a"][0].to_numpy(), rare["a"][1], shared)
    known = np.array([True, True, True, False])
    table = one._table(rare["a"][0].to_numpy(), held, classes, shared, known)
    L, expected = placed[0]["basis"], table.basis("gcca")
    np.testing.assert_allclose(L @ L.T, expected @ expected.T, atol=1e-8)


def sent_second(aligner, X, y, shared):
    one = clone(aligner)
    one.client_statistics(X, y)
    return send(one.client_statistics(X, y, shared), "x")


@pytest.mark.parametrize("numeric", [False, True])
def test_labels_help_where_anchors_are_few(numeric):
    clients = labelled_clients(n_anchors=5, numeric=numeric)
    score = {}
    for weight in (0.0, 1.0):
        aligner = AnchorAligner(IDS[:5], n_components=2, label_weight=weight)
        fitted = federate(aligner, clients)
        Z = {name: one.transform(clients[name][0]) for name, one in fitted.items()}
        targets = {
            name: y > 0 if numeric else y.astype(int)
            for name, (_, y) in clients.items()
        }
        model = LogisticRegression().fit(Z["a"], targets["a"])
        score[weight] = np.mean([model.score(Z[c], targets[c]) for c in "bc"])
    assert score[1.0] > score[0.0] + 0.05


def test_small_classes_are_withheld_by_name():
    clients = labelled_clients()
    X, y = clients["b"]
    y = y.copy()
    few = np.flatnonzero(y == 0)[3:]
    y[few] = 1
    clients["b"] = X, y
    with pytest.warns(AlignmentWarning, match=r"'b' withholds labels \[0, \d\]"):
        fitted = federate(AnchorAligner(IDS), clients)
    assert fitted["b"].labels_ == [0, 1, 2, 3]
    everything = AnchorAligner(IDS, min_count=1)
    assert sent_second(
        everything, X, y, everything.merge(statistics_of(everything, clients))
    )["labels"] == [0, 1, 2, 3]


def test_clients_of_other_tasks_are_joined_by_rows():
    clients = labelled_clients()
    numbers = labelled_clients(numeric=True)
    clients["c"] = numbers["c"]
    fitted = federate(AnchorAligner(IDS), clients | {"d": (clients["a"][0], None)})
    assert fitted["c"].labels_ == [0, 1, 2, 3]  # bins of one client join nobody
