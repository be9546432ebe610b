"""The documents hold: what they show runs, and what they point to exists."""

import importlib
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from synth import shard_formats
from synth.runs import find_shards

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MANUALS = [path for path in DOCUMENTS if path.parent.name == "docs" and path.name != "log.md"]  # today's, not a diary


def read_snippets(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_snippets_of_extending_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shard_formats, "FORMATS", dict(shard_formats.FORMATS))  # a snippet adds one
    snippets = read_snippets(ROOT / "docs/extending.md")
    assert len(snippets) == 7
    names = {}
    for snippet in snippets:
        assert len([line for line in snippet.splitlines() if line]) <= 25
        for long, short in (
            ("epochs=100", "epochs=1"),
            ("class_size=100", "class_size=3, duplicate_distance=0"),
            ("rows=100", "rows=3"),
        ):
            snippet = snippet.replace(long, short)
        exec(snippet, names)
    assert [len(list(Path(folder).glob("*.npz"))) for folder in sorted(Path("mine-shards/shards").iterdir())] == [
        1
    ] * 10
    paths, _ = find_shards("bright-*.npz")
    assert len(paths) == 10
    with np.load(paths[0]) as shard:
        assert (shard["images"].mean(axis=(1, 2, 3)) >= 20).all()
    reasons, _ = names["reject_dark"](np.zeros((1, 28, 28, 1), np.uint8), 0, [])
    assert reasons.tolist() == ["dark"]


def read_commands(text):
    """Return the command lines `python <script>.py ...` of a Markdown text: [(script, arguments)].

    They stand in blocks of code, where a backslash continues a line, and in code within sentences.
    """
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for language, code in blocks if not language for line in code.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    pattern = rf"(?:\w+=\S+ )*!?(?:\S*/)?python (?:\S*/)?({'|'.join(SCRIPTS)})\.py\b(.*)"
    return [(match[1], shlex.split(match[2])) for match in map(re.compile(pattern).fullmatch, parts) if match]


def test_commands_are_found_in_blocks_and_sentences():
    block = "```python\nx\n```\n\n```\nA=1 .venv/bin/python augment.py x \\\n  --y && python other.py\n```\n"
    text = f"Try `python predict.py\n--seeds 3`:\n\n{block}"
    assert read_commands(text) == [("augment", ["x", "--y"]), ("predict", ["--seeds", "3"])]


@pytest.mark.parametrize("path", [ROOT / "README.md", *MANUALS], ids=lambda path: path.name)
def test_the_scripts_understand_their_commands(path):
    for script, arguments in read_commands(path.read_text(encoding="utf-8")):
        importlib.import_module(script).parse_args(arguments)


def test_the_readme_shows_every_script_and_the_two_commands_that_set_everything_up():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = read_commands(text)
    assert {script for script, _ in commands} == set(SCRIPTS)
    assert ("generate_data", ["--class-size", "1000"]) in commands
    assert "pip install -r requirements.txt" in text
    assert "\npython -m pytest\n" in text


def test_the_documents_stay_short():
    """A word has a letter or a digit: the bars of a table are none."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
    words = [word for path in MANUALS for word in path.read_text(encoding="utf-8").split()]
    assert sum(re.search(r"[^\W_]", word) is not None for word in words) <= 12000


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_exist(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)]+)\)|<img src=\"(?!https?:)([^\"]+)\"", text)
    for link, image in links:
        file, _, heading = (link or image).partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link or image
        assert not heading or heading in list_headings(target), link


def list_headings(path):
    """Return the anchors of a Markdown file's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
