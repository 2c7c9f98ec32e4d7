import numpy as np
import pandas as pd
import pytest

from skfed.exceptions import ClientError
from skfed.federation._payload import check_payload, decode_payload, encode_payload
from skfed.report import FederationReport, summarize

N = 40


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(50, 9, N),
            "gaps": np.where(np.arange(N) < 12, np.nan, 1.0 + np.arange(N)),
            "sex": ["f"] * 22 + ["m"] * 15 + ["other"] * 3,
            "ill": [True] * 38 + [False] * 2,
            "day": pd.date_range("2020-01-01", periods=N),
            "name": [f"person {i}" for i in range(N)],
            "none": [None] * N,
        }
    )


def test_a_summary_is_a_payload_and_survives_the_wire(table):
    sent = summarize(table, np.arange(N) % 2)
    check_payload(sent, "a")
    back = decode_payload(encode_payload(sent))
    assert (
        FederationReport.from_summaries({"a": back}).to_html()
        == FederationReport.from_summaries({"a": sent}).to_html()
    )


def test_moments_and_counts_are_those_of_the_table(table):
    told = summarize(table)
    assert told["kinds"] == [
        "number", "number", "text", "boolean", "datetime", "text", "empty",
    ]  # fmt: skip
    assert told["mean"][0] == pytest.approx(table["age"].mean())
    assert told["deviation"][0] == pytest.approx(table["age"].std(ddof=0))
    assert told["missing"][1] == 10 / N  # 12, rounded down to a multiple of 5
    assert told["missing"][6] == 1.0
    assert told["levels/2"] == ["f", "m"]
    assert told["counts/2"].tolist() == [20, 15]
    assert told["task"] == ""


def test_nothing_that_few_rows_have_is_told(table):
    told = summarize(table, ["sick"] * (N - 4) + ["well"] * 4)
    assert np.isnan(told["mean"][3])  # two rows are not ill
    assert told["levels/3"] == ["True"] and told["levels/5"] == []
    assert told["labels"] == ["sick"]
    assert "person" not in repr(told) and "other" not in repr(told)


@pytest.mark.parametrize("min_count", [3, 5, 8])
def test_a_few_rows_more_or_less_do_not_show_in_counts(table, min_count):
    def counts(rows):
        told = summarize(table.iloc[rows], min_count=min_count)
        arrays = [told["missing"] * len(rows)]
        arrays += [value for key, value in told.items() if key.startswith("counts/")]
        return np.concatenate(arrays)

    found = counts(np.arange(N))
    at_least = found[(found > 0) & (found < N)]
    assert (np.round(at_least) >= min_count).all()
    assert (np.abs(at_least / min_count - np.round(at_least / min_count)) < 1e-9).all()


def test_a_client_of_few_rows_tells_names_only(table):
    told = summarize(table.iloc[:4], [1.5, 2.5, 3.5, 4.5])
    assert np.isnan(told["mean"]).all() and np.isnan(told["target_mean"]).all()
    assert told["levels/2"] == [] and told["n_rows"] == 4
    assert not told["missing"][[0, 2, 3, 4, 5]].any()


def test_values_that_no_encoder_takes_are_said_to_be_unreadable():
    table = pd.DataFrame({"mixed": [1, "a"] * 5, "far": [np.inf] * 10})
    assert summarize(table)["kinds"] == ["unreadable"] * 2


def test_arrays_have_positions_for_names():
    told = summarize(np.eye(6))
    assert told["columns"] == [f"x{j}" for j in range(6)] and told["named"] is False


def test_targets_of_every_task():
    X = np.arange(20.0)[:, None]
    y = np.tile([[1, 0], [0, 1]], (10, 1))
    assert summarize(X, y)["target_mean"].tolist() == [0.5, 0.5]
    assert summarize(X, y)["task"] == "multilabel"
    assert summarize(X, np.arange(20) % 2)["labels"] == ["0", "1"]
    assert summarize(X, (np.arange(20) % 2).astype(float))["labels"] == ["0", "1"]
    told = summarize(X, np.arange(20) % 4, task="regression")
    assert told["task"] == "regression" and told["target_mean"][0] == 1.5
    gaps = summarize(X, [None] * 6 + ["a", "b"] * 7)
    assert gaps["target_missing"] == 0.25 and gaps["task"] == "binary"
    assert summarize(X, [None] * 20)["task"] == "unknown"
    assert summarize(X, [{}] * 20)["task"] == "unknown"


def test_bad_input_is_refused_by_name():
    with pytest.raises(ClientError, match="20 rows but there are 3 targets"):
        summarize(np.ones((20, 1)), [1, 2, 3])
    with pytest.raises(ClientError, match="shape"):
        summarize([1, 2, 3])
    with pytest.raises(ValueError, match="task='clustering'"):
        summarize(np.ones((20, 1)), np.ones(20), task="clustering")


@pytest.mark.parametrize(
    "broken, match",
    [
        ({"format": 99}, "format 99"),
        ({"mean": np.zeros(3)}, "not whole: its lengths differ"),
        ({"columns": object()}, "sent 'columns' as object"),
    ],
)
def test_a_broken_summary_is_refused(broken, match):
    summary = summarize(pd.DataFrame({"a": range(9)}))
    with pytest.raises(ClientError, match=match):
        FederationReport.from_summaries({"b": summary | broken})
    del summary["kinds"]
    with pytest.raises(ClientError, match="client 'b' .* lacks \\['kinds'\\]"):
        FederationReport.from_summaries({"b": summary})
    with pytest.raises(ClientError, match="give the clients' summaries"):
        FederationReport.from_summaries({})
