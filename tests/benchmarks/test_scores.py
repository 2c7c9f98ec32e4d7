"""Scores as means over rows; the rule of hurt and won; the summary's arithmetic."""

import argparse

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from benchmarks.heterogeneity import pairs, plots, summary
from benchmarks.heterogeneity.cells import cells, quick_cells
from benchmarks.heterogeneity.cli import plan, report
from benchmarks.heterogeneity.methods import BASE, METHODS, chosen
from benchmarks.heterogeneity.run import run_all
from benchmarks.heterogeneity.scores import (
    probability_scores,
    row_values,
    standard_error,
)
from benchmarks.heterogeneity.verdict import verdicts


def test_values_have_the_score_as_mean():
    rng = np.random.default_rng(0)
    y, p = rng.integers(2, size=60), rng.random(60)
    said = np.column_stack([1 - p, p]), np.array([0, 1])
    assert row_values("auc", y, said).mean() == pytest.approx(roc_auc_score(y, p))
    assert row_values("accuracy", y, said).mean() == np.mean((p > 0.5) == y)
    assert probability_scores(y, said)[0] == pytest.approx(log_loss(y, p))
    assert probability_scores(y, said)[1] == pytest.approx(2 * np.mean((p - y) ** 2))
    assert row_values("r2", y, p).mean() == pytest.approx(r2_score(y, p))


def test_the_spread_of_auc_values_is_that_of_the_auc():
    rng = np.random.default_rng(0)
    found, errors = [], []
    for _ in range(300):
        y = np.repeat([0, 1], [90, 30])
        p = rng.normal(size=120) + y
        values = row_values("auc", y, (np.column_stack([-p, p]), np.array([0, 1])))
        found.append(values.mean())
        errors.append(standard_error(values, np.arange(120)))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.1)


def test_an_unknown_class_costs_its_floor():
    said = np.array([[0.5, 0.5]]), np.array([0, 2])
    losses = probability_scores(np.array([1]), said)
    assert losses == pytest.approx((-np.log(1e-6), 1.5))


def test_rows_that_repeat_count_as_one_for_the_error():
    rng = np.random.default_rng(0)
    d = rng.normal(size=50)
    once = standard_error(d, np.arange(50))
    assert once == pytest.approx(d.std(ddof=1) / np.sqrt(50))
    assert standard_error(np.tile(d, 4), np.tile(np.arange(50), 4)) == pytest.approx(
        once
    )


def test_hurt_needs_size_and_evidence():
    difference = np.array([-0.02, -0.02, -0.005, 0.02, 0.02])
    se = np.array([0.005, 0.02, 0.0001, 0.005, 0.02])
    assert pairs.hurt(difference, se).tolist() == [True, False, False, False, False]
    assert pairs.won(difference, se).tolist() == [False, False, False, True, False]


def toy(group="dial", seeds=(0, 1)):
    """Two clients; the default answers one row more than local at "a", none at "b"."""
    lines = []
    for seed in seeds:
        for client in ("a", "b"):
            for method in ("local", "pooled", "FedAvg union", "FedAvg auto", "default"):
                values = np.repeat([1.0, 0.0], [10, 10])
                if client == "a" and method in ("default", "pooled"):
                    values[10 + seed] = 1.0
                lines.append(
                    {
                        "cell": "toy",
                        "group": group,
                        "data": "toy",
                        "dial": "overlap 0.5",
                        "n": 50,
                        "overlap": 0.5,
                        "seed": seed,
                        "client": client,
                        "method": method,
                        "metric": "accuracy",
                        "score": values.mean(),
                        "log_loss": 1.0,
                        "brier": 0.5,
                        "n_test": 20,
                        "seconds": 4.0 if method == "default" else 2.0,
                        "rows": np.arange(20),
                        "values": values,
                    }
                )
    return pd.DataFrame(lines)


def test_summary_of_a_toy():
    draws = pairs.per_draw(toy())
    units = pairs.per_client(draws)
    assert len(units) == 2 * 2 * 5  # a simulated client is a new one in every draw
    table = summary.per_method(draws, units)
    (cell,) = summary.per_cell(table).to_dict("records")
    assert cell["difference"] == pytest.approx(0.025)
    # clients 0.05 and 0, no difference between the seeds: se = 0.05 / 2
    assert cell["high"] - cell["difference"] == pytest.approx(1.96 * 0.025)
    assert cell["gap_closed"] == pytest.approx(1.0)
    assert cell["cost"] == 2.0
    promises = verdicts(summary.per_cell(table), units).set_index("promise")
    assert promises.loc["share of clients hurt", "measured"] == "0"
    assert promises.loc["share of cells above FedAvg union", "measured"] == "1"


def test_a_real_client_is_one_and_its_rows_are_averaged():
    units = pairs.per_client(pairs.per_draw(toy("full"))).set_index(
        ["method", "client"]
    )
    one = units.loc[("default", "a")]
    assert one["difference"] == pytest.approx(0.05)
    # rows 10 and 11 gain in one of two repeats
    d = np.r_[0.5, 0.5, np.zeros(18)]
    assert one["se"] == pytest.approx(d.std(ddof=1) / np.sqrt(20))
    assert len(units) == 2 * 5


def test_plan_runs_seed_by_seed_and_knows_its_methods():
    args = argparse.Namespace(
        quick=False, wide=True, only="", seeds=5, first_seed=0, methods="all"
    )
    jobs = plan(args)
    assert [seed for _, seed, _ in jobs] == sorted(seed for _, seed, _ in jobs)
    assert {len(methods) for _, _, methods in jobs} == {len(BASE), len(METHODS)}
    names = [cell.name for cell in cells()]
    assert len(set(names)) == len(names)
    assert chosen("pooled")[:2] == ["local", "pooled"]
    with pytest.raises(SystemExit, match="unknown methods"):
        chosen("magic")
    assert quick_cells()


def test_a_draw_is_kept_and_taken_up_again(tmp_path, capsys):
    (cell,) = [c for c in cells() if c.name == "wine, overlap 0, n = 20"]
    methods = ["local", "pooled"]
    first, failures = run_all([(cell, 0, methods)], tmp_path, 1, False)
    assert not failures
    (file,) = tmp_path.iterdir()
    again, _ = run_all([(cell, 0, [*methods, "multitask"])], tmp_path, 1, True)
    pd.testing.assert_frame_equal(
        again[again["method"] != "multitask"].drop(columns=["rows", "values"]),
        first.drop(columns=["rows", "values"]),
    )
    assert again["method"].nunique() == 3
    jobs = [(cell, 0, methods), (cell, 1, methods)]  # the second would have to be run
    late, _ = run_all(jobs, tmp_path, 1, True, minutes=0)
    assert set(late["seed"]) == {0}
    args = argparse.Namespace(csv=str(tmp_path / "out.csv"), findings=None)
    report(again, args)
    assert "multitask" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "out.csv")) == 3 * 6


def test_plots(tmp_path):
    pytest.importorskip("matplotlib")
    draws = pairs.per_draw(pd.concat([toy("overlap"), toy("full").assign(cell="r, f")]))
    draws["cell"] = draws["cell"].replace("toy", "toy, overlap 0.5, n = 50")
    table = summary.per_method(draws, pairs.per_client(draws))
    drawn = plots.draw(summary.per_cell(table), tmp_path / "figures")
    assert [path.name for path in drawn] == ["phase_diagrams.png", "real.png"]
