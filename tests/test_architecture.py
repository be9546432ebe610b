"""The directions of the design: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
SOURCES = [path for folder in (".", "models", "synth") for path in sorted((ROOT / folder).glob("*.py"))]


def read_imports(path):
    """Yield (module, name) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", sorted((ROOT / "synth").glob("*.py")), ids=lambda path: path.name)
def test_synth_knows_no_networks(path):
    packages = {module.partition(".")[0] for module, _ in read_imports(path)}
    assert not packages & {"models", "keras", "tensorflow", "tensorflow_gan", *SCRIPTS}


@pytest.mark.parametrize("path", sorted((ROOT / "models").glob("*.py")), ids=lambda path: path.name)
def test_models_know_no_scripts(path):
    assert not {module.partition(".")[0] for module, _ in read_imports(path)} & set(SCRIPTS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_imports_private_names(path):
    assert not [name for _, name in read_imports(path) if name and name.startswith("_")]


def test_only_models_import_keras_and_tensorflow():
    outside = [path for path in SOURCES if path.parent.name != "models"]
    importers = [
        path.name for path in outside if {"keras", "tensorflow"} & {m.partition(".")[0] for m, _ in read_imports(path)}
    ]
    assert importers == []
