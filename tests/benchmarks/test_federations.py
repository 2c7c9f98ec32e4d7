import pytest

pytest.importorskip("psutil")  # comes with Dask

from benchmarks.federations import main  # noqa: E402


def test_the_command_prints_a_row_for_each_place(capsys, tmp_path):
    path = tmp_path / "table.csv"
    places = ["one process, loop", "one process, fused"]
    given = ["--clients", "4", "--rounds", "2", "--csv", str(path), "--only", *places]
    main(given)
    text = capsys.readouterr().out
    assert all(place in text for place in places) and "max difference" in text
    assert len(path.read_text().splitlines()) == 3
