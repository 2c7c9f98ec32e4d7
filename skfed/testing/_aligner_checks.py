"""Checks of what makes a federated step an aligner: one input space for all."""

import numpy as np
from sklearn.utils import get_tags

from ..alignment import is_negative_control
from ..exceptions import ClientError
from ._data import SCHEMAS, make_clients, with_gaps
from ._step import assert_close, clients_for, output, targets_for
from ._three_acts import fit_together


def check_aligner_gives_all_clients_the_same_columns(aligner):
    """Check that width and names are equal at all clients, and values finite."""
    for schema in SCHEMAS.values():
        for target in targets_for(aligner):
            assert_same_columns_or_refused(aligner, make_clients(schema, target))


def assert_same_columns_or_refused(aligner, clients):
    """Fit over clients; only where no column is common to all, it may be refused.

    An aligner that declares ``needs_same_columns`` must refuse clients whose columns
    differ, and fit all others. Without the target that an aligner requires, any clients
    must be refused.
    """
    needed = get_tags(aligner).target_tags.required
    if needed and any(y is None for _, y in clients.values()):
        _assert_target_is_asked_for(aligner, clients)
        return
    schemas = [set(X) for X, _ in clients.values()]
    differ = any(schema != schemas[0] for schema in schemas)
    must_refuse = aligner.needs_same_columns and differ
    try:
        fitted = fit_together(aligner, clients)
    except ClientError as error:
        if set.intersection(*schemas) and not must_refuse:
            raise
        if any(repr(name) in str(error) for name in clients):
            return
        whom = "whose columns differ" if must_refuse else "without a common column"
        raise AssertionError(
            f"{aligner!r} refuses clients {whom}, and names none of {list(clients)}: "
            f"{error}"
        ) from error
    assert not must_refuse, (
        f"{aligner!r} declares needs_same_columns, and fits clients of other columns"
    )
    _assert_same_columns(aligner, fitted, clients)


def _assert_target_is_asked_for(aligner, clients):
    try:
        fit_together(aligner, clients)
    except ValueError as error:
        assert "requires y" in str(error), f"{aligner!r} does not ask for y: {error}"
        return
    raise AssertionError(f"{aligner!r} requires y by its tag, and fits without")


def _assert_same_columns(aligner, fitted, clients):
    first, *_ = fitted.values()
    names = list(first.get_feature_names_out())
    assert len(names) == len(set(names)), f"{aligner!r} repeats columns: {names}"
    assert names, f"{aligner!r} returns no column"
    for client, step in fitted.items():
        assert list(step.get_feature_names_out()) == names, (
            f"{aligner!r}: client {client!r} has the columns "
            f"{list(step.get_feature_names_out())}, another one {names}"
        )
        X = clients[client][0]
        Z = output(step, X)
        assert Z.shape == (len(X), len(names)), f"{aligner!r}: shape {Z.shape}"
        assert np.isfinite(Z).all(), f"{aligner!r} returns NaN or infinity"


def check_aligner_fills_nan(aligner):
    """Check that what an aligner accepts as NaN does not come out as NaN."""
    if not get_tags(aligner).input_tags.allow_nan:
        return
    clients = with_gaps(clients_for(aligner))
    _assert_same_columns(aligner, fit_together(aligner, clients), clients)


def check_aligner_private_columns(aligner):
    """Check that ``private_columns_`` is one mask, which leaves a column to share."""
    fitted = fit_together(aligner, clients_for(aligner))
    masks = [getattr(step, "private_columns_", None) for step in fitted.values()]
    if all(mask is None for mask in masks):
        return
    for step, mask in zip(fitted.values(), masks, strict=True):
        width = len(step.get_feature_names_out())
        assert isinstance(mask, np.ndarray), f"{aligner!r}: some clients have no mask"
        assert mask.dtype == bool, f"{aligner!r}: private_columns_ is {mask.dtype}"
        assert mask.shape == (width,), f"{aligner!r}: {mask.shape} for {width} columns"
        np.testing.assert_array_equal(mask, masks[0])
        assert not mask.all(), f"{aligner!r} keeps all columns private"


def check_aligner_order_of_columns(aligner):
    """Check that the order of a client's named columns does not matter.

    Negative controls go by position, which is what they are there to show; they are
    told apart by :func:`skfed.alignment.is_negative_control`.
    """
    if is_negative_control(aligner):
        return
    clients = clients_for(aligner)
    turned = {name: (X[X.columns[::-1]], y) for name, (X, y) in clients.items()}
    fitted, again = fit_together(aligner, clients), fit_together(aligner, turned)
    for name in clients:
        assert_close(
            output(again[name], turned[name][0]),
            output(fitted[name], clients[name][0]),
            f"{aligner!r} depends on the order of the columns",
        )


ALIGNER_ONLY_CHECKS = [
    check_aligner_gives_all_clients_the_same_columns,
    check_aligner_fills_nan,
    check_aligner_private_columns,
    check_aligner_order_of_columns,
]
