"""The documents hold: what they show runs, and what they point to exists."""

import re
from pathlib import Path

import numpy as np
import pytest

from synth.reading import find_shards

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def read_snippets(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_snippets_of_extending_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snippets = read_snippets(ROOT / "docs/extending.md")
    assert len(snippets) == 5
    names = {}
    for snippet in snippets:
        assert len([line for line in snippet.splitlines() if line]) < 20
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


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_exist(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
