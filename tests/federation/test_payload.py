import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skfed.federation._ledger import Ledger, describe
from skfed.federation._payload import check_payload, decode_payload, encode_payload

scalars = st.one_of(
    st.booleans(), st.integers(-(2**62), 2**62), st.floats(), st.text(), st.binary()
)
lists = st.one_of(
    *(
        st.lists(one, max_size=4)
        for one in (st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
    )
)
arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.bool_, "U3"]),
    hnp.array_shapes(min_dims=0, min_side=0, max_side=3),
)


@given(st.dictionaries(st.text(max_size=8), st.one_of(scalars, lists, arrays)))
def test_bytes_and_back(payload):
    check_payload(payload, "the test")
    back = decode_payload(encode_payload(payload))
    assert list(back) == list(payload)
    for name, value in payload.items():
        if isinstance(value, np.ndarray):
            assert back[name].dtype == value.dtype and back[name].shape == value.shape
            np.testing.assert_array_equal(back[name], value)
        else:
            assert repr(back[name]) == repr(value)  # NaN equals itself here


@pytest.mark.parametrize(
    "payload, text",
    [
        ([], "not a dict"),
        ({1: 2}, "not by a str"),
        ({"x": None}, "'x' as NoneType"),
        ({"x": {}}, "'x' as dict"),
        ({"x": (1, 2)}, "'x' as tuple"),
        ({"x": [1, "a"]}, "a list of"),
        ({"x": [[1]]}, "a list of"),
        ({"x": np.array([None])}, "array of Python objects"),
        ({"x": np.float64(1)}, "'x' as float64"),
    ],
)
def test_what_may_not_travel(payload, text):
    with pytest.raises(TypeError, match=text):
        check_payload(payload, "client 'b'")


def test_ledger_counts_every_entry():
    payload = {"w": np.zeros((3, 2), np.float32), "n": 3, "names": ["ab", "c"]}
    ledger = Ledger()
    ledger.record(1, "up", "a", "train", describe(payload))
    frame = ledger.to_frame()
    assert frame["name"].tolist() == ["w", "n", "names"]
    assert frame["shape"].tolist() == [(3, 2), (), (2,)]
    assert frame["dtype"].tolist() == ["float32", "int", "list of str"]
    assert frame["bytes"].tolist() == [24, 8, len('["ab", "c"]')]
    assert ledger.sizes() == {(1, "up", "a"): frame["bytes"].sum()}
