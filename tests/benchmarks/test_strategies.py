"""The benchmark of strategies covers all of them, and its differences are paired."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import strategies
from skfed.testing import all_strategies


def test_every_strategy_is_measured_with_its_defaults():
    found = strategies.methods()
    assert next(iter(found)) == "FedAvg"
    for name, cls in all_strategies():
        strategy, _, reference = found[name]
        assert type(strategy) is cls
        assert strategy.get_params() == cls().get_params()
        # the pair has the same net
        assert found[reference][1] == found[name][1]
    assert strategies.chosen("fedbn") == ["FedAvg", "FedAvg, batch norm", "FedBN"]


def test_two_labels_are_at_every_client_and_rows_are_tested_or_trained_on():
    (split,) = strategies.two_labels(0).splits
    assert len(split.train) == 10
    for client, (X, y) in split.train.items():
        tested, truth, rows = split.test[client]
        assert set(y) == set(truth) and len(set(y)) == 2
        assert (len(X), len(tested), len(set(rows))) == (60, 150, 150)
        both = pd.concat([X, tested])
        assert not both.duplicated().any()


def toy():
    scores = {"FedAvg": [(0.5, 0.9), (0.4, 0.8)], "LocalOnly": [(0.7, 0.8), (0.6, 0.5)]}
    return pd.DataFrame(
        {
            "setting": "toy",
            "method": method,
            "seed": seed,
            "client": client,
            "accuracy": pair[k],
            "seconds": 2.0 if method == "FedAvg" else 3.0,
            "bytes": 100.0 if method == "FedAvg" else 0.0,
        }
        for method, draws in scores.items()
        for seed, pair in enumerate(draws)
        for k, client in enumerate("ab")
    )


def test_differences_are_paired_by_draw():
    row = strategies.summary(toy()).set_index("method").loc["LocalOnly"]
    assert row["macro"] == pytest.approx((0.75 + 0.55) / 2)
    assert row["macro_gain"] == pytest.approx(0.0)  # +.05 and -.05
    assert row["macro_se"] == pytest.approx(0.05)
    assert row["worst"] == pytest.approx((0.7 + 0.5) / 2)
    assert row["worst_gain"] == pytest.approx(np.mean([0.2, 0.1]))
    assert (row["time"], row["bytes"]) == (1.5, 0.0)


def test_the_command_prints_and_writes_a_table(tmp_path, capsys):
    path = tmp_path / "found.csv"
    options = "--quick --rounds 9 --epochs 1 --only localonly --settings IID --csv"
    strategies.main([*options.split(), str(path)])
    assert "IID" in capsys.readouterr().out
    table = pd.read_csv(path)
    assert table["strategy"].tolist() == ["FedAvg", "LocalOnly"]
    assert list(table) == ["strategy", "IID", "time", "bytes"]
    assert "±" in table["IID"][1]
    assert len(pd.read_csv(path.with_suffix(".worst.csv"))) == 2
