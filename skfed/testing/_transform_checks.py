"""Checks of what a fitted step does with rows, and in which form.

Each takes an unfitted step and raises AssertionError with the step's name.
"""

import inspect

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import get_tags

from ._data import with_gaps
from ._step import assert_close, clients_for, output
from ._three_acts import fit_together


def check_step_transform_changes_nothing(step):
    """Check that transform leaves the fitted step and the table as they were."""
    for name, (X, y) in clients_for(step).items():
        fitted = clone(step).fit(X, y)
        given, before = X.copy(), joblib.hash(fitted)
        output(fitted, X)
        assert joblib.hash(fitted) == before, f"{step!r}: transform changes the step"
        pd.testing.assert_frame_equal(X, given, obj=f"table of client {name!r}")


def check_step_transform_sees_rows_only(step):
    """Check that transform sees one row at a time, and no labels.

    ``fit_transform`` returns the same, unless the step's class attribute
    ``differs_in_fit`` says why it cannot.
    """
    _, *others = inspect.signature(step.transform).parameters
    assert not others, f"{step!r}: transform takes {others} beside the rows"
    X, y = clients_for(step, "one client")["a"]
    fitted = clone(step).fit(X, y)
    Z = output(fitted, X)
    parts = [output(fitted, X.iloc[i : i + 1]) for i in range(10)]
    message = f"{step!r}: a row's result depends on the other rows"
    assert_close(np.vstack(parts), Z[:10], message)
    both = _dense(clone(step).fit_transform(X, y))
    apart = clone(step)
    shared = None
    for _ in range(apart.n_exchanges):
        sent = {"client": apart.client_statistics(X, y, shared)}
        shared = apart.merge(sent, shared)
    message = f"{step!r}: fit_transform differs from its acts and fit_shared_transform"
    acts = _dense(apart.fit_shared_transform(X, y, shared))
    assert_close(both, acts.astype(both.dtype), message)
    if step.differs_in_fit:
        assert both.shape == Z.shape, f"{step!r}: rows of fit have another width"
        return
    message = f"{step!r}: fit_transform(X, y) differs from fit(X, y).transform(X)"
    assert_close(both, Z, message)


def _dense(Z):
    return Z.toarray() if hasattr(Z, "toarray") else np.asarray(Z)


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


TRANSFORM_CHECKS = [
    check_step_transform_changes_nothing,
    check_step_transform_sees_rows_only,
    check_step_nan_as_the_tag_says,
    check_step_frame_and_array,
    check_step_set_output,
]
