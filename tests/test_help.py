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


def test_help_fits_two_screens_and_has_groups_and_defaults(script, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    lines = script.build_parser().format_help().splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 100
    assert sum(re.fullmatch(r"\S.*:", line) is not None for line in lines) >= 4
    text = " ".join(" ".join(lines).split())
    assert text.count("(default: ") >= 5


def test_the_examples_are_understood(script):
    text = script.build_parser().format_help()
    examples = re.findall(rf"^  python {script.__name__}\.py (.+)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        script.parse_args(shlex.split(example))
