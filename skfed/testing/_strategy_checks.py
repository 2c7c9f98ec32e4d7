"""Checks of a strategy's two methods, select and aggregate, on weights made here."""

import copy
import math

import joblib
import numpy as np
from sklearn.base import clone

from ..exceptions import ClientError
from ..federation._payload import decode_payload, encode_payload
from ..strategies import ServerRound, Update
from ..training._weights import pack_extra, unpack_extra

CLIENTS = ("a", "b", "c", "d", "e")


def make_weights(seed, dtype=np.float64):
    """Draw the weights of a small net: a matrix that reads the input, and a bias."""
    rng = np.random.default_rng(seed)
    return {
        "layer.weight": rng.normal(size=(4, 3)).astype(dtype),
        "layer.bias": rng.normal(size=4).astype(dtype),
    }


def make_updates(weights=None, dtype=np.float64):
    """Return one update a client; all with the given weights, or each with its own."""
    owned = {"layer.weight": np.ones(3, dtype=bool)}
    return [
        Update(name, 10 + k, copy.deepcopy(weights) or make_weights(k, dtype), owned)
        for k, name in enumerate(CLIENTS)
    ]


def check_strategy_keeps_what_all_agree_on(strategy):
    """Check that weights which all clients return unchanged stay as they are."""
    start = make_weights(99)
    new = clone(strategy).aggregate(start, make_updates(start))
    for name, value in start.items():
        np.testing.assert_allclose(
            new[name],
            value,
            rtol=1e-12,
            err_msg=f"{strategy!r}: equal weights are no fixed point",
        )


def check_strategy_order_of_updates(strategy):
    """Check that the order of the updates does not matter."""
    start, updates = make_weights(99), make_updates()
    forwards = clone(strategy).aggregate(start, updates)
    backwards = clone(strategy).aggregate(start, updates[::-1])
    for name, value in forwards.items():
        np.testing.assert_allclose(
            backwards[name],
            value,
            rtol=1e-10,
            atol=1e-12,
            err_msg=f"{strategy!r} depends on the order of the updates",
        )


def check_strategy_follows_the_updates(strategy):
    """Check that weights on which all clients agree anew move the server's."""
    start = make_weights(99)
    new = clone(strategy).aggregate(start, make_updates(make_weights(1)))
    assert any((new[name] != start[name]).any() for name in start), (
        f"{strategy!r} ignores the updates; clients train for nothing"
    )


def check_strategy_takes_absent_parameters(strategy):
    """Check that a parameter may be absent, and stays where no client sends it."""
    start, updates = make_weights(99), make_updates()
    del updates[0].weights["layer.bias"]
    new = clone(strategy).aggregate(start, updates)
    assert np.isfinite(new["layer.bias"]).all(), (
        f"{strategy!r} returns NaN for a parameter that one client does not send"
    )
    for update in updates[1:]:
        del update.weights["layer.bias"]
    new = clone(strategy).aggregate(start, updates)
    np.testing.assert_array_equal(
        new["layer.bias"],
        start["layer.bias"],
        err_msg=f"{strategy!r} changes a parameter that no client sends",
    )


def check_strategy_does_not_shrink_what_some_send(strategy):
    """Check that a head moves as far as the trunk, whoever else has none."""
    start = {
        "trunk": np.zeros((4, 3)),
        "head@few": np.zeros(2),
        "head@many": np.zeros(2),
    }
    updates = []
    for k, name in enumerate("abcdefg"):
        head = "head@few" if k < 3 else "head@many"
        weights = {n: start[n] + 1.0 for n in ("trunk", head)}
        updates.append(Update(name, 10, weights, {"trunk": np.ones(3, dtype=bool)}))
    sizes = {update.client: update.n_rows for update in updates}
    holders = {"head@few": tuple("abc"), "head@many": tuple("defg")}
    server = ServerRound(sizes, holders=holders)
    new = clone(strategy).aggregate(start, updates, server)
    for name in ("head@few", "head@many"):
        np.testing.assert_allclose(
            new[name],
            new["trunk"][0, :2],
            rtol=1e-6,
            err_msg=f"{strategy!r}: a parameter that only some clients send moves "
            "otherwise than one that all send",
        )


