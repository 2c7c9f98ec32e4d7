import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skfed.alignment import HashingAligner
from skfed.testing import check_aligner

from ._federate import federate, statistics_of

modes = pytest.mark.parametrize("mode", ["sign", "gaussian"])
names = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=8, unique=True)


def vectors(columns, **options):
    """The vectors R_v of columns, as rows."""
    X = pd.DataFrame(np.eye(len(columns)), columns=list(columns))
    return HashingAligner(**options).fit(X).transform(X)


@modes
@settings(deadline=None, max_examples=30)
@given(names=names, seed=st.integers(0, 2**31))
def test_a_row_is_the_sum_of_its_columns_vectors(mode, names, seed):
    options = {"n_components": 7, "mode": mode, "random_state": seed}
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(4, len(names))))
    X.columns = names
    expected = sum(
        np.outer(X[name], vectors([name], **options)[0]) for name in X.columns
    )
    Z = HashingAligner(**options).fit_transform(X)
    np.testing.assert_allclose(Z, expected, atol=1e-12)


@modes
def test_missing_and_absent_columns_add_nothing(mode):
    aligner = HashingAligner(8, mode)
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.nan]})
    np.testing.assert_array_equal(
        aligner.fit_transform(X), aligner.fit_transform(X[["a"]])
    )


def test_sign_mode_places_every_column_once():
    R = vectors([f"v{j}" for j in range(200)], n_components=16)
    assert set(np.unique(R)) == {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal(np.abs(R).sum(axis=1), 1.0)
    # 200 columns over 16 outputs, and their signs: within five standard deviations
    assert np.abs(np.abs(R).sum(axis=0) - 12.5).max() < 5 * np.sqrt(12.5)
    assert abs(R.sum()) < 5 * np.sqrt(200)


@modes
def test_inner_products_are_right_on_average_over_seeds(mode):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2, 12))).add_prefix("v")
    exact = X.to_numpy()[0] @ X.to_numpy()[1]
    found = []
    for seed in range(400):
        Z = HashingAligner(16, mode, random_state=seed).fit_transform(X)
        found.append(Z[0] @ Z[1])
    error = np.std(found) / np.sqrt(len(found))
    assert 0.1 < np.std(found) < 5
    assert abs(np.mean(found) - exact) < 4 * error


@modes
def test_collision_noise_falls_with_the_root_of_the_width(mode):
    columns = [f"v{j}" for j in range(60)]
    for width in (16, 64, 256):
        R = vectors(columns, n_components=width, mode=mode)
        products = (R @ R.T)[np.triu_indices(60, 1)]
        assert np.sqrt((products**2).mean()) == pytest.approx(width**-0.5, rel=0.25)


@modes
def test_clients_agree_without_an_exchange(mode):
    aligner = HashingAligner(8, mode, random_state=3)
    rng = np.random.default_rng(0)
    clients = {
        name: (pd.DataFrame(rng.normal(size=(5, 3)), columns=list(columns)), None)
        for name, columns in [("a", "pqr"), ("b", "rst")]
    }
    for name, one in federate(aligner, clients).items():
        X, _ = clients[name]
        np.testing.assert_array_equal(one.transform(X), aligner.fit_transform(X))
    assert statistics_of(aligner, clients) == {"a": {}, "b": {}}


def test_server_draws_the_seed_when_it_is_not_given():
    clients = {
        name: (pd.DataFrame({"v": [1.0], column: [0.0]}), None)
        for name, column in [("a", "p"), ("b", "q")]
    }
    for state in (None, np.random.RandomState(0)):  # noqa: NPY002 - a caller may give one
        first, second = federate(
            HashingAligner(4, "gaussian", random_state=state), clients
        ).items()
        np.testing.assert_array_equal(
            *(one.transform(clients[name][0]) for name, one in (first, second))
        )


@modes
def test_another_process_and_another_seed(mode):
    code = (
        "import numpy as np, pandas as pd\n"
        "from skfed.alignment import HashingAligner\n"
        f"a = HashingAligner(5, {mode!r}).fit(pd.DataFrame({{'älter': [1.0]}}))\n"
        "print(a.components_.tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == str(
        vectors(["älter"], n_components=5, mode=mode).tolist()
    )
    columns = [f"v{j}" for j in range(20)]
    first = vectors(columns, mode=mode)
    assert (first != vectors(columns, mode=mode, random_state=1)).any()


@pytest.mark.parametrize(
    "options, text",
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": 2.5}, "n_components"),
        ({"mode": "dense"}, "mode must be one of"),
    ],
)
def test_bad_parameters_are_refused(options, text):
    with pytest.raises((ValueError, TypeError), match=text):
        HashingAligner(**options).fit([[1.0, 2.0], [3.0, 4.0]])


def test_contract():
    check_aligner(HashingAligner(n_components=8))
