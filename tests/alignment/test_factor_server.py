import numpy as np
import pandas as pd
import pytest

from skfed.alignment._factor_client import client_message
from skfed.alignment._factor_server import (
    label_shares,
    pooled_scale,
    read_blocks,
    standardised,
    target_scale,
)

SCHEMA, STRENGTH = list("abc"), 1.7


def three_tables():
    """Tables of other columns, means and class shares."""
    rng = np.random.default_rng(0)
    return {
        "one": (
            rng.normal(5, 3, size=(40, 2)),
            ["c", "a"],
            np.repeat([0, 1], [10, 30]),
        ),
        "two": (
            rng.normal(4, 2, size=(50, 2)),
            ["b", "c"],
            np.repeat([0, 2], [20, 30]),
        ),
        "dumb": (rng.normal(0, 1, size=(30, 1)), ["a"], None),
    }


def blocks_of(tables, labels):
    """Return the blocks that the server reads."""
    messages = {
        name: client_message(X, names, y, True, 5, True)
        for name, (X, names, y) in tables.items()
    }
    return read_blocks(messages, SCHEMA, labels)


def explicit_rows(tables):
    """Return the standardised columns of all tables stacked, NaN where absent."""
    wide = pd.concat(
        [pd.DataFrame(X, columns=names) for X, names, _ in tables.values()]
    )[SCHEMA]
    return wide, (wide - wide.mean()) / wide.std(ddof=0)


def check_moments(ready, tables, rows):
    """Compare every client's moments with those of its explicit rows."""
    start = 0
    for (columns, n, moments), (X, _, _) in zip(ready, tables.values(), strict=True):
        own = rows[start : start + len(X)]
        start += len(X)
        assert n == len(X)
        np.testing.assert_array_equal(columns, np.flatnonzero(~np.isnan(own[0])))
        part = own[:, columns]
        np.testing.assert_allclose(moments, part.T @ part, atol=1e-9)


def test_label_columns_equal_explicit_indicators():
    tables = three_tables()
    blocks = blocks_of(tables, labels=[0, 1, 2])
    wide, features = explicit_rows(tables)
    mean, scale = pooled_scale(blocks, 3)
    np.testing.assert_allclose(mean, wide.mean())
    np.testing.assert_allclose(scale, wide.std(ddof=0))
    shares = label_shares(blocks, 3)
    np.testing.assert_allclose(shares, [(0.25 + 0.4) / 2, 0.75 / 2, 0.6 / 2])
    y = np.concatenate([tables["one"][2], tables["two"][2]])
    spread = np.sqrt(shares * (1 - shares) + 1e-6)
    indicators = np.full((120, 3), np.nan)
    indicators[:90] = STRENGTH * ((y[:, None] == [0, 1, 2]) - shares) / spread
    ready = standardised(blocks, mean, scale, shares, (0.0, 1.0), STRENGTH)
    check_moments(ready, tables, np.hstack([features, indicators]))


@pytest.mark.parametrize("n_targets", [1, 3])
def test_numeric_targets_equal_explicit_columns(n_targets):
    tables = three_tables()
    rng = np.random.default_rng(1)
    for name in ["one", "two"]:
        X, names, _ = tables[name]
        Y = [X[:, 0] + 3.0 + rng.normal(size=len(X)) for _ in range(n_targets)]
        tables[name] = (X, names, np.column_stack(Y))
    blocks = blocks_of(tables, labels=[])
    y = np.concatenate([tables["one"][2], tables["two"][2]])
    targets = [target_scale(blocks, j) for j in range(n_targets)]
    np.testing.assert_allclose(
        targets, np.column_stack([y.mean(axis=0), y.std(axis=0)])
    )
    columns = np.full((120, n_targets), np.nan)
    columns[:90] = STRENGTH * (y - y.mean(axis=0)) / y.std(axis=0)
    ready = standardised(
        blocks, *pooled_scale(blocks, 3), np.empty(0), targets, STRENGTH
    )
    check_moments(ready, tables, np.hstack([explicit_rows(tables)[1], columns]))


def test_withheld_labels_are_not_taken_for_absent_ones():
    X, names, _ = three_tables()["one"]
    tables = {"one": (X, names, np.repeat([0, 1, 2], [3, 7, 30]))}
    (block,) = blocks_of(tables, labels=[0, 1, 2, 3])
    np.testing.assert_array_equal(block.label_known, [False, False, True, True])
    shares = label_shares([block], 4)
    np.testing.assert_allclose(shares, [0.0, 0.0, 0.75, 0.0])
    ((columns, _, _),) = standardised([block], *pooled_scale([block], 3), shares, [], 1)
    np.testing.assert_array_equal(columns, [0, 2, 5, 6])
