"""``skfed-site``, as an engineer sees it."""

import json
import subprocess
import sys

import pytest

from skfed.sites._command import main
from tests.clients import make_clients
from tests.real_sites import make_sites


def site_file(directory, task="classification", **extra):
    configs, _ = make_sites(directory, make_clients(task))
    path = directory / "a.toml"
    lines = ['name = "a"', 'target = "y"', 'state = "own"', "[data]", 'csv = "a.csv"']
    path.write_text("\n".join([*lines, *(f"{k} = {v}" for k, v in extra.items())]))
    return path, configs[0].data.csv


def test_check_shows_the_table_and_what_is_told(tmp_path, capsys):
    path, _ = site_file(tmp_path)
    assert main(["check", str(path)]) == 0
    text = capsys.readouterr().out
    assert "site 'a': 40 rows, 5 columns" in text
    assert "target y: multiclass" in text
    assert "labels: [0, 1, 2]" in text
    assert "at most 200 rounds" in text
    assert "identifier" not in text
    assert not (tmp_path / "own").exists()


def test_check_warns_of_identifiers(tmp_path, capsys):
    path, table = site_file(tmp_path)
    lines = table.read_text().splitlines()
    rows = [f"P{i},{line}" for i, line in enumerate(lines[1:])]
    table.write_text("\n".join([f"patient,{lines[0]}", *rows]))
    assert main(["check", str(path)]) == 0
    text = capsys.readouterr().out
    assert "looks like an identifier" in text
    assert "list the columns that take part as data.columns" in text


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("aligner", ["auto", "factor"])
def test_dry_run_prints_every_value_and_sends_nothing(tmp_path, capsys, task, aligner):
    path, _ = site_file(tmp_path, task)
    assert main(["dry-run", str(path), "--aligner", aligner]) == 0
    text = capsys.readouterr().out
    assert "n_rows = 40" in text
    assert "['q', 'r', 's', 't', 'kind']" in text
    assert "curvature" in text
    assert "..." not in text
    assert text.endswith("nothing was sent\n")
    assert ("scatters" in text) == (aligner == "factor")
    assert not (tmp_path / "own").exists()


def test_dry_run_is_what_a_fit_with_one_more_client_would_send(tmp_path, capsys):
    path, _ = site_file(tmp_path)
    assert main(["dry-run", str(path), "--shapes"]) == 0
    shown = capsys.readouterr().out
    assert "array(" not in shown
    assert "  s/scale:mean float64 (4,)" in shown


def test_errors_are_one_line_and_name_the_key(tmp_path, capsys):
    path, table = site_file(tmp_path, columns='["p"]')
    assert main(["check", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("skfed-site: data.columns names ['p']")
    assert captured.err.count("\n") == 1
    table.unlink()
    assert main(["dry-run", str(path)]) == 1
    assert main(["check", str(tmp_path / "no.toml")]) == 1


def test_the_module_is_the_command(tmp_path):
    path, _ = site_file(tmp_path)
    run = subprocess.run(
        [sys.executable, "-m", "skfed.sites", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "site 'a'" in run.stdout


def test_a_runner_answers_before_torch_is_loaded(tmp_path):
    code = (
        "import sys; from skfed.sites import SiteRunner; "
        "from skfed.federation._envelope import Request, encode_request; "
        f"runner = SiteRunner({str(site_file(tmp_path)[0])!r}); "
        "[runner.answer(encode_request(Request(t, {}))) for t in ('hello', "
        "'introduce')]; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    lines = (tmp_path / "own" / "sent.jsonl").read_text().splitlines()
    assert [json.loads(line)["task"] for line in lines] == ["hello", "introduce"]
