import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed.alignment import (
    FactorAligner,
    NegativeControl,
    PadAligner,
    PCAAligner,
    RandomProjectionAligner,
    UnionAligner,
    is_negative_control,
)
from skfed.exceptions import ClientError

from ._federate import federate

CONTROLS = [PadAligner(), PCAAligner(), RandomProjectionAligner()]


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
def test_controls_are_found_in_compositions(control):
    assert isinstance(control, NegativeControl)
    assert control.why_it_fails
    assert is_negative_control(control)
    assert is_negative_control(make_pipeline(StandardScaler(), control))
    inner = Pipeline([("a", make_pipeline(control)), ("b", "passthrough")])
    assert is_negative_control(inner)


def test_other_aligners_are_no_controls():
    for aligner in [UnionAligner(), make_pipeline(FactorAligner()), PadAligner, "auto"]:
        assert not is_negative_control(aligner)


def clients_of(widths, n=12):
    """Clients with tables of these widths."""
    rng = np.random.default_rng(1)
    return {f"client{w}": (rng.normal(size=(n, w)), None) for w in widths}


def test_pad_keeps_positions():
    clients = clients_of([2, 4])
    for name, one in federate(PadAligner(), clients).items():
        X = clients[name][0]
        Z = one.transform(X)
        assert Z.shape == (12, 4)
        np.testing.assert_array_equal(Z[:, : X.shape[1]], X)
        assert not Z[:, X.shape[1] :].any()


def test_pca_is_each_clients_own_and_as_wide_as_the_narrowest():
    clients = clients_of([2, 5])
    for name, one in federate(PCAAligner(), clients).items():
        X = clients[name][0]
        own = PCA(2, whiten=True, svd_solver="full").fit_transform(X)
        np.testing.assert_allclose(one.transform(X), own, atol=1e-10)
        np.testing.assert_allclose(one.transform(X).var(axis=0, ddof=1), 1.0)
    assert federate(PCAAligner(1), clients)["client5"].transform(X).shape == (12, 1)


def test_pca_width_is_bounded_by_rows():
    clients = clients_of([5], n=12) | {"few": (np.eye(3, 4), None)}
    fitted = federate(PCAAligner(n_components=4), clients)
    assert {len(one.get_feature_names_out()) for one in fitted.values()} == {2}


def test_pca_refuses_a_single_row():
    with pytest.raises(ClientError, match="at least 2 rows"):
        PCAAligner().fit([[1.0, 2.0]])


def test_projection_goes_by_position():
    clients = clients_of([2, 5])
    fitted = federate(RandomProjectionAligner(3, random_state=4), clients)
    narrow, wide = fitted["client2"].components_, fitted["client5"].components_
    np.testing.assert_array_equal(narrow, wide[:2])
    other = federate(RandomProjectionAligner(3, random_state=5), clients)
    assert not np.allclose(other["client2"].components_, narrow)


def test_nan_counts_as_the_average():
    X = pd.DataFrame({"a": [1.0, 3.0, np.nan], "b": [0.0, 1.0, 5.0]})
    filled = X.fillna(X.mean())
    np.testing.assert_allclose(
        PCAAligner().fit(X).transform(X), PCAAligner().fit(filled).transform(filled)
    )
    for control in [PadAligner(), RandomProjectionAligner(random_state=0)]:
        control.fit(X)
        np.testing.assert_allclose(control.transform(X), control.transform(X.fillna(0)))


def test_fewer_than_one_component_is_refused():
    for control in [PCAAligner(0), RandomProjectionAligner(0)]:
        with pytest.raises(ValueError, match="n_components"):
            control.fit(np.eye(3))
