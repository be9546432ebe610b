"""The directions of the design: who may import whom."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STACK = ("tasks", "models", "evaluation", "synth", "real", "common")  # from the top down, under the scripts
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
SOURCES = [*sorted(ROOT.glob("*.py")), *(path for folder in STACK for path in sorted((ROOT / folder).rglob("*.py")))]
KERAS = {"keras", "tensorflow", "tensorflow_gan"}


def read_imports(path):
    """Yield (module, name) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent != ROOT], ids=name)
def test_a_folder_imports_only_what_lies_below_it(path):
    folder = path.relative_to(ROOT).parts[0]
    level = STACK.index(folder)
    above = {*SCRIPTS, *STACK[:level]}
    packages = {module.partition(".")[0] for module, _ in read_imports(path)}
    assert not packages & above
    if folder not in ("tasks", "models"):
        assert not packages & KERAS


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_imports_private_names(path):
    assert not [name for _, name in read_imports(path) if name and name.startswith("_")]


def test_scripts_leave_keras_and_tensorflow_to_what_they_call():
    scripts = [path for path in SOURCES if path.parent == ROOT]
    assert [
        path.name for path in scripts if KERAS & {module.partition(".")[0] for module, _ in read_imports(path)}
    ] == []


def test_every_package_that_is_imported_is_required_and_every_requirement_says_what_it_is_for():
    files = [ROOT / "requirements.txt", ROOT / "requirements-cluster.txt"]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    found = [re.fullmatch(r"([\w-]+)[^#]*(#.*)?", line) for line in lines if line and not line.startswith("#")]
    comments = {match[1]: match[2] for match in found}
    modules = {"scikit-learn": "sklearn", "pillow": "PIL", "imbalanced-learn": "imblearn"}
    required = {modules.get(package, package.replace("-", "_")): package for package in comments}
    paths = [*SOURCES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/*.py")]
    imported = {module.partition(".")[0] for path in paths for module, _ in read_imports(path)}
    ours = {*SCRIPTS, *STACK, "tests", "benchmarks"}
    assert imported - sys.stdlib_module_names - ours <= set(required)
    assert [package for module, package in required.items() if module not in imported and not comments[package]] == []
