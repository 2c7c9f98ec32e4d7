"""The speed benchmark: its workloads, its arithmetic, and what it trains."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.speed import cli, engines, equality, naive, plain, verdict, whole_fit
from benchmarks.speed import summary as tables
from benchmarks.speed.peers import PEERS
from benchmarks.speed.rows import PLAIN, Row, known_rows, peer_rows
from benchmarks.speed.scaling import growth, sweeps
from benchmarks.speed.timing import Cost, enough, flops_per_row, interleaved, marginal
from benchmarks.speed.workloads import WORKLOADS, Workload

SMALL = Workload("W1", (40, 25, 33), 16, 2, n_timed=1)


def made(**cpu):
    """Return measurements: ``{row: seconds per repetition}``, all of one workload."""
    return pd.DataFrame(
        {
            "workload": "W1", "row": row.replace("_", " "), "repetition": k,
            "cpu": value, "wall": 2 * value, "setup_cpu": 4 * value,
        }
        for row, values in cpu.items()
        for k, value in enumerate(values)
    )  # fmt: skip


def test_the_standard_workloads_have_their_rows():
    rows = {name: work.rows_per_round for name, work in WORKLOADS.items()}
    assert rows == {"W1": 20_000, "W2": 40_000, "W3": 10_000, "W4": 58_329}
    assert WORKLOADS["W3"].n_chosen == 100
    assert sum(p.numel() for p in WORKLOADS["W1"].module().parameters()) == 6532
    assert flops_per_row(32) == 34_304


def test_clients_take_the_next_rows_in_order():
    X = np.arange(98 * 32, dtype=np.float32).reshape(98, 32)
    work = SMALL.with_data(X, np.zeros(98, dtype=np.int64))
    np.testing.assert_array_equal(np.vstack([x for x, _ in work.clients]), X)
    assert [len(y) for _, y in work.clients] == [40, 25, 33]
    assert work.n_bytes == X.nbytes + 98 * 8


def test_a_marginal_round_leaves_out_the_set_up(monkeypatch):
    spent = {1: Cost(7.0, 9.0), 4: Cost(13.0, 18.0)}
    monkeypatch.setattr("benchmarks.speed.timing.cost", lambda run, w, n: spent[n])
    each, setup = marginal(None, None, 3)
    assert each == Cost(2.0, 3.0)
    assert setup == Cost(5.0, 6.0)


def test_rounds_take_as_long_as_the_set_up():
    def more(n, each, setup):
        return enough(n, Cost(each, each), Cost(setup, setup))

    assert more(4, 0.02, 0.01) == 4  # a short set-up does not disturb
    assert more(4, 0.1, 2.0) == 20
    assert more(4, 1.0, 2.0) == 4
    assert more(4, 0.001, 2.0) == more(4, -0.1, 2.0) == 60


def test_every_row_runs_once_per_repetition_and_failures_are_told():
    ran, told = [], []

    def broken(workload, n):
        raise ImportError("no such thing")

    def note(name):
        return lambda workload, n: ran.append((name, n))

    rows = {
        "a": Row(note("a"), ""),
        "b": Row(note("b"), "", more=2),
        "c": Row(broken, "", may_fail=(ImportError,)),
    }
    found = interleaved(rows, SMALL, 2, told.append)
    assert [line["row"] for line in found] == ["a", "b"] * 2
    once = [("a", 1), ("a", 2), ("b", 1), ("b", 3)]
    assert ran == [("a", 1), ("b", 1), *once, *once]
    assert told[0] == "W1: c is left out: no such thing"


def test_repetitions_of_too_few_rounds_do_not_count():
    class Slow(Row):
        def measure(self, workload, n):
            made.append(n)
            return Cost(0.1, 0.1), Cost(2.0, 2.0)

    made = []
    rows = {"a": Slow(lambda workload, n: None, "")}
    found = interleaved(rows, SMALL, 3)
    assert made == [1, 20, 20]
    assert [line["repetition"] for line in found] == [1, 2]


def test_a_row_that_fails_later_leaves_the_others():
    class Late(Row):
        def measure(self, workload, n):
            raise RuntimeError("too late")

    def nothing(workload, n):
        return None

    rows = {"a": Late(nothing, "", may_fail=(RuntimeError,)), "b": Row(nothing, "")}
    told = []
    found = interleaved(rows, SMALL, 2, told.append)
    assert [line["row"] for line in found] == ["b", "b"]
    assert told[0] == "W1: a is left out: too late"


def test_ratios_are_medians_of_pairs():
    measured = made(plain_loop=[1.0, 2.0, 4.0], skfed_stacked=[0.5, 0.4, 0.4])
    found = tables.paired(measured, "skfed stacked")
    assert found.to_dict() == {"W1": pytest.approx(0.2)}
    # a row with fewer repetitions is paired with those that it has
    fewer = pd.concat([measured, made(Flower=[3.0])])
    assert tables.paired(fewer, "Flower")["W1"] == pytest.approx(3.0)


def test_bars_are_met_or_missed():
    measured = made(
        plain_loop=[1.0], skfed_stacked=[0.3], skfed_fused=[0.21], naive_skorch=[2.0],
        pfl=[1.2], Flower=[1.1],
    )  # fmt: skip
    lines = pd.DataFrame(verdict.of_rounds(measured)).set_index("bar")["verdict"]
    assert lines.to_dict() == {
        "skfed stacked / plain loop, W1": "met",
        "skfed fused / plain loop, W1": "missed",
        "naive skorch / skfed stacked, W1": "met",
        "fastest peer (Flower) / skfed stacked, W1": "met",
        "Flower wall / skfed stacked wall, W1": "missed",
        "skfed stacked, set-up in its rounds, W1": "missed",
    }
    (line,) = verdict.of_equality(
        [{"pair": "stacked - loop", "rounds": 2, "optimizer": "SGD", "workload": "W1",
          "difference": 1e-9}]
    )  # fmt: skip
    assert line["verdict"] == "missed"


def test_memory_bars_compare_many_rounds_with_few():
    peaks = [
        {"row": "skfed stacked", "workload": "W1", "rounds": n, "peak": peak}
        for n, peak in ((3, 90e6), (200, 105e6))
    ]
    lines = verdict.of_memory(peaks)
    assert [line["verdict"] for line in lines] == ["met", "missed"]
    assert lines[1]["measured"] == "15"


def test_tables_have_a_line_per_row_and_a_column_per_workload():
    measured = made(plain_loop=[1.0, 1.0], skfed_loop=[1.1, 1.2])
    more = measured.assign(workload="W2")
    peaks = [{"workload": "W1", "row": "plain loop", "peak": 5e6}]
    found = tables.summary(pd.concat([measured, more]), 1e11, peaks)
    assert found["limit"].iloc[0] == pytest.approx(1e11 / (20_000 * 34_304))
    table = tables.wide(found).set_index("implementation")
    assert table.loc["skfed loop", ["W1", "W2"]].tolist() == ["1.15", "1.15"]
    assert table["peak MB (W1)"].tolist() == ["5", ""]
    assert table["wall / CPU (W1)"].tolist() == ["2.00", "2.00"]


def test_growth_is_of_the_time_per_row_and_client():
    points = [("clients", 10_000, 20.0), ("clients of 4 rows", 1_000, 1.6)]
    table = pd.DataFrame(points, columns=["sweep", "x", "cpu"])
    table["row"] = PLAIN
    scaled = tables.scaling_table(table)
    assert growth(scaled, PLAIN) == pytest.approx(1.25)
    assert tables.scaling_wide(scaled)[PLAIN].tolist() == [
        "20000 (1.00)",
        "1600 (1.00)",
    ]
    assert {w.rows[0] for w in sweeps()["clients of 4 rows"].values()} == {4}
    assert {sum(w.rows) for w in sweeps()["clients"].values()} == {40_000}


@pytest.mark.parametrize("run", [naive.skorch_nets, naive.sklearn_network])
def test_naive_networks_learn_what_the_plain_loop_learns(run):
    work = Workload("small", (300, 200), 16, 5)
    expected, state = plain.run(work, 5), run(work, 5)
    assert work.accuracy(state) == pytest.approx(work.accuracy(expected), abs=0.05)
    assert work.accuracy(state) > work.accuracy(work.module().state_dict()) + 0.05


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_the_loop_engine_is_the_plain_loop(name):
    (line,) = equality.differences([SMALL], [name], kinds=())
    assert line["pair"] == "loop - plain loop"
    assert line["difference"] == 0.0


def test_another_optimizer_is_noticed():
    model = engines.fitted(SMALL, "loop", 1, torch.optim.Adam, lr=0.01)
    other = equality.reference(SMALL, "SGD", 1)
    assert engines.largest_difference(engines.weights(model), other) > 1e-4


def test_an_engine_that_falls_back_is_not_timed(monkeypatch):
    class Falling(engines.FederatedClassifier):
        def fit(self, X, y=None, **others):
            self.engine_, self.engine_reason_ = "loop", "it rains"
            return self

    monkeypatch.setattr(engines, "FederatedClassifier", Falling)
    find = engines.problem.__wrapped__
    assert find("loop") == ""
    text = "asked for the engine 'stacked', and got 'loop': it rains"
    assert find("stacked") == text


def test_a_peer_that_is_not_installed_is_told(monkeypatch):
    def absent():
        raise ImportError("no module")

    told = []
    monkeypatch.setitem(PEERS, "pfl", absent)
    assert peer_rows(["pfl"], told.append) == {}
    assert told == ["pfl is skipped, install the extra `bench`: no module"]


def test_files_hold_the_tables(tmp_path):
    pytest.importorskip("matplotlib")
    found = tables.summary(made(plain_loop=[1.0], skfed_loop=[1.1]), 1e11)
    notes = dict.fromkeys(found["row"], "a note")
    cli.write(tmp_path, found, None, None, pd.DataFrame([{"bar": "a"}]), notes)
    assert {path.name for path in tmp_path.iterdir()} == {
        "speed.csv", "speed_rounds.csv", "speed_bars.csv", "speed_notes.csv",
        "speed.png",
    }  # fmt: skip


def test_rows_can_be_chosen_by_name():
    args = cli.parser().parse_args(["--only", "skfed loop", "--peers"])
    assert args.rows == ["skfed loop"]
    assert args.peers == []
    assert PLAIN in known_rows()


def test_whole_fits_are_split_into_their_parts(monkeypatch):
    from skfed import FederatedClassifier
    from skfed.personalization import HierarchicalStacking
    from tests.clients import make_clients

    model = FederatedClassifier(
        n_rounds=2, personalizer=HierarchicalStacking(n_folds=2), random_state=0
    )
    small = {"small": (model, make_clients())}
    monkeypatch.setattr(whole_fit, "collections", lambda: small)
    (fit,) = whole_fit.measure(repeats=1)
    shares = [fit[part] for part in whole_fit.PARTS]
    assert sum(shares) == pytest.approx(1.0)
    assert min(shares) > 0
    assert 0 < fit["training in folds"] < fit["local training"]
    assert fit["ratio"] > 1
    lines = verdict.of_fits(pd.DataFrame([fit]))
    assert [line["bound"] for line in lines] == ["<= 2.5", "<= 0.3"]
    assert tables.fits_table(pd.DataFrame([fit])).shape == (1, 10)
