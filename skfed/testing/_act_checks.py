"""Checks of the three acts: what is sent, and what the fit may depend on.

Each takes an unfitted step and raises AssertionError with the step's name.
"""

import pickle

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from ._data import shuffled, with_gaps
from ._generators import generator_states
from ._step import assert_close, clients_for, output, targets_for
from ._three_acts import fit_together, size_of


def check_step_fit_is_the_three_acts(step):
    """Check that a step standing alone is a federation of one, bit by bit."""
    for target in targets_for(step):
        clients = clients_for(step, "one client", target=target)
        together = fit_together(step, clients)["a"]
        X, y = clients["a"]
        alone = clone(step).fit(X, y)
        np.testing.assert_array_equal(
            output(alone, X),
            output(together, X),
            err_msg=f"{step!r}: fit differs from its three acts (target: {target})",
        )
        assert list(alone.get_feature_names_out()) == list(
            together.get_feature_names_out()
        ), f"{step!r}: fit and the three acts name their columns differently"


def check_step_messages_do_not_follow_the_rows(step):
    """Check that nothing that leaves a client grows with its number of rows."""
    takes_nan = get_tags(step).input_tags.allow_nan
    for gaps in (False, True) if takes_nan else (False,):
        first, *others = (
            _message_sizes(step, n, gaps)
            for n in (1500, 3000, 6000)  # more rows than a sketch of fixed size has
        )
        for other in others:
            for (client, expected), (_, found) in zip(first, other, strict=True):
                assert expected == found, (
                    f"{step!r}: the message of client {client!r} changes its size with "
                    f"the number of rows, from {expected} to {found}; send sums instead"
                )


def _message_sizes(step, n_rows, gaps):
    sent: list[tuple] = []
    clients = clients_for(step, n_rows=n_rows)
    fit_together(step, with_gaps(clients) if gaps else clients, upward=sent)
    return [
        (client, {name: size_of(value) for name, value in message.items()})
        for client, message in sent
    ]


def check_step_state_can_be_pickled(step):
    """Check that pickling clients and server between the acts changes nothing."""
    clients = clients_for(step)
    plain = fit_together(step, clients)
    pickled = fit_together(step, clients, pickled=True)
    for name, (X, _) in clients.items():
        again = pickle.loads(pickle.dumps(pickled[name]))
        np.testing.assert_array_equal(
            output(plain[name], X),
            output(again, X),
            err_msg=f"{step!r} loses state in a pickle at client {name!r}",
        )


def check_step_order_of_clients(step):
    """Check that the order in which the server merges the clients does not matter."""
    for target in ("classification", "regression"):
        clients = clients_for(step, target=target)
        forwards = fit_together(step, clients)
        backwards = fit_together(step, clients, backwards=True)
        for name, (X, _) in clients.items():
            assert_close(
                output(backwards[name], X),
                output(forwards[name], X),
                f"{step!r} depends on the order of the clients",
            )


def check_step_order_of_rows(step):
    """Check that the order of a client's rows does not matter."""
    for target in ("classification", "regression"):
        clients = clients_for(step, target=target)
        moved, _ = shuffled(clients)
        fitted, again = fit_together(step, clients), fit_together(step, moved)
        for name, (X, _) in clients.items():
            assert_close(
                output(again[name], X),
                output(fitted[name], X),
                f"{step!r} depends on the order of the rows",
            )


def check_step_deterministic(step):
    """Check that the same data give the same bits, and no global generator moves."""
    clients = clients_for(step)
    before = generator_states()
    first, second = fit_together(step, clients), fit_together(step, clients)
    for name, (X, _) in clients.items():
        np.testing.assert_array_equal(
            output(first[name], X),
            output(second[name], X),
            err_msg=f"{step!r} gives other numbers in a second fit; set random_state",
        )
    assert generator_states() == before, f"{step!r} moves a global random generator"


def check_step_same_columns_same_names(step):
    """Check that clients with the same columns get the same output columns."""
    fitted = fit_together(step, clients_for(step, "same columns"))
    names = {name: list(one.get_feature_names_out()) for name, one in fitted.items()}
    first, *_ = names.values()
    assert len(first) == len(set(first)), f"{step!r} repeats columns: {first}"
    for client, found in names.items():
        assert found == first, f"{step!r}: client {client!r} has {found}, not {first}"


def check_step_parameters(step):
    """Check that parameters survive a clone and that no act changes them."""
    before = joblib.hash(step.get_params())
    copy = clone(step)
    assert joblib.hash(copy.get_params()) == before, f"{step!r}: clone differs"
    fitted = fit_together(copy, clients_for(step))["a"]
    assert joblib.hash(fitted.get_params()) == before, f"{step!r}: fit sets parameters"
    learnt = {name for name in vars(clone(fitted)) if name.endswith("_")}
    assert not learnt, f"{step!r}: a clone keeps the fitted attributes {learnt}"


def check_step_statistics_are_no_fit(step):
    """Check that before the last act, transform raises NotFittedError."""
    X, y = clients_for(step)["a"]
    sent = clone(step)
    sent.client_statistics(X, y)
    for unfitted in (clone(step), sent):
        try:
            unfitted.transform(X)
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(
                f"{step!r}: transform before the last act raises {error!r}, not "
                "NotFittedError"
            ) from error
        raise AssertionError(f"{step!r} transforms without being fitted")


ACT_CHECKS = [
    check_step_fit_is_the_three_acts,
    check_step_messages_do_not_follow_the_rows,
    check_step_state_can_be_pickled,
    check_step_order_of_clients,
    check_step_order_of_rows,
    check_step_deterministic,
    check_step_same_columns_same_names,
    check_step_parameters,
    check_step_statistics_are_no_fit,
]
