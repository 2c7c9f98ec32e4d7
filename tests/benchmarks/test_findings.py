"""From scores to the tables of the page of findings."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.heterogeneity import findings
from benchmarks.heterogeneity.pairs import per_client, per_draw
from benchmarks.heterogeneity.summary import overall, per_cell, per_method
from benchmarks.heterogeneity.verdict import verdicts

GAINS = {"client 0": 0.2, "client 1": 0.1, "client 2": -0.1}
N_TEST = 400


@pytest.fixture
def frame():
    """Three clients with 400 tested rows each, of which the default gets more right."""
    rows = []
    for seed in range(3):
        for client, gain in GAINS.items():
            for method, score in (
                ("local", 0.5), ("pooled", 0.7), ("FedAvg union", 0.6),
                ("FedAvg auto", 0.6), ("default", 0.5 + gain),
            ):  # fmt: skip
                values = (np.arange(N_TEST) < round(score * N_TEST)).astype(float)
                rows.append(
                    {
                        "cell": "digits, overlap 0.5, n = 50", "group": "overlap",
                        "data": "digits", "dial": "overlap 0.5", "n": 50,
                        "overlap": 0.5, "seed": seed, "client": client,
                        "method": method, "metric": "accuracy",
                        "score": values.mean(), "log_loss": 1.0, "brier": 0.5,
                        "n_test": N_TEST, "seconds": 4.0 if method == "default" else 1,
                        "rows": np.arange(N_TEST), "values": values,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def results(frame):
    draws = per_draw(frame)
    units = per_client(draws)
    table = per_method(draws, units)
    return per_cell(table), table, units


def test_a_cell_says_gain_interval_won_hurt_gap_and_cost(results):
    (cell,) = results[0].to_dict("records")
    gains = np.array(list(GAINS.values()))
    assert cell["difference"] == pytest.approx(gains.mean())
    error = 1.96 * gains.std(ddof=1) / np.sqrt(3)  # seeds do not differ here
    assert cell["low"] == pytest.approx(gains.mean() - error)
    assert (cell["won"], cell["hurt"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (cell["worst"], cell["worst_client"]) == (pytest.approx(-0.1), "client 2")
    assert cell["gap_closed"] == pytest.approx(gains.mean() / 0.2)
    assert cell["cost"] == pytest.approx(4.0)


def test_promises_are_measured_against_their_bars(results):
    summary, _, units = results
    lines = verdicts(summary, units).set_index("promise")
    assert lines.loc["share of clients hurt", "measured"] == "0.333"
    assert lines.loc["share of cells above FedAvg union", "measured"] == "0"
    assert lines.loc["time over plain FedAvg's, mean", "measured"] == "4"
    assert "gain, digits, disjoint, n = 60" not in lines.index


def test_methods_of_some_cells_are_compared_by_kind_of_difference(frame):
    other = frame.assign(cell="digits, linear maps, n = 50", dial="linear maps")
    third = frame.assign(cell="digits, overlap 0, n = 50", dial="overlap 0")
    more = [
        cell[cell["method"] == "default"].assign(method=method)
        for cell, method in ((frame, "Gate"), (other, "Gate"), (third, "FedAvg FLIC"))
    ]
    draws = per_draw(pd.concat([frame, other, third, *more], ignore_index=True))
    units = per_client(draws)
    lines = findings.by_difference(per_method(draws, units), units)
    lines = lines.set_index("method")
    assert list(lines.columns) == [
        "half the columns", "no column in common", "mean", "hurt",
    ]  # fmt: skip
    assert lines.loc["default"].tolist() == ["+0.067", "+0.067", "+0.067", "33%"]
    assert lines.loc["Gate"].tolist() == ["+0.067", "", "", "33%"]
    assert lines.loc["FedAvg FLIC"].tolist() == ["", "", "", "33%"]
    base = per_method(per_draw(frame), per_client(per_draw(frame)))
    assert findings.by_difference(base, units).empty


def test_files_hold_what_the_page_shows(results, tmp_path):
    pytest.importorskip("matplotlib")
    summary, table, units = results
    written = {path.name for path in findings.write(tmp_path, summary, table, units)}
    assert written == {
        "phase_diagrams.png", "overlap.csv", "promises.csv", "methods.csv",
    }  # fmt: skip
    cells = pd.read_csv(tmp_path / "overlap.csv", dtype=str)
    assert cells.loc[0, ["gain", "won", "hurt", "cost"]].tolist() == [
        "+0.067", "67%", "33%", "4.0",
    ]  # fmt: skip
    methods = pd.read_csv(tmp_path / "methods.csv", dtype=str).set_index("method")
    default = overall(table, units).loc["default", "difference"]
    assert methods.loc["default", "gain"] == f"{default:+.3f}"