def check_strategy_keeps_names_shapes_and_types(strategy):
    """Check that the result has the names, shapes and dtypes of the weights before."""
    for dtype in (np.float32, np.float64):
        start = make_weights(99, dtype)
        new = clone(strategy).aggregate(start, make_updates(dtype=dtype))
        described = {name: (w.shape, w.dtype) for name, w in new.items()}
        assert described == {name: (w.shape, w.dtype) for name, w in start.items()}, (
            f"{strategy!r} returns {described}"
        )


def check_strategy_leaves_its_input_alone(strategy):
    """Check that aggregate changes neither the old weights nor the updates."""
    start, updates = make_weights(99), make_updates()
    before = joblib.hash((start, [u.weights for u in updates]))
    clone(strategy).aggregate(start, updates)
    assert joblib.hash((start, [u.weights for u in updates])) == before, (
        f"{strategy!r}: aggregate changes its arguments"
    )


def check_strategy_refuses_bad_updates(strategy):
    """Check that NaN, infinity and other shapes raise ClientError with the client."""
    bad_values = {
        "NaN": np.array([0.0, np.nan, 0.0, 0.0]),
        "infinity": np.array([0.0, np.inf, 0.0, 0.0]),
        "another shape": np.zeros(7),
    }
    for kind, value in bad_values.items():
        updates = make_updates()
        updates[1].weights["layer.bias"] = value
        try:
            clone(strategy).aggregate(make_weights(99), updates)
        except ClientError as error:
            text = str(error)
            assert "'b'" in text, f"{strategy!r} does not name the client: {text}"
        else:
            raise AssertionError(f"{strategy!r} averages an update with {kind}")


def check_strategy_selects_clients(strategy):
    """Check that select returns as many clients as asked for, by ``rng`` alone."""
    for fraction in (0.01, 0.4, 0.7, 1.0):
        for at_least in (1, 3):
            chosen = [
                clone(strategy).select(
                    CLIENTS, fraction, np.random.default_rng(5), at_least=at_least
                )
                for _ in range(2)
            ]
            n = max(math.ceil(fraction * len(CLIENTS)), at_least)
            text = f"{strategy!r} selects {chosen} for {n} of {CLIENTS}"
            assert chosen[0] == chosen[1], text
            assert list(chosen[0]) == sorted(set(chosen[0]) & set(CLIENTS)), text
            assert len(chosen[0]) == n, text


def check_strategy_parameters(strategy):
    """Check that parameters survive a clone and that no method sets them."""
    before = joblib.hash(strategy.get_params())
    copied = clone(strategy)
    assert joblib.hash(copied.get_params()) == before, f"{strategy!r}: clone differs"
    copied.select(CLIENTS, 0.5, np.random.default_rng(0))
    copied.aggregate(make_weights(99), make_updates())
    assert joblib.hash(copied.get_params()) == before, f"{strategy!r} sets parameters"


def check_strategy_memory_round_trips(strategy):
    """Check that the server's memory survives bytes: a restart changes nothing."""
    plain, restarted = make_server(), make_server()
    start = make_weights(99)
    weights, others = start, start
    for seed in range(3):
        updates = make_updates(make_weights(seed))
        weights = clone(strategy).aggregate(weights, updates, plain)
        try:
            data = encode_payload(pack_extra(restarted.memory))
        except TypeError as error:
            raise AssertionError(
                f"{strategy!r} remembers what cannot be written down: {error}"
            ) from error
        restarted.memory = unpack_extra(decode_payload(data))
        others = clone(strategy).aggregate(others, updates, restarted)
        for name, value in weights.items():
            np.testing.assert_array_equal(
                others[name],
                value,
                err_msg=f"{strategy!r} goes on otherwise after a restart",
            )


def make_server():
    """Return what the server knows in the first round."""
    return ServerRound({name: 10 + k for k, name in enumerate(CLIENTS)})


STRATEGY_ONLY_CHECKS = [
    check_strategy_keeps_what_all_agree_on,
    check_strategy_order_of_updates,
    check_strategy_follows_the_updates,
    check_strategy_takes_absent_parameters,
    check_strategy_does_not_shrink_what_some_send,
    check_strategy_keeps_names_shapes_and_types,
    check_strategy_leaves_its_input_alone,
    check_strategy_refuses_bad_updates,
    check_strategy_selects_clients,
    check_strategy_parameters,
    check_strategy_memory_round_trips,
]
