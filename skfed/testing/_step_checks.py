"""Checks that hold for every federated step, transformer or aligner.

Each takes an unfitted step and raises AssertionError with the step's name.
"""

import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from ..alignment import Aligner
from ._data import make_clients, shuffled, with_gaps
from ._generators import generator_states
from ._three_acts import fit_together, output, size_of


def assert_close(found, expected, message):
    """Compare up to rounding, which iterative fits amplify; text must be equal."""
    if found.dtype.kind in "fiub" and expected.dtype.kind in "fiub":
        np.testing.assert_allclose(
            found, expected, rtol=1e-5, atol=1e-6, err_msg=message
        )
    else:
        np.testing.assert_array_equal(found, expected, err_msg=message)


def clients_for(step, schema="partly shared", **options):
    """Return clients whose values the step can read."""
    if not isinstance(step, Aligner):  # values may be taken for categories
        options["whole_numbers"] = True
        options.setdefault("text", bool(get_tags(step).input_tags.categorical))
    return make_clients(schema, **options)


def check_step_fit_is_the_three_acts(step):
    """Check that a step standing alone is a federation of one, bit by bit."""
    for target in ("classification", "regression", None):
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


def check_step_transform_changes_nothing(step):
    """Check that transform leaves the fitted step and the table as they were."""
    for name, (X, y) in clients_for(step).items():
        fitted = clone(step).fit(X, y)
        given, before = X.copy(), joblib.hash(fitted)
        output(fitted, X)
        assert joblib.hash(fitted) == before, f"{step!r}: transform changes the step"
        pd.testing.assert_frame_equal(X, given, obj=f"table of client {name!r}")


def check_step_transform_sees_rows_only(step):
    """Check that transform sees one row at a time, and no labels."""
    _, *others = inspect.signature(step.transform).parameters
    assert not others, f"{step!r}: transform takes {others} beside the rows"
    X, y = clients_for(step, "one client")["a"]
    fitted = clone(step).fit(X, y)
    Z = output(fitted, X)
    parts = [output(fitted, X.iloc[i : i + 1]) for i in range(10)]
    message = f"{step!r}: a row's result depends on the other rows"
    assert_close(np.vstack(parts), Z[:10], message)
    both = clone(step).fit_transform(X, y)
    both = both.toarray() if hasattr(both, "toarray") else both
    message = f"{step!r}: fit_transform(X, y) differs from fit(X, y).transform(X)"
    assert_close(both, Z, message)


def check_step_nan_as_the_tag_says(step):
    """Check that NaN passes with the tag allow_nan, and else raises ValueError."""
    clients = clients_for(step)
    holed = with_gaps(clients)
    if get_tags(step).input_tags.allow_nan:
        for fitted in (fit_together(step, clients), fit_together(step, holed)):
            for name, (X, _) in holed.items():
                assert len(output(fitted[name], X)) == len(X)
        return
    X, y = holed["a"]
    fitted = clone(step).fit(*clients["a"])
    acts = {
        "fit": lambda: clone(step).fit(X, y),
        "client_statistics": lambda: clone(step).client_statistics(X, y),
        "transform": lambda: fitted.transform(X),
    }
    for name, act in acts.items():
        try:
            act()
        except ValueError as error:
            text = str(error)
            assert "NaN" in text, f"{step!r}: the error does not say NaN: {text}"
        else:
            raise AssertionError(f"{step!r}: {name} takes NaN, but not its tag")


def check_step_frame_and_array(step):
    """Check that a DataFrame and the array of its values give the same numbers."""
    X, y = clients_for(step, "one client", text=False)["a"]
    X = X.set_axis([f"x{j}" for j in range(X.shape[1])], axis=1)
    from_frame = output(clone(step).fit(X, y), X)
    array = X.to_numpy()
    from_array = output(clone(step).fit(array, y), array)
    message = f"{step!r}: DataFrame and array give different numbers"
    assert_close(from_array, from_frame, message)


def check_step_same_columns_same_names(step):
    """Check that clients with the same columns get the same output columns."""
    fitted = fit_together(step, clients_for(step, "same columns"))
    names = {name: list(one.get_feature_names_out()) for name, one in fitted.items()}
    first, *_ = names.values()
    assert len(first) == len(set(first)), f"{step!r} repeats columns: {first}"
    for client, found in names.items():
        assert found == first, f"{step!r}: client {client!r} has {found}, not {first}"


def check_step_set_output(step):
    """Check that ``set_output`` gives a DataFrame with the step's own column names."""
    for X, y in clients_for(step).values():
        fitted = clone(step).set_output(transform="default").fit(X, y)
        Z = output(fitted, X)
        frame = fitted.set_output(transform="pandas").transform(X)
        assert isinstance(frame, pd.DataFrame), f"{step!r} ignores set_output"
        assert list(frame.columns) == list(fitted.get_feature_names_out()), (
            f"{step!r}: the DataFrame has other names than get_feature_names_out"
        )
        assert frame.index.equals(X.index), f"{step!r} changes the index"
        np.testing.assert_array_equal(frame.to_numpy(), Z)


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
        raise AssertionError(f"{step!r} transforms without being fitted")


STEP_CHECKS = [
    check_step_fit_is_the_three_acts,
    check_step_messages_do_not_follow_the_rows,
    check_step_state_can_be_pickled,
    check_step_order_of_clients,
    check_step_order_of_rows,
    check_step_deterministic,
    check_step_transform_changes_nothing,
    check_step_transform_sees_rows_only,
    check_step_nan_as_the_tag_says,
    check_step_frame_and_array,
    check_step_same_columns_same_names,
    check_step_set_output,
    check_step_parameters,
    check_step_statistics_are_no_fit,
]
