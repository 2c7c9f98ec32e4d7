"""Checks of the dials' values, each with an error that names the dial."""

from numbers import Integral, Real

import numpy as np


def check_whole(name, value, low):
    """Return a whole number that is not below low."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def check_number(name, value, low, high=np.inf):
    """Return a finite number within [low, high]."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not (low <= number <= high and np.isfinite(number)):
        raise ValueError(f"{name} must be {_range(low, high)}, got {value}")
    return number


def check_each(name, value, n_clients, low, high=np.inf):
    """Return one number a client from a number or a sequence of them."""
    if isinstance(value, Real):
        return np.full(n_clients, check_number(name, value, low, high))
    values = np.asarray(value)
    if values.shape != (n_clients,):
        raise ValueError(
            f"{name} must be a number or one number for each of the {n_clients} "
            f"clients, got {value!r}"
        )
    return np.array([check_number(name, v, low, high) for v in values])


def check_choice(name, value, choices):
    """Return a value that is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return value


def client_name(k, n_clients):
    """Return the name of client k, with leading zeros such that names sort."""
    return f"client_{k:0{len(str(n_clients - 1))}d}"


def check_seed(random_state):
    """Return an int to seed all streams; numpy's global generator is not touched."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**63 - 1))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63 - 1))
    return check_whole("random_state", random_state, 0)


def _range(low, high):
    return f"a finite number >= {low}" if np.isinf(high) else f"in [{low}, {high}]"
