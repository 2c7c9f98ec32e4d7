"""What the checks need of one step: data it can read, and its output to compare."""

import numpy as np
from sklearn.utils import get_tags

from ..alignment import Aligner
from ._data import make_clients


def clients_for(step, schema="partly shared", **options):
    """Return clients whose values, and columns, the step can read."""
    if schema == "partly shared" and getattr(step, "needs_same_columns", False):
        schema = "same columns"
    if not isinstance(step, Aligner):  # values may be taken for categories
        options["whole_numbers"] = True
        options.setdefault("text", bool(get_tags(step).input_tags.categorical))
    return make_clients(schema, **options)


def targets_for(step):
    """Return the kinds of target the step can be fitted to."""
    needed = get_tags(step).target_tags.required
    return ("classification", "regression", *(() if needed else (None,)))


def output(step, X):
    """Return what a fitted step makes of rows, as a dense array."""
    Z = step.transform(X)
    return Z.toarray() if hasattr(Z, "toarray") else np.asarray(Z)


def assert_close(found, expected, message):
    """Compare up to rounding, which iterative fits amplify; text must be equal."""
    if found.dtype.kind in "fiub" and expected.dtype.kind in "fiub":
        np.testing.assert_allclose(
            found, expected, rtol=1e-5, atol=1e-6, err_msg=message
        )
    else:
        np.testing.assert_array_equal(found, expected, err_msg=message)
