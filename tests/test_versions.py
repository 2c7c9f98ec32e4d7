"""What ``show_versions`` prints."""

from importlib.metadata import version

import skfed


def test_versions_are_those_installed(capsys):
    skfed.show_versions()
    lines = dict(
        line.split(maxsplit=1)
        for line in capsys.readouterr().out.splitlines()
        if line[17:]
    )
    for name in ("skfed", "numpy", "scikit-learn", "torch", "skorch"):
        assert lines[name] == version(name)
    assert {"matplotlib", "POT", "rich"} <= lines.keys()
    assert not {"pytest", "ruff", "sphinx"} & lines.keys()


def test_what_is_missing_is_said(monkeypatch, capsys):
    monkeypatch.setattr("skfed._versions.NEEDED", ("no-such-package",))
    skfed.show_versions()
    assert "no-such-package   not installed" in capsys.readouterr().out
