"""`--help` of every script: two screens, grouped, with defaults and examples that it understands."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))


@pytest.fixture(params=SCRIPTS)
def script(request):
    return importlib.import_module(request.param)


def list_helps(script, capsys):
    """The help of a script, and of each of its sub-commands: [(is the last level, text)]."""
    text = script.build_parser().format_help()
    commands = re.findall(r"^    (\w+) ", text.partition("commands:")[2].partition("options:")[0], re.MULTILINE)
    helps = [(not commands, text)]
    for command in commands:
        with pytest.raises(SystemExit):
            script.parse_args([command, "--help"])
        helps.append((True, capsys.readouterr().out))
    return helps


def test_help_fits_two_screens_and_has_groups_and_defaults(script, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    for has_flags, text in list_helps(script, capsys):
        lines = text.splitlines()
        assert len(lines) <= 120
        assert max(map(len, lines)) <= 100
        if has_flags:
            assert sum(re.fullmatch(r"\S.*:", line) is not None for line in lines) >= 4
            assert " ".join(text.split()).count("(default: ") >= 5


def test_the_examples_are_understood(script):
    text = script.build_parser().format_help()
    examples = re.findall(rf"^  python {script.__name__}\.py (.+)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        script.parse_args(shlex.split(example))
